import { expect, it } from 'vitest';
import { agentStatus } from '../../../../../src/lanes/agents/registry/status.ts';
import { agentOf, fakeSource, LOADING } from '../start-agents.ts';

const CALM = { health: 'healthy', breaker: 'closed', inFlight: 0, errorRate: 0, samples: 0 };

it('says how the agent is by its speaker, and how each instance is', () => {
  const late = fakeSource('travel#1', undefined, { ...LOADING, error: 'no answer yet' });
  const agent = agentOf({}, [
    { source: late, when: 'consumer.name == "x"', weight: 3 },
    { source: fakeSource('travel#2', undefined, { signature: 'verified' }) },
  ]);
  expect(agentStatus(agent, 0)).toEqual({
    name: 'travel',
    origin: 'file',
    state: 'ready',
    title: 'Travel',
    skills: 2,
    instances: [
      { id: 'travel#1', state: 'loading', signature: 'unsigned', weight: 3, when: 'consumer.name == "x"', error: 'no answer yet', ...CALM },
      { id: 'travel#2', state: 'ready', signature: 'verified', weight: 1, ...CALM },
    ],
  });
});

it('a failed agent says why, and a card is not trusted to be one', () => {
  const source = fakeSource('travel', undefined, { state: 'failed', error: 'gone', card: { name: 7, skills: 'many' } });
  const status = agentStatus(agentOf({}, [{ source }]), 0);
  expect(status).toMatchObject({ state: 'failed', error: 'gone', skills: 0 });
  expect(status).not.toHaveProperty('title');
  expect(agentStatus(agentOf({}, []), 0)).toMatchObject({ state: 'failed', skills: 0, instances: [] });
});

it('shows what calls have shown', () => {
  const agent = agentOf();
  const { gauge } = agent.instances[0]!;
  gauge.begin(0);
  gauge.begin(0).ended(5, 'failed');
  expect(agentStatus(agent, 10).instances[0]).toMatchObject({ inFlight: 1, samples: 1, errorRate: 1 });
});
