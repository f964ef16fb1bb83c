import { describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../../../src/config/types.ts';
import type { ConditionContext } from '../../../../../src/core/conditions.ts';
import { planFor } from '../../../../../src/lanes/agents/registry/plan-for.ts';
import { agentOf, ALICE, BOB, fakeSource, type InstanceParts } from '../start-agents.ts';

const by = (name: string): ConditionContext => ({
  consumer: [ALICE, BOB].find((one) => one.name === name)!,
  request: { headers: {}, ip: '', time: new Date(0) },
  call: { lane: 'agents', route: 'travel', operation: 'message/send', size: 0 },
});
const instance = (name: string, more: Omit<InstanceParts, 'source'> = {}): InstanceParts => ({ source: fakeSource(name), ...more });
const pools = (plan: ReturnType<typeof planFor>) => plan.pools.map(({ choices }) => choices.map(({ id }) => id));

describe('where a call may go', () => {
  const agent = agentOf({}, [
    instance('all'),
    instance('alice', { when: 'consumer.name == "alice"' }),
    instance('other'),
    instance('rest', { weight: 0 }),
  ]);

  it('to those whose condition it meets, then to those without one; never to those of weight 0', () => {
    expect(pools(planFor(agent, () => by('alice')))).toEqual([['alice'], ['all', 'other']]);
    expect(pools(planFor(agent, () => by('bob')))).toEqual([['all', 'other']]);
  });

  it('is one plan for one answer of the conditions, so that budgets and balancers remember', () => {
    const [one, again, other] = [by('alice'), by('alice'), by('bob')].map((context) => planFor(agent, () => context));
    expect(again).toBe(one);
    expect(other).not.toBe(one);
  });

  it('nothing is asked of an agent without conditions', () => {
    const plan = planFor(agentOf({}, [instance('a')]), () => expect.unreachable());
    expect(pools(plan)).toEqual([['a']]);
    expect(plan.retries).toBe(2);
  });

  it('a condition that cannot be answered is not met', () =>
    expect(pools(planFor(agentOf({}, [instance('a', { when: 'args.x > 1' }), instance('b')]), () => by('bob')))).toEqual([['b']]));

  it('may be nowhere', () => expect(planFor(agentOf({}, [instance('a', { weight: 0 })]), () => by('bob')).pools).toEqual([]));

  it.each<[AgentConfig['balance'], boolean]>([
    [undefined, false],
    ['weight', false],
    ['round-robin', false],
    ['latency', true],
  ])('the record says what %s went by: %s', (balance, measures) => {
    const made = agentOf(balance === undefined ? {} : { balance }, [instance('a')]);
    expect(planFor(made, () => by('bob')).pools[0]!.measures).toBe(measures);
  });
});
