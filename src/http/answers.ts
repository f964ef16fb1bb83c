import type { ServerResponse } from 'node:http';
import { ERRORS } from '../core/errors.ts';
import type { GatewayError } from '../core/errors.ts';
import type { Exchange } from './mount.ts';

/** Writes a whole JSON answer in one piece. */
export function sendJson(res: ServerResponse, status: number, value: unknown, contentType = 'application/json'): void {
  const body = Buffer.from(JSON.stringify(value));
  res.writeHead(status, { 'content-type': contentType, 'content-length': body.length });
  res.end(body);
}

/** The error answer of the edge itself, and of doors that have no format of their own. */
export function sendError({ res }: Exchange, error: GatewayError): void {
  if (error.retryAfterMs !== undefined) res.setHeader('retry-after', Math.ceil(error.retryAfterMs / 1000));
  sendJson(res, error.status, { error: { code: error.code, message: error.message } });
}

/** RFC 6750: a request without a credential is asked for one, a wrong credential is called so. */
export function sendUnauthenticated({ req, res }: Exchange): void {
  const { status, message } = ERRORS.unauthenticated;
  const wrong = req.headers.authorization === undefined ? '' : ', error="invalid_token"';
  res.setHeader('www-authenticate', `Bearer realm="hubgate"${wrong}`);
  const problem = { type: 'about:blank', title: 'Unauthorized', status, code: 'unauthenticated', detail: message };
  sendJson(res, status, problem, 'application/problem+json');
}
