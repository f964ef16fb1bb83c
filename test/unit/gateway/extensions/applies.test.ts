import { describe, expect, it } from 'vitest';
import type { PolicyUse } from '../../../../src/config/types.ts';
import type { AnyCall } from '../../../../src/core/call.ts';
import { ConditionError } from '../../../../src/core/conditions.ts';
import type { Question, Stage } from '../../../../src/core/contracts/policy.ts';
import { appliesTo } from '../../../../src/gateway/extensions/applies.ts';
import { modelSegments } from '../../../../src/lanes/models/segments.ts';
import { LiveCall } from '../../../../src/pipeline/live-call.ts';
import { SILENT, toolCall } from '../../pipeline/live-calls.ts';

const ALICE = { name: 'alice', groups: ['staff'], anonymous: false };
const tool = {
  name: 'list',
  source: 'pets',
  sourceName: 'find',
  risk: 'read',
  tags: ['animals'],
  definition: { name: 'list', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
} as const;
const call = toolCall({
  consumer: ALICE,
  route: 'pets',
  request: { headers: { 'x-tier': 'gold' }, ip: '192.0.2.1', size: 10 },
  input: { name: 'list', tool, arguments: { limit: 3, note: 'hello' }, params: {} },
}) as unknown as AnyCall;
const chat = new LiveCall<'models'>({
  id: 'id',
  lane: 'models',
  operation: 'chat',
  route: 'support',
  consumer: ALICE,
  request: { headers: {}, ip: '', size: 99 },
  log: SILENT,
  codec: modelSegments,
  input: { model: 'gpt-5', stream: false, body: { model: 'gpt-5', messages: [{ role: 'user', content: 'Where is my invoice?' }] } },
}) as unknown as AnyCall;
const applies = (use: Pick<PolicyUse, 'match' | 'when'>, to: AnyCall = call, stage: Stage = 'transform'): boolean | undefined =>
  appliesTo(use, stage).applies?.(to);

describe('a use of a policy', () => {
  it('without a rule is for every call, and asks nothing', () => expect(appliesTo({}, 'limit')).toEqual({}));

  it.each<[PolicyUse['match'], boolean]>([
    [{ consumer: 'al*' }, true],
    [{ consumer: 'bob' }, false],
    [{ group: 'sta*' }, true],
    [{ group: 'interns' }, false],
    [{ route: 'pe?s', consumer: 'alice', group: 'staff' }, true],
    [{ route: 'pets', consumer: 'bob' }, false],
  ])('with match %j: %s', (match, expected) => {
    expect(applies({ match })).toBe(expected);
    const question: Question = { consumer: ALICE, lane: 'tools', route: 'pets' };
    expect(appliesTo({ match }, 'limit').concerns?.(question)).toBe(expected);
  });

  it('for consumers by name is not for nobody', () => {
    const nobody = toolCall({ consumer: { name: 'alice', groups: [], anonymous: true } }) as unknown as AnyCall;
    expect(applies({ match: { consumer: '*' } }, nobody)).toBe(false);
  });

  it.each([
    ['tool.name == "list" && tool.source == "pets" && tool.risk == "read" && "animals" in tool.tags', call],
    ['tool.annotations.readOnlyHint && args.limit == 3 && call.text.contains("hello")', call],
    ['request.headers["x-tier"] == "gold" && request.ip == "192.0.2.1" && call.size == 10.0', call],
    ['call.lane == "tools" && call.operation == "tools/call" && call.route == "pets" && consumer.name == "alice"', call],
    ['call.model == "gpt-5" && call.text == "Where is my invoice?" && call.lane == "models"', chat],
  ])('with an expression has the values of the call: %s', (when, to) => expect(applies({ when }, to)).toBe(true));

  it('with both is for calls for which both hold; only the match is known before there is a call', () => {
    const match = { consumer: 'alice' };
    const question: Question = { consumer: ALICE, lane: 'tools', route: 'pets' };
    expect([applies({ match, when: 'args.limit > 2' }), applies({ match, when: 'args.limit > 3' })]).toEqual([true, false]);
    expect(applies({ match: { consumer: 'bob' }, when: 'true' })).toBe(false);
    expect([appliesTo({ match, when: 'false' }, 'limit').concerns?.(question), appliesTo({ when: 'false' }, 'limit').concerns]).toEqual([
      true,
      undefined,
    ]);
  });

  it('with an expression sees the input as it is when it is asked', () => {
    const changing = toolCall();
    expect(applies({ when: 'args.text == "bye"' }, changing as never)).toBe(false);
    const asking = toolCall({ input: { ...call.input, tool } as never });
    asking.rewriteText(() => 'bye');
    expect(applies({ when: 'args.note == "bye"' }, asking as unknown as AnyCall)).toBe(true);
  });

  it.each([
    ['what is left out', 'request.headers["x-team"] != "vip"'],
    ['what is too long to be matched', '!call.text.matches("^short$")'],
  ])('in a limit or a guard is not escaped by %s', (_, when) => {
    const long = toolCall({ input: { ...call.input, arguments: { text: 'x'.repeat(70_000) } } as never }) as unknown as AnyCall;
    expect([applies({ when }, long, 'limit'), applies({ when }, long, 'guard'), applies({ when }, long)]).toEqual([true, true, false]);
  });

  it('does not compile what is no expression', () => {
    expect(() => appliesTo({ when: 'call.nothing ==' }, 'limit')).toThrow(ConditionError);
  });
});
