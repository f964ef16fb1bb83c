import { GatewayError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Exchange } from '../../../http/mount.ts';
import { publicBase } from '../../../http/request-line.ts';
import { isVisible } from '../calls/admit.ts';
import { publicCard } from '../calls/public-card.ts';
import type { Serving } from '../calls/serving.ts';
import { BY_CALLER, sendTagged } from '../cards/send-card.ts';
import { cardOf, type Agent } from '../registry/agent.ts';
import type { AgentSearch } from '../search/agent-search.ts';

/** How many agents `?query=` finds: without `top`, and at most. */
const TOP = { unsaid: 10, most: 100 };

/**
 * The agents that this consumer may call, each with its card; those whose card is not known yet are left out. `?query=TEXT&top=K` narrows it to the best
 * of those that match, best first, each with its score and the words that it has. Throws GatewayError `bad_request`.
 */
export async function sendCatalogue(
  exchange: Exchange,
  agents: ReadonlyMap<string, Agent>,
  serving: Serving,
  search: AgentSearch,
): Promise<void> {
  const wanted = readWanted(exchange.query);
  const entryOf = (name: string): JsonObject[] => {
    const agent = agents.get(name);
    const entry = agent && catalogueEntry(agent, exchange, serving);
    return entry === undefined ? [] : [entry];
  };
  const send = (body: JsonObject): void => sendTagged(exchange, body, { 'cache-control': 'private, no-cache', vary: BY_CALLER });
  if (wanted === undefined) return send({ agents: [...agents.keys()].flatMap(entryOf) });
  const found = await search.search(agents, exchange.consumer, wanted.query, wanted.top);
  const items = found.agents.flatMap(({ name, score, words }) => entryOf(name).map((entry) => ({ ...entry, score, words })));
  send({ agents: items, degraded: found.degraded });
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

/** Undefined where nothing is searched for. */
function readWanted(params: URLSearchParams): { readonly query: string; readonly top: number } | undefined {
  const [query, top] = [params.get('query'), params.get('top')];
  if (query === null && top === null) return undefined;
  if (query === null || query.trim() === '')
    throw new GatewayError('bad_request', 'query is missing. Say in it what the agent is to do: GET /a2a?query=TEXT&top=K.');
  if (top === null) return { query, top: TOP.unsaid };
  if (!/^\d{1,3}$/.test(top) || Number(top) < 1 || Number(top) > TOP.most)
    throw new GatewayError('bad_request', `top is a whole number from 1 to ${TOP.most}; without it ${TOP.unsaid} agents are found.`);
  return { query, top: Number(top) };
}
