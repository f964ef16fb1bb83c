import type { AdminRoute } from '../route.ts';

const text = (description: string): object => ({ type: 'string', description });

/** The card of one instance, or of the agent. */
const STATE = {
  type: 'string',
  enum: ['loading', 'ready', 'failed', 'auth-needed', 'disabled'],
  description: 'Ready once its card is there; it stays so while the last good card serves.',
};

const INSTANCE = {
  type: 'object',
  description: 'One instance, and what its calls have shown.',
  properties: {
    id: text('The name of the agent; of several instances, that name and a digest of the address.'),
    state: STATE,
    error: text('Why it is not ready, or why its card could not be read again.'),
    signature: {
      type: 'string',
      enum: ['unsigned', 'verified', 'invalid', 'unchecked'],
      description: 'What the signatures on its card are worth; unchecked without keys to check them by.',
    },
    weight: { type: 'number', description: 'Its share of new conversations; 0 gets none.' },
    when: text('The condition under which it gets calls.'),
    health: { type: 'string', enum: ['healthy', 'unhealthy', 'resting', 'open', 'probing'] },
    breaker: { type: 'string', enum: ['closed', 'open', 'half-open'] },
    inFlight: { type: 'integer', description: 'Calls that have not ended.' },
    latencyMs: { type: 'number' },
    firstChunkMs: { type: 'number' },
    errorRate: { type: 'number', description: 'From 0 to 1.' },
    samples: { type: 'integer', description: 'Calls that the figures come from.' },
    retryAt: { type: 'integer', description: 'Milliseconds since 1970; there while no calls go to it.' },
  },
  required: ['id', 'state', 'weight', 'health', 'inFlight', 'errorRate', 'samples'],
};

/** One entry of `agents` in the state of the hub. */
export const AGENT_STATE = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    origin: { type: 'string', enum: ['file', 'store'] },
    state: STATE,
    title: text('Its name on its card.'),
    skills: { type: 'integer', description: 'How many its card has.' },
    error: text('Why it is not ready.'),
    instances: { type: 'array', items: INSTANCE },
  },
  required: ['name', 'origin', 'state', 'skills', 'instances'],
};

/** What can be done with agents beside writing their entries. */
export const agentRoutes: readonly AdminRoute[] = [
  {
    method: 'POST',
    path: '/agents/{name}/refresh',
    operationId: 'refreshAgent',
    tag: 'agents',
    summary: 'Fetch the card of an agent again',
    description: 'Of all its instances. A card that cannot be had now leaves the last good one where it is; the answer says why.',
    params: { name: 'The name of the agent.' },
    answers: { 200: { description: 'The state of the agent, with each of its instances.', schema: AGENT_STATE } },
    handle: async ({ params }, { hub }) => ({ status: 200, body: await hub.refreshAgent(params.get('name') as string) }),
  },
];
