import { GatewayError } from '../../../core/errors.ts';
import { parseJson, readBody } from '../../../http/body.ts';
import { HttpCallRequest } from '../../../http/http-call-request.ts';
import type { Exchange, Mount } from '../../../http/mount.ts';
import { publicBase } from '../../../http/request-line.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import { run } from '../../../pipeline/run.ts';
import { isVisible, unknownAgent } from '../calls/admit.ts';
import { arrivalOf, type Arrival } from '../calls/arrival.ts';
import { carryOut } from '../calls/carry-out.ts';
import { firstCard, type Agent } from '../registry/agent.ts';
import type { AgentSearch } from '../search/agent-search.ts';
import { agentReplies } from '../segments.ts';
import { agentError, agentErrorFrom } from '../wires/agent-errors.ts';
import { requestedVersion } from '../wires/negotiate.ts';
import type { VersionName, WireCall, WireRequest } from '../wires/wire.ts';
import { wireOf } from '../wires/wires.ts';
import { cardMounts } from './card-mounts.ts';
import { deliver, sendAnswer } from './deliver.ts';
import { receivePush } from './receive-push.ts';
import type { EnterGeneration, Serving } from '../calls/serving.ts';

/** Bytes of a request: files travel in it. */
const LARGEST_BODY = 32_000_000;
const NO_QUERY = new URLSearchParams();

/** All paths of the lane. */
export function endpoints(enter: EnterGeneration, serving: Serving, search: AgentSearch): Mount[] {
  const handle = (exchange: Exchange, params: Readonly<Record<string, string>>): Promise<void> => serve(exchange, params, enter, serving);
  return [
    ...cardMounts(enter, serving, search),
    // The token in the address is the credential: the agent has no other.
    {
      path: '/a2a/:agent/push/:token',
      methods: ['POST'],
      open: true,
      handle: (exchange, params) => receivePush(exchange, params, serving),
    },
    // All methods come in: who may not know of the agent must not learn by the answer to a wrong one that it is there.
    { path: '/a2a/:agent', methods: ['POST', 'GET', 'PUT', 'PATCH', 'DELETE'], handle },
    { path: '/a2a/:agent/*path', methods: ['GET', 'POST', 'DELETE'], handle },
  ];
}

async function serve(
  exchange: Exchange,
  { agent: name = '', path }: Readonly<Record<string, string>>,
  enter: EnterGeneration,
  serving: Serving,
): Promise<void> {
  const { agents, leave } = enter();
  try {
    const agent = agents.agents.get(name);
    // Access rules may ask what only the card says of a skill.
    if (agent !== undefined && !agent.access.isOpen) await firstCard(agent);
    if (agent === undefined || !isVisible(agent, exchange.consumer)) throw unknownAgent();
    if (path === undefined && exchange.req.method !== 'POST') {
      exchange.res.setHeader('allow', 'POST');
      throw new GatewayError(
        'method_not_allowed',
        'This address takes POST. The card of the agent is at /.well-known/agent-card.json below it.',
      );
    }
    await serveAgent(exchange, agent, serving);
  } finally {
    leave();
  }
}

async function serveAgent(exchange: Exchange, agent: Agent, serving: Serving): Promise<void> {
  const path = exchange.path.slice(`/a2a/${agent.name}`.length).replace(/\/$/, '');
  // The form of the address says which binding it is, and of HTTP+JSON which version.
  let wire = wireOf(/^\/v1(?:\/|$)/.test(path) ? '0.3' : '1.0', path === '' ? 'JSONRPC' : 'HTTP+JSON');
  const version = versionOf(exchange);
  let id: WireCall['id'] = null;
  let arrival: Arrival;
  try {
    if (path === '' && typeof version === 'string') wire = wireOf(version, 'JSONRPC');
    const { request, size } = await readRequest(exchange, path);
    id = wire.readId(request.body);
    // Not before: the answer to JSON-RPC has the id of the request.
    if (typeof version !== 'string') throw version;
    const understood = wire.readRequest(request);
    arrival = arrivalOf(agent, understood, serving, {
      id: exchange.id,
      consumer: exchange.consumer,
      request: new HttpCallRequest(exchange.req, size),
      wire,
      extensions: extensionsOf(exchange.req.headers),
      base: publicBase(exchange.req, serving.publicUrl()),
    });
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    if (error.code === 'internal' || error.code === 'client_closed') throw thrown;
    return sendAnswer(exchange, wire.writeError(agentErrorFrom(thrown), id));
  }
  const { call } = arrival;
  exchange.res.on('close', () => {
    if (!exchange.res.writableFinished) left(call);
  });
  await deliver(
    exchange,
    arrival,
    run(call, agent.chain, agentReplies, () => carryOut(arrival)),
  );
}

/** The version that the caller speaks, or what is wrong with it. */
function versionOf(exchange: Exchange): VersionName | Error {
  try {
    return requestedVersion(exchange.req.headers, queryOf(exchange));
  } catch (error) {
    return error as Error;
  }
}

/**
 * A caller who leaves ends what the hub does for it, and never the task. A message goes on until it is known which task it began: nobody could find
 * that task again.
 */
function left(call: LiveCall<'agents'>): void {
  if (call.operation === 'message/send' || (call.operation === 'message/stream' && call.firstByteAt === undefined)) return;
  call.abort(new GatewayError('client_closed'));
}

/** Reading one is work, and nearly nobody has one. */
function queryOf(exchange: Exchange): URLSearchParams {
  return exchange.req.url?.includes('?') === true ? exchange.query : NO_QUERY;
}

async function readRequest(exchange: Exchange, path: string): Promise<{ request: WireRequest; size: number }> {
  const { req } = exchange;
  const query = queryOf(exchange);
  const method = req.method ?? '';
  if (method === 'GET' || method === 'DELETE') return { request: { method, path, query, body: undefined }, size: 0 };
  const { 'content-encoding': encoding = 'identity' } = req.headers;
  const bytes = await readBody(req, { limit: LARGEST_BODY });
  if (bytes.length === 0 && path !== '') return { request: { method, path, query, body: undefined }, size: 0 };
  if (!/^application\/(?:a2a\+)?json\s*(?:;|$)/i.test(req.headers['content-type'] ?? ''))
    throw agentError('ContentTypeNotSupported', 'Send the request as application/json, or as application/a2a+json.');
  if (encoding !== 'identity') throw agentError('ContentTypeNotSupported', 'Send the body as it is, without a content-encoding.');
  let body: unknown;
  try {
    body = parseJson(bytes);
  } catch (error) {
    throw agentError('ParseError', GatewayError.from(error).message);
  }
  return { request: { method, path, query, body }, size: bytes.length };
}

/** `X-A2A-Extensions` is the name of 0.3. */
function extensionsOf(headers: Exchange['req']['headers']): string[] {
  const lines = [headers['a2a-extensions'], headers['x-a2a-extensions']].flat();
  return lines.flatMap((line) => (line ?? '').split(',').map((uri) => uri.trim())).filter((uri) => uri !== '');
}
