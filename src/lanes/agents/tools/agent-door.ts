import type { Call } from '../../../core/call.ts';
import { GatewayError } from '../../../core/errors.ts';
import { fingerprint } from '../../../core/secret.ts';
import { AgentError, type AgentOperation } from '../../../core/agents.ts';
import type { JsonObject } from '../../../core/json.ts';
import { run } from '../../../pipeline/run.ts';
import { isVisible, unknownAgent } from '../calls/admit.ts';
import { arrivalOf } from '../calls/arrival.ts';
import { carryOut } from '../calls/carry-out.ts';
import { firstCard, speaker, type Agent } from '../registry/agent.ts';
import { agentReplies } from '../segments.ts';
import { capabilities, shownCard } from '../calls/public-card.ts';
import type { EnterGeneration, Serving } from '../calls/serving.ts';
import { wireOf } from '../wires/wires.ts';
import type { AgentDoor, DoorSnapshot } from './agent-tools.ts';

export interface DoorParts {
  readonly name: string;
  readonly enter: EnterGeneration;
  readonly serving: Serving;
  /** Where this hub is reached from outside. */
  base(): string;
  /** The agent as the generation has it that serves now. */
  current(): Agent | undefined;
  /** Calls `listener` after every change of agents and of their cards; returns the way to stop. */
  subscribe(listener: () => void): () => void;
}

const LOADING: DoorSnapshot = { state: 'loading', version: '' };

/** The way from tools to an agent: calls of this lane by whoever calls the tool, with all that holds for them. */
export function createAgentDoor(parts: DoorParts): AgentDoor {
  const { name } = parts;
  let known: { readonly of: string; readonly snapshot: DoorSnapshot } | undefined;
  return {
    name,
    subscribe: (listener) => parts.subscribe(listener),
    snapshot() {
      const agent = parts.current();
      const said = agent && speaker(agent)?.source.snapshot;
      if (agent === undefined || said === undefined) return LOADING;
      const of = `${said.version} ${fingerprint(agent.config)}`;
      if (known?.of !== of) known = { of, snapshot: snapshotOf(agent, said, parts) };
      return known.snapshot;
    },
    async *send(call, params, signal) {
      const agent = parts.current();
      const card = agent && (await firstCard(agent));
      const operation = card !== undefined && capabilities(card)('streaming') ? 'message/stream' : 'message/send';
      yield* ask(parts, call, operation, params, signal);
    },
    get: (call, task, signal) => whole(ask(parts, call, 'tasks/get', { id: task }, signal)),
    cancel: (call, task, signal) => whole(ask(parts, call, 'tasks/cancel', { id: task }, signal)),
  };
}

function snapshotOf(
  agent: Agent,
  said: NonNullable<ReturnType<typeof speaker>>['source']['snapshot'],
  { base, serving }: DoorParts,
): DoorSnapshot {
  const { state, error, card } = said;
  const shown = card === undefined ? undefined : shownCard(agent, card, () => true, base(), serving);
  const all = { state, ...(error === undefined ? {} : { error }), ...(shown === undefined ? {} : { card: shown }) };
  return { ...all, version: fingerprint(all) };
}

async function* ask(
  { name, enter, serving, base }: DoorParts,
  { id, consumer, request }: Call<'tools'>,
  operation: AgentOperation,
  params: JsonObject,
  signal: AbortSignal,
): AsyncGenerator<JsonObject> {
  const { agents, leave } = enter();
  const agent = agents.agents.get(name);
  try {
    if (agent === undefined || !isVisible(agent, consumer)) throw unknownAgent();
    const approach = { id, consumer, request, wire: wireOf('1.0', 'JSONRPC'), extensions: [], base: base() };
    const arrival = arrivalOf(agent, { operation, params, id: null }, serving, approach);
    const stop = (): void => arrival.call.abort(new GatewayError('client_closed'));
    signal.addEventListener('abort', stop, { once: true });
    try {
      const handled = await run(arrival.call, agent.chain, agentReplies, () => carryOut(arrival));
      if ('stream' in handled) for await (const { event } of handled.stream) yield event;
      else yield handled.reply.result;
    } catch (error) {
      // What the agent says is wrapped on its way through the pipeline.
      throw error instanceof GatewayError && error.cause instanceof AgentError ? error.cause : error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  } finally {
    leave();
  }
}

async function whole(answers: AsyncIterable<JsonObject>): Promise<JsonObject> {
  for await (const answer of answers) return answer;
  throw new GatewayError('upstream_failed');
}
