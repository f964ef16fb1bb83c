import type { IncomingMessage, ServerResponse } from 'node:http';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
/** What a page may read besides the body. */
const EXPOSED = 'Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, X-Request-Id, Retry-After';
const HEADER_NAME = /^[a-z0-9-]{1,64}$/;
const MAX_ASKED = 50;

/**
 * Lets a page whose origin has passed the edge read the answer, and answers its preflight: then it returns true. No cookies travel, so any
 * header may be sent: `authorization`, `mcp-session-id`, `mcp-param-*` and whatever a client adds next.
 */
export function allowCrossOrigin(req: IncomingMessage, res: ServerResponse): boolean {
  const { origin } = req.headers;
  if (origin === undefined) return false;
  res.setHeader('access-control-allow-origin', origin);
  res.setHeader('vary', 'Origin');
  if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined) {
    res.setHeader('access-control-expose-headers', EXPOSED);
    return false;
  }
  const asked = String(req.headers['access-control-request-headers'] ?? '')
    .toLowerCase()
    .split(',')
    .slice(0, MAX_ASKED);
  const names = asked.map((name) => name.trim()).filter((name) => HEADER_NAME.test(name));
  if (names.length > 0) res.setHeader('access-control-allow-headers', names.join(', '));
  res.setHeader('access-control-allow-methods', METHODS);
  res.setHeader('access-control-max-age', '7200');
  res.writeHead(204).end();
  return true;
}
