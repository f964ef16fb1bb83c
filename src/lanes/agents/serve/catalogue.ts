import { GatewayError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import { HttpCallRequest } from '../../../http/http-call-request.ts';
import type { Exchange } from '../../../http/mount.ts';
import { readNarrowing, type Narrowing } from '../../../http/narrowing.ts';
import { publicBase } from '../../../http/request-line.ts';
import { LiveCall } from '../../../pipeline/live-call.ts';
import { run } from '../../../pipeline/run.ts';
import { isVisible } from '../calls/admit.ts';
import { publicCard } from '../calls/public-card.ts';
import type { Serving } from '../calls/serving.ts';
import { BY_CALLER, sendTagged } from '../cards/send-card.ts';
import { cardOf, type Agent } from '../registry/agent.ts';
import type { AgentsGeneration } from '../registry/build.ts';
import type { AgentSearch } from '../search/agent-search.ts';
import { agentReplies, searchSegments } from '../segments.ts';

/** How many agents `?query=` finds without `top`. */
const TOP = 10;

/**
 * The agents that this consumer may call, each with its card; those whose card is not known yet are left out. `?query=TEXT&top=K` narrows it to the best
 * of those that match, best first, each with its score and the words that it has: that is a call, which limits, policies and records see. Throws GatewayError.
 */
export async function sendCatalogue(
  exchange: Exchange,
  generation: AgentsGeneration,
  serving: Serving,
  search: AgentSearch,
): Promise<void> {
  const narrowing = readNarrowing(exchange);
  const { agents } = generation;
  const send = (body: JsonObject): void => sendTagged(exchange, body, { 'cache-control': 'private, no-cache', vary: BY_CALLER });
  if (narrowing !== undefined) return send(await found(exchange, narrowing, generation, serving, search));
  send({ agents: [...agents.values()].flatMap((agent) => catalogueEntry(agent, exchange, serving) ?? []) });
}

async function found(
  exchange: Exchange,
  { query, top = TOP }: Narrowing,
  { agents, chain }: AgentsGeneration,
  serving: Serving,
  search: AgentSearch,
): Promise<JsonObject> {
  const { consumer, req, res } = exchange;
  const call = new LiveCall<'agents'>({
    id: exchange.id,
    lane: 'agents',
    operation: 'agents/search',
    route: '',
    consumer,
    request: new HttpCallRequest(req, 0),
    log: serving.log,
    ledger: serving.ledger,
    codec: searchSegments,
    input: { agent: '', params: { query, top } },
  });
  res.on('close', () => {
    if (!res.writableFinished) call.abort(new GatewayError('client_closed'));
  });
  const handled = await run(call, chain, agentReplies, async () => {
    // A policy may have changed the query.
    const { agents: hits, degraded } = await search.search(agents, consumer, String(call.input.params['query']), top, call.signal);
    call.note('searched', `${hits.length} of ${agents.size} agents`);
    const items = hits.flatMap(({ name, score, words }) => {
      const entry = catalogueEntry(agents.get(name)!, exchange, serving);
      return entry === undefined ? [] : [{ ...entry, score, words }];
    });
    return { reply: { result: { agents: items, degraded } } };
  });
  // Nothing here streams.
  if ('stream' in handled) throw new GatewayError('internal');
  return handled.reply.result;
}

function catalogueEntry(agent: Agent, exchange: Exchange, serving: Serving): JsonObject | undefined {
  const own = isVisible(agent, exchange.consumer) ? cardOf(agent) : undefined;
  if (own === undefined) return undefined;
  const base = publicBase(exchange.req, serving.publicUrl());
  const url = `${base}/a2a/${agent.name}`;
  return {
    name: agent.name,
    url,
    cardUrl: `${url}/.well-known/agent-card.json`,
    card: publicCard(agent, own, exchange.consumer, base, serving),
  };
}
