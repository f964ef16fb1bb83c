import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PermitAgent, PermitTool } from '../../../src/access/patterns.ts';
import { checkCall, compileAccess } from '../../../src/access/permit.ts';
import type { AccessPattern, AccessRule } from '../../../src/config/types.ts';
import { AGENT_OPERATIONS, type AgentOperation } from '../../../src/core/agents.ts';
import { ANONYMOUS, type Consumer } from '../../../src/core/consumer.ts';

const alice: Consumer = { name: 'alice', groups: ['staff'], anonymous: false };
const READING: readonly AgentOperation[] = [
  'tasks/get',
  'tasks/list',
  'tasks/resubscribe',
  'tasks/pushNotificationConfig/get',
  'tasks/pushNotificationConfig/list',
  'agent/card',
];
const MESSAGES: readonly AgentOperation[] = ['message/send', 'message/stream'];
const OTHERS = AGENT_OPERATIONS.filter((operation) => !MESSAGES.includes(operation));
const message = (skill?: string, ...tags: string[]): PermitAgent => ({ operation: 'message/send', skill, tags });
const about = (operation: AgentOperation): PermitAgent => ({ operation, skill: undefined, tags: [] });
const sees = (rules: AccessRule[] | undefined, subject: PermitAgent, consumer = alice): boolean =>
  compileAccess(rules).agent(consumer, subject).visible;
const allowed = (pattern: AccessPattern, subject: PermitAgent): boolean => sees([{ allow: [pattern] }], subject);
const denied = (pattern: AccessPattern, subject: PermitAgent): boolean => !sees([{ allow: ['*'] }, { deny: [pattern] }], subject);

describe('who may call an agent', () => {
  it('everybody without a list, nobody with an empty one, and whom a rule is for', () => {
    expect([sees(undefined, message()), sees([], message()), sees([{ groups: ['staff'] }], message())]).toEqual([true, false, false]);
    const rules: AccessRule[] = [{ groups: ['staff'], allow: ['*'] }];
    expect([sees(rules, message()), sees(rules, message(), ANONYMOUS), sees(rules, message(), { ...alice, groups: [] })]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it.each<[AccessPattern, string | undefined, boolean]>([
    ['*', undefined, true],
    ['*', 'flights', true],
    ['flights', 'flights', true],
    ['flights', 'hotels', false],
    ['fli*', 'flights', true],
    ['fli*', undefined, false],
    [{ skill: 'fli*' }, 'flights', true],
    [{ skill: 'fli*' }, 'hotels', false],
    [{ skill: '*' }, undefined, true],
    ['**', undefined, false],
  ])('a rule with %j allows a message to %s: %s, and denies the same', (pattern, skill, matches) => {
    expect([allowed(pattern, message(skill)), denied(pattern, message(skill))]).toEqual([matches, matches]);
  });

  it('whoever may use a skill may ask about all tasks; who may not use one may all the same', () => {
    for (const pattern of ['flights', { skill: 'flights' }, { tag: 'safe' }])
      for (const operation of OTHERS)
        expect([allowed(pattern, about(operation)), denied(pattern, about(operation))], operation).toEqual([true, false]);
  });

  it('by the tags of the skill', () => {
    expect(allowed({ tag: 'sa*' }, message('flights', 'travel', 'safe'))).toBe(true);
    expect(allowed({ tag: 'sa*' }, message('hotels', 'costly'))).toBe(false);
    expect(allowed({ tag: 'sa*' }, message())).toBe(false);
    expect(denied({ tag: 'costly' }, message('hotels', 'costly'))).toBe(true);
  });

  it('by the operation', () => {
    const matching = (pattern: AccessPattern): AgentOperation[] =>
      AGENT_OPERATIONS.filter((operation) => allowed(pattern, about(operation)));
    expect(matching({ operation: 'message/*' })).toEqual(MESSAGES);
    expect(matching({ operation: 'tasks/get' })).toEqual(['tasks/get']);
    expect(AGENT_OPERATIONS.filter((operation) => denied({ operation: 'tasks/cancel' }, about(operation)))).toEqual(['tasks/cancel']);
  });

  it('by the risk: what only reads, and what changes something at the agent', () => {
    const matching = (how: typeof allowed, risk: 'read' | 'write' | 'destructive') =>
      AGENT_OPERATIONS.filter((operation) => how({ risk }, about(operation)));
    expect(matching(allowed, 'read').toSorted()).toEqual(READING.toSorted());
    expect(matching(allowed, 'write')).toEqual(AGENT_OPERATIONS);
    expect(matching(denied, 'read')).toEqual(AGENT_OPERATIONS);
    expect(matching(denied, 'write')).toEqual(AGENT_OPERATIONS.filter((operation) => !READING.includes(operation)));
    expect(matching(denied, 'destructive')).toEqual([]);
  });

  it('all that a pattern says must hold', () => {
    const pattern = { skill: 'flights', operation: 'message/send', tag: 'safe' };
    expect(allowed(pattern, message('flights', 'safe'))).toBe(true);
    for (const other of [
      message('hotels', 'safe'),
      message('flights'),
      { ...message('flights', 'safe'), operation: 'message/stream' as const },
    ])
      expect(allowed(pattern, other)).toBe(false);
    expect(allowed(pattern, about('tasks/get'))).toBe(false);
  });

  it.each<AccessPattern>([
    { tool: '*' },
    { resource: '*' },
    { prompt: '*' },
    { method: 'GET' },
    { path: '*' },
    { annotation: {} },
    { skill: '*', tool: '*' },
  ])('%j asks about something else, and is for no agent', (pattern) =>
    expect([allowed(pattern, message('flights')), denied(pattern, message('flights'))]).toEqual([false, false]),
  );

  it('a pattern about agents is for no tool', () => {
    const tool: PermitTool = { name: 'flights', definition: { name: 'flights', inputSchema: {} }, risk: 'read', tags: ['safe'] };
    for (const pattern of [
      { skill: '*' },
      { operation: '*' },
      { skill: 'flights', tag: 'safe' },
      { operation: '*', risk: 'read' },
    ] as AccessPattern[])
      expect(compileAccess([{ allow: [pattern] }]).tool(alice, tool).visible).toBe(false);
  });

  it('conditions are asked when the agent is called', () => {
    const rules: AccessRule[] = [{ when: 'consumer.name == "alice"', allow: [{ skill: 'flights', when: 'args.n < 3' }] }];
    const { visible, conditions } = compileAccess(rules).agent(alice, message('flights'));
    expect(visible).toBe(true);
    const context = (n: number) => ({
      consumer: alice,
      request: { headers: {}, ip: '', time: new Date(0) },
      call: { lane: 'agents' as const, route: 'travel', operation: 'message/send', size: 0 },
      args: { n },
    });
    expect(checkCall(conditions, context(2))).toEqual({ ok: true });
    expect(checkCall(conditions, context(3))).toEqual({
      ok: false,
      rule: 'access rule 1, allow { skill: flights } when consumer.name == "alice" and when args.n < 3',
    });
    expect(compileAccess(rules).agent(alice, message('hotels'))).toEqual({ visible: false, conditions: [] });
  });

  it('explains itself as it decides, with where each rule stands', () => {
    const rules: AccessRule[] = [
      { consumers: ['bob'], allow: ['*'] },
      { allow: ['flights', 'hotels'], deny: [{ operation: 'tasks/*' }] },
    ];
    const { explainAgent } = compileAccess(rules, (pointer) => ({ file: 'hubgate.yaml', line: pointer.length }));
    expect(explainAgent(alice, message('flights'))).toEqual([
      { rule: 'access rule 1: not for alice', effect: 'info', value: false, file: 'hubgate.yaml', line: '/0'.length },
      { rule: 'access rule 2, allow "flights"', effect: 'shows', value: true, file: 'hubgate.yaml', line: '/1/allow/0'.length },
      { rule: 'access rule 2, allow "hotels"', effect: 'info', value: false, file: 'hubgate.yaml', line: '/1/allow/1'.length },
      { rule: 'access rule 2, deny { operation: tasks/* }', effect: 'info', value: false, file: 'hubgate.yaml', line: '/1/deny/0'.length },
      { rule: 'visible', effect: 'shows' },
    ]);
    expect(compileAccess(undefined).explainAgent(alice, message())).toEqual([
      { rule: 'no access list: every caller may use it', effect: 'shows' },
    ]);
  });

  it('the order of rules means nothing, and the last step of an explanation is the answer', () => {
    const name = fc.constantFrom('flights', 'hotels', 'f*', '*');
    const pattern: fc.Arbitrary<AccessPattern> = fc.oneof(
      name,
      name.map((skill) => ({ skill })),
      name.map((tag) => ({ tag })),
      fc.constantFrom('*', 'message/*', 'tasks/*', 'tasks/get').map((operation) => ({ operation })),
      fc.constantFrom('read', 'write', 'destructive').map((risk) => ({ risk }) as AccessPattern),
    );
    const rule = fc.record({ allow: fc.array(pattern, { maxLength: 3 }), deny: fc.array(pattern, { maxLength: 2 }) });
    const subject = fc.record({
      operation: fc.constantFrom(...AGENT_OPERATIONS),
      skill: fc.constantFrom('flights', 'hotels', undefined),
      tags: fc.subarray(['flights', 'x']),
    });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), subject, (rules, asked) => {
        const visible = sees(rules, asked);
        expect(sees(rules.toReversed(), asked)).toBe(visible);
        expect(compileAccess(rules).explainAgent(alice, asked).at(-1)?.effect).toBe(visible ? 'shows' : 'hides');
      }),
      { numRuns: 500 },
    );
  });
});
