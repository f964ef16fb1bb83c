import { GatewayError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import { sendJson } from '../../../http/answers.ts';
import type { Exchange, Mount } from '../../../http/mount.ts';
import { publicBase } from '../../../http/request-line.ts';
import { isVisible, unknownAgent } from '../calls/admit.ts';
import { cardToV03, hybridCard } from '../cards/card-versions.ts';
import { sendCard } from '../cards/send-card.ts';
import { firstCard, type Agent } from '../registry/agent.ts';
import type { AgentsGeneration } from '../registry/build.ts';
import type { AgentSearch } from '../search/agent-search.ts';
import { agentErrorFrom } from '../wires/agent-errors.ts';
import { requestedVersion } from '../wires/negotiate.ts';
import { wireOf } from '../wires/wires.ts';
import { sendCatalogue } from './catalogue.ts';
import { sendAnswer } from './deliver.ts';
import { JWKS_PATH, publicCard } from '../calls/public-card.ts';
import type { EnterGeneration, Serving } from '../calls/serving.ts';

/** Seconds: a changed card, or a changed right, is seen after that at the latest. */
const MAX_AGE_S = 60;

/** Where agents are found: their cards, the catalogue in two forms, and the keys that the cards are signed with. */
export function cardMounts(enter: EnterGeneration, serving: Serving, search: AgentSearch): Mount[] {
  const withAgents = async (work: (generation: AgentsGeneration) => void | Promise<void>): Promise<void> => {
    const { agents, leave } = enter();
    try {
      await work(agents);
    } finally {
      leave();
    }
  };
  const isPublic = ({ agent = '' }: Readonly<Record<string, string>>): boolean => {
    const { agents, leave } = enter();
    leave();
    return agents.agents.get(agent)?.config.publicCard === true;
  };
  const methods = ['GET', 'HEAD'];
  const card = (path: string): Mount => ({
    path: `/a2a/:agent${path}`,
    methods,
    open: isPublic,
    handle: (exchange, { agent = '' }) => withAgents(({ agents }) => answerCard(exchange, agents.get(agent), serving)),
  });
  return [
    {
      path: '/a2a',
      methods: ['GET'],
      handle: (exchange) => withAgents((generation) => sendCatalogue(exchange, generation, serving, search)),
    },
    { path: '/.well-known/api-catalog', methods, handle: (exchange) => withAgents(({ agents }) => apiCatalog(exchange, agents, serving)) },
    {
      path: JWKS_PATH,
      methods,
      open: true,
      handle: (exchange) => sendCard(exchange, serving.signer.jwks, { maxAgeS: MAX_AGE_S, isPrivate: false }),
    },
    card('/.well-known/agent-card.json'),
    // Where version 0.2 had it; clients of 0.3 still look there.
    card('/.well-known/agent.json'),
  ];
}

async function answerCard(exchange: Exchange, agent: Agent | undefined, serving: Serving): Promise<void> {
  const { consumer } = exchange;
  if (agent === undefined || !(isVisible(agent, consumer) || agent.config.publicCard === true)) throw unknownAgent();
  const own = await firstCard(agent);
  if (own === undefined) throw new GatewayError('unavailable', 'The card of this agent could not be fetched yet. Try again shortly.');
  const card = publicCard(agent, own, consumer, publicBase(exchange.req, serving.publicUrl()), serving);
  let body: JsonObject;
  try {
    // Without a version it is 0.3 by the specification; that card has what a reader of 1.0 looks for too.
    const { headers } = exchange.req;
    const isAsked = headers['a2a-version'] !== undefined || exchange.query.has('A2A-Version');
    const version = requestedVersion(headers, exchange.query);
    body = version === '1.0' ? card : isAsked ? cardToV03(card) : hybridCard(card);
  } catch (error) {
    return sendAnswer(exchange, wireOf('1.0', 'HTTP+JSON').writeError(agentErrorFrom(error), null));
  }
  sendCard(exchange, body, { maxAgeS: MAX_AGE_S, isPrivate: agent.config.publicCard !== true || !consumer.anonymous });
}

/** RFC 9727: a link set (RFC 9264) with one entry for each agent. */
function apiCatalog(exchange: Exchange, agents: ReadonlyMap<string, Agent>, serving: Serving): void {
  const base = publicBase(exchange.req, serving.publicUrl());
  const linkset = [...agents.values()]
    .filter((agent) => isVisible(agent, exchange.consumer))
    .map(({ name }) => ({
      anchor: `${base}/a2a/${name}`,
      'service-desc': [{ href: `${base}/a2a/${name}/.well-known/agent-card.json`, type: 'application/json' }],
    }));
  exchange.res.setHeader('cache-control', 'private, no-cache');
  exchange.res.setHeader('link', `<${base}/.well-known/api-catalog>; rel="api-catalog"`);
  const type = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"';
  if (exchange.req.method === 'HEAD') exchange.res.writeHead(200, { 'content-type': type }).end();
  else sendJson(exchange.res, 200, { linkset }, type);
}
