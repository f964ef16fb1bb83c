import { describe, expect, it } from 'vitest';
import type { AccessRule } from '../../../../../src/config/types.ts';
import { AGENT_OPERATIONS, type AgentOperation } from '../../../../../src/core/agents.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import { admit, asked, checkConditions, isVisible, seesSkill, skillsOf } from '../../../../../src/lanes/agents/calls/admit.ts';
import { agentSegments } from '../../../../../src/lanes/agents/segments.ts';
import { LiveCall } from '../../../../../src/pipeline/live-call.ts';
import { SILENT } from '../../../pipeline/live-calls.ts';
import { agentOf, ALICE, BOB, cardAt, fakeSource, FLIGHTS, HOTELS, LOADING, messageTo } from '../start-agents.ts';

const withRules = (...access: AccessRule[]) => agentOf({ access });
const refusal = (work: () => unknown): GatewayError => {
  try {
    work();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('it was let through');
};

describe('who may know of an agent', () => {
  it.each<[string, AccessRule[] | undefined, boolean, boolean]>([
    ['no list', undefined, true, true],
    ['an empty list', [], false, false],
    ['everything to a group', [{ groups: ['staff'], allow: ['*'] }], true, false],
    ['one skill', [{ consumers: ['bob'], allow: [{ skill: 'flights' }] }], false, true],
    ['reading only', [{ consumers: ['bob'], allow: [{ risk: 'read' }] }], false, true],
    ['what is denied again', [{ allow: ['*'] }, { groups: ['staff'], deny: ['*'] }], false, true],
  ])('%s', (_, access, alice, bob) => {
    const agent = agentOf(access === undefined ? {} : { access });
    expect([isVisible(agent, ALICE), isVisible(agent, BOB)]).toEqual([alice, bob]);
  });

  it('sees the skills that it may send messages to, by id and by tag', () => {
    const agent = withRules({ consumers: ['alice'], allow: [{ skill: 'fli*' }] }, { consumers: ['bob'], allow: [{ tag: 'costly' }] });
    const seen = (consumer: typeof ALICE) => [FLIGHTS, HOTELS].map((skill) => seesSkill(agent, consumer, skill));
    expect([seen(ALICE), seen(BOB)]).toEqual([
      [true, false],
      [false, true],
    ]);
  });
});

describe('admit', () => {
  const agent = withRules({ consumers: ['alice'], allow: [{ skill: 'flights' }] });

  it('lets pass what a rule allows, and everything about tasks with it', () => {
    for (const operation of AGENT_OPERATIONS) expect(admit(agent, ALICE, operation, { skill: 'flights' })).toEqual([]);
    expect(admit(agent, ALICE, 'tasks/get', {})).toEqual([]);
  });

  it.each<[string, AgentOperation, string | undefined, string]>([
    ['another skill', 'message/send', 'hotels', 'This consumer may not send that skill to this agent. Name one of the skills'],
    ['no skill', 'message/stream', undefined, 'This consumer may not send a message that names no skill to this agent.'],
  ])('refuses %s, and says what to do', (_, operation, skill, message) => {
    const error = refusal(() => admit(agent, ALICE, operation, skill === undefined ? {} : { skill }));
    expect([error.code, error.message]).toEqual(['forbidden', expect.stringContaining(message)]);
  });

  it('refuses an operation that no rule allows', () => {
    const error = refusal(() => admit(withRules({ allow: [{ operation: 'message/*' }] }), ALICE, 'tasks/cancel', {}));
    expect([error.code, error.message]).toEqual(['forbidden', 'This consumer may not call tasks/cancel of this agent.']);
  });

  it('goes by the tags of the skill on the card that is known now', () => {
    const source = fakeSource('travel');
    const one = agentOf({ access: [{ allow: [{ tag: 'safe' }] }] }, [{ source }]);
    expect(admit(one, ALICE, 'message/send', { skill: 'flights' })).toEqual([]);
    expect(refusal(() => admit(one, ALICE, 'message/send', { skill: 'hotels' })).code).toBe('forbidden');
    source.snapshot = LOADING;
    expect(refusal(() => admit(one, ALICE, 'message/send', { skill: 'flights' })).code).toBe('forbidden');
  });
});

describe('checkConditions', () => {
  const agent = withRules({ allow: [{ skill: '*', when: 'args.message.parts.size() < 2' }] });
  const callWith = (parts: object[]): LiveCall<'agents'> =>
    new LiveCall<'agents'>({
      id: 'id',
      lane: 'agents',
      operation: 'message/send',
      route: 'travel',
      consumer: ALICE,
      request: { headers: {}, ip: '', size: 0 },
      log: SILENT,
      codec: agentSegments,
      input: { agent: 'travel', skill: 'flights', params: messageTo({ parts }) },
    });

  it('asks about the params of the call', () => {
    const conditions = admit(agent, ALICE, 'message/send', { skill: 'flights' });
    expect(conditions).toHaveLength(1);
    checkConditions(callWith([{ text: 'x' }]), agent, conditions);
    const error = refusal(() => checkConditions(callWith([{ text: 'x' }, { text: 'y' }]), agent, conditions));
    expect([error.code, error.rule]).toEqual(['rule_refused', expect.stringContaining('args.message.parts.size() < 2')]);
    expect(error.message).toContain('travel');
  });

  it('asks nothing where there is nothing to ask', () => expect(checkConditions(callWith([]), agent, [])).toBeUndefined());
});

describe('what rules are asked about', () => {
  it('is the skill with its tags, where the card has it', () => {
    const agent = agentOf();
    expect(asked(agent, 'message/send', 'flights')).toEqual({ operation: 'message/send', skill: 'flights', tags: ['travel', 'safe'] });
    // Nobody knows them: a rule that denies by one must hold.
    expect(asked(agent, 'message/send', 'gone')).toEqual({ operation: 'message/send', skill: 'gone', tags: undefined });
    expect(asked(agent, 'tasks/get', undefined)).toEqual({ operation: 'tasks/get', skill: undefined, tags: [] });
  });

  it.each([
    [undefined, 0],
    [cardAt('http://x.test'), 2],
    [{ skills: 'no' }, 0],
    [{ skills: [null, 'x', FLIGHTS] }, 1],
  ])('skills of %j: %i', (card, count) => expect(skillsOf(card)).toHaveLength(count));

  it('tags that are no texts are none', () => {
    const source = fakeSource('travel', undefined, {
      card: cardAt('http://x.test', {
        skills: [
          { id: 'a', tags: ['t', 1, null] },
          { id: 'b', tags: 't' },
        ],
      }),
    });
    const agent = agentOf({}, [{ source }]);
    expect(['a', 'b'].map((skill) => asked(agent, 'message/send', skill).tags)).toEqual([['t'], []]);
  });
});
