import { describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../../src/config/types.ts';
import { explainAgent, type AgentQuestion } from '../../../../src/lanes/agents/explain.ts';
import type { Agent } from '../../../../src/lanes/agents/registry/agent.ts';
import { composeChain } from '../../../../src/pipeline/chain.ts';
import { agentOf, ALICE, BOB, fakeSource, LOADING, mergedOf, type InstanceParts } from './start-agents.ts';

function explain(agent: Agent, question: Partial<AgentQuestion> = {}) {
  const merged = mergedOf({ travel: agent.config }, agent.origin === 'store' ? ['travel'] : []);
  return explainAgent(
    { agents: new Map([['travel', agent]]), chain: composeChain([], 'agents'), sources: new Map(), merged },
    { agent: 'travel', consumer: ALICE, ...question },
  );
}
const made = (config: AgentConfig = {}, ...instances: InstanceParts[]): Agent =>
  agentOf(config, instances.length === 0 ? undefined : instances);
const rules = ({ steps }: Awaited<ReturnType<typeof explain>>): string[] => steps.map(({ rule, effect }) => `${effect}: ${rule}`);

describe('explainAgent', () => {
  it('says who lets the call through and where it would go', async () => {
    const late = fakeSource('travel#2', undefined, { ...LOADING, error: 'no answer' });
    const got = await explain(made({}, {}, { source: late, when: 'consumer.name == "x"' }, { source: fakeSource('travel#3'), weight: 0 }));
    expect([got.visible, got.callable]).toEqual([true, true]);
    expect(rules(got)).toEqual([
      'shows: no access list: every caller may use it',
      'allows: instance travel: weight 1, healthy, ready',
      'refuses: instance travel#2, for calls with consumer.name == "x": weight 1, healthy, loading: no answer',
      'refuses: instance travel#3: weight 0, healthy, ready',
    ]);
    expect(got.steps[1]).toMatchObject({ file: 'hubgate.yaml', value: { id: 'travel', weight: 1, state: 'ready', health: 'healthy' } });
  });

  it('an entry of the store has no place in a file', async () => {
    const { steps } = await explain({ ...made(), origin: 'store' });
    expect(steps.at(-1)).not.toHaveProperty('file');
  });

  it.each<[string, InstanceParts, (agent: Agent) => void]>([
    ['none is ready', { source: fakeSource('travel', undefined, LOADING) }, () => undefined],
    ['none has a weight', { weight: 0 }, () => undefined],
    ['all rest', {}, (agent) => agent.instances[0]!.gauge.rest(Date.now(), 60_000)],
  ])('is visible and not callable where %s', async (_, instance, prepare) => {
    const agent = made({}, instance);
    prepare(agent);
    const { visible, callable } = await explain(agent);
    expect([visible, callable]).toEqual([true, false]);
  });

  it('stops at what the rules refuse: an operation or skill of an agent that is visible, or all of it', async () => {
    const agent = made({ access: [{ consumers: ['alice'], allow: ['flights'] }] });
    const asked = async (question: Partial<AgentQuestion>) => {
      const { visible, callable, steps } = await explain(agent, question);
      return [visible, callable, steps.at(-1)!.effect];
    };
    expect(await asked({ skill: 'flights' })).toEqual([true, true, 'allows']);
    expect(await asked({ skill: 'hotels' })).toEqual([true, false, 'hides']);
    expect(await asked({})).toEqual([true, false, 'hides']);
    expect(await asked({ operation: 'tasks/get' })).toEqual([true, true, 'allows']);
    expect(await asked({ consumer: BOB, skill: 'flights' })).toEqual([false, false, 'hides']);
  });

  it('says that the card has no such skill', async () => {
    expect(rules(await explain(made(), { skill: 'cruises' }))).toContain(
      'info: the card has no skill "cruises"; the agent is asked all the same',
    );
    expect(rules(await explain(made(), { skill: 'flights' })).filter((rule) => rule.startsWith('info'))).toEqual([]);
  });

  it('asks the policies about just such a call', async () => {
    const questions: unknown[] = [];
    const explaining = async (question: unknown) => (questions.push(question), [{ rule: '5 calls a minute', value: 3 } as never]);
    const agent = { ...made(), chain: composeChain([{ name: 'limit', stage: 'limit', hooks: { explain: explaining } }], 'agents') };
    expect((await explain(agent, { skill: 'flights' })).steps.at(-1)).toEqual({ rule: '5 calls a minute', effect: 'info', value: 3 });
    await explain(agent);
    const question = { consumer: ALICE, lane: 'agents', route: 'travel', agent: 'travel' };
    expect(questions).toEqual([{ ...question, skill: 'flights' }, question]);
  });

  it('knows which agents there are', async () => {
    await expect(explain(made(), { agent: 'none' })).rejects.toMatchObject({
      code: 'not_found',
      message: 'There is no agent "none". Agents: travel.',
    });
  });
});
