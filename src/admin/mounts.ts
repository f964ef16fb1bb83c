import { hash, timingSafeEqual } from 'node:crypto';
import type { Consumer } from '../core/consumer.ts';
import { GatewayError } from '../core/errors.ts';
import { sendJson } from '../http/answers.ts';
import { parseJson, readBody } from '../http/body.ts';
import type { Exchange, Mount } from '../http/mount.ts';
import type { AdminApi } from './api.ts';
import { problemBody, Refusal } from './problem.ts';

const OPERATOR: Consumer = Object.freeze({ name: 'admin', groups: Object.freeze([]), anonymous: false });

/**
 * Who holds the admin token, by `Authorization: Bearer TOKEN` and nothing else. Digests are compared, so neither content nor length shows in the time.
 * Undefined too when the header comes twice.
 */
export function createAdminIdentify(token: string): (req: { readonly rawHeaders: readonly string[] }) => Consumer | undefined {
  if (token === '') throw new Error('The admin token must not be empty.');
  const expected = hash('sha256', token, 'buffer');
  return ({ rawHeaders }) => {
    const sent: string[] = [];
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      if (rawHeaders[at]!.toLowerCase() === 'authorization') sent.push(rawHeaders[at + 1]!);
    }
    const given = sent.length === 1 ? /^bearer +(.+)$/i.exec(sent[0]!)?.[1]?.trim() : undefined;
    return given !== undefined && timingSafeEqual(hash('sha256', given, 'buffer'), expected) ? OPERATOR : undefined;
  };
}

/** The admin API on its listener, below `/admin/v1`. */
export function adminMounts(api: AdminApi): Mount[] {
  const handle = async (exchange: Exchange): Promise<void> => {
    try {
      await serve(exchange, api);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code === 'client_closed') throw error;
      sendProblem(exchange, error);
    }
  };
  return [{ path: '/admin/v1{/*path}', methods: ['GET', 'PUT', 'POST', 'DELETE'], handle }];
}

/** What Prometheus asks for. `open` says at each request whether it takes no token. */
export function metricsMount(
  metrics: { text(): Promise<string>; readonly contentType: string },
  { open = () => false }: { readonly open?: () => boolean } = {},
): Mount {
  return {
    path: '/metrics',
    methods: ['GET'],
    get open() {
      return open();
    },
    async handle({ res }) {
      const body = Buffer.from(await metrics.text());
      res.writeHead(200, { 'content-type': metrics.contentType, 'content-length': body.length, 'cache-control': 'no-store' });
      res.end(body);
    },
  };
}

/** Error answers of the admin listener (RFC 9457), those of its edge included. */
export function sendProblem({ res }: Exchange, error: GatewayError): void {
  res.setHeader('cache-control', 'no-store');
  if (error instanceof Refusal) for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value);
  if (error.retryAfterMs !== undefined) res.setHeader('retry-after', Math.ceil(error.retryAfterMs / 1000));
  sendJson(res, error.status, problemBody(error), 'application/problem+json');
}

/** 401 that says where the token is. */
export function askForToken(exchange: Exchange): void {
  exchange.res.setHeader('www-authenticate', 'Bearer realm="hubgate admin"');
  const message =
    'The admin token is needed: "Authorization: Bearer TOKEN". It is HUBGATE_ADMIN_TOKEN, or the file admin-token in the data folder.';
  sendProblem(exchange, new GatewayError('unauthenticated', message));
}

async function serve(exchange: Exchange, api: AdminApi): Promise<void> {
  const { req, res, path, query } = exchange;
  const method = req.method as string;
  const body = method === 'PUT' || method === 'POST' ? await readWrite(exchange, api.bodyLimit(method, path)) : undefined;
  const answer = await api.handle({ method, path, query, headers: req.headers as Record<string, string | undefined>, body });
  const { 'content-type': type = 'application/json', ...headers } = answer.headers ?? {};
  res.setHeader('cache-control', 'no-store');
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (answer.body === undefined) res.writeHead(answer.status).end();
  else sendJson(res, answer.status, answer.body, type);
}

/** The JSON of a write. A form of some web page is refused by its media type; no body needs none. */
async function readWrite({ req }: Exchange, limit: number): Promise<unknown> {
  const type = req.headers['content-type'];
  if (type !== undefined && !/^application\/json\s*(?:;|$)/i.test(type)) throw new GatewayError('unsupported_media_type');
  const bytes = await readBody(req, { limit });
  if (bytes.length === 0) return undefined;
  if (type === undefined) throw new GatewayError('unsupported_media_type');
  return parseJson(bytes);
}
