import { GatewayError } from '../../../core/errors.ts';
import { parseJson, readBody } from '../../../http/body.ts';
import type { Exchange, Mount } from '../../../http/mount.ts';
import type { Door } from '../doors/catalog.ts';
import { errorMessage, idOf, readMessage } from '../mcp/message.ts';
import { claims } from '../mcp/rev2026.ts';
import { RPC } from '../wire-errors.ts';
import { sendJson } from './deliver.ts';
import { endSession, openSessionStream, serve2025, serveBatch } from './era2025.ts';
import { serve2026 } from './era2026.ts';
import type { Arrival, Serving } from './serving.ts';

/** Bytes of one message (security.md, limits). */
const LARGEST_BODY = 4 * 1024 * 1024;
const NO_BODY = Buffer.alloc(0);

/** Finds the door of a name in the current generation and keeps that generation alive until `leave`. */
export type EnterDoor = (name: string) => { readonly door: Door | undefined; leave(): void };

/** `/mcp` and `/mcp/{server}`: Streamable HTTP of every revision on one URL. */
export function endpoint(enter: EnterDoor, serving: Serving): Mount[] {
  const methods = ['POST', 'GET', 'DELETE'];
  const handle = (exchange: Exchange, params: Readonly<Record<string, string>>): Promise<void> =>
    serve(exchange, params['server'] ?? '', enter, serving);
  const exists = (params: Readonly<Record<string, string>>): boolean => {
    const { door, leave } = enter(params['server'] ?? '');
    leave();
    return door !== undefined;
  };
  return [
    { path: '/mcp', methods, handle },
    { path: '/mcp/:server', methods, exists, handle },
  ];
}

async function serve(exchange: Exchange, name: string, enter: EnterDoor, serving: Serving): Promise<void> {
  const { req, res } = exchange;
  const { door, leave } = enter(name);
  if (door === undefined) {
    leave();
    return sendJson(res, 404, errorMessage(null, { code: RPC.server, message: `There is no server "${name}" here.` }));
  }
  try {
    if (req.method === 'GET') openStream({ exchange, door, body: NO_BODY }, serving);
    else if (req.method === 'DELETE') await endSession({ exchange, door, body: NO_BODY }, serving);
    else await post(exchange, door, serving);
  } catch (error) {
    if (!(error instanceof GatewayError) || res.headersSent) throw error;
    sendJson(res, error.status, errorMessage(null, { code: RPC.server, message: error.message }));
  } finally {
    leave();
  }
}

function openStream(arrival: Arrival, serving: Serving): void {
  if (arrival.exchange.req.headers.accept?.includes('text/event-stream') !== true)
    throw new GatewayError('not_acceptable', 'A GET here opens an event stream: send "Accept: text/event-stream".');
  openSessionStream(arrival, serving);
}

async function post(exchange: Exchange, door: Door, serving: Serving): Promise<void> {
  const { req, res } = exchange;
  checkAccept(req.headers.accept);
  if (!isJson(req.headers['content-type'])) throw new GatewayError('unsupported_media_type');
  const body = await readBody(req, { limit: LARGEST_BODY });
  let value: unknown;
  try {
    value = parseJson(body);
  } catch (error) {
    return sendJson(res, 400, errorMessage(null, { code: RPC.parse, message: GatewayError.from(error).message }));
  }
  const arrival = { exchange, door, body };
  if (Array.isArray(value)) return serveBatch(arrival, value, serving);
  const message = readMessage(value);
  if (message === undefined)
    return sendJson(res, 400, errorMessage(idOf(value), { code: RPC.invalidRequest, message: 'The body is not a JSON-RPC 2.0 message.' }));
  if (message.kind !== 'response' && claims(req.headers, message)) return serve2026(arrival, message, serving);
  return serve2025(arrival, message, serving);
}

function checkAccept(accept: string | undefined): void {
  if (
    accept === undefined ||
    accept.includes('application/json') ||
    accept.includes('text/event-stream') ||
    accept.includes('*/*') ||
    accept.includes('application/*')
  )
    return;
  throw new GatewayError('not_acceptable', 'Send "Accept: application/json, text/event-stream".');
}

function isJson(type: string | undefined): boolean {
  return type !== undefined && /^application\/json\s*(?:;|$)/i.test(type);
}
