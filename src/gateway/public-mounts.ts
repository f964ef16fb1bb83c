import { GatewayError } from '../core/errors.ts';
import type { Exchange, Mount } from '../http/mount.ts';
import { publicBase } from '../http/request-line.ts';

/** Paths of the public listener that belong to no lane. */
export interface PublicFacts {
  /** True once everything configured has been read, well or badly. */
  isReady(): boolean;
  publicUrl(): string | undefined;
}

const REGISTER = '/register';
const METADATA = '/.well-known/oauth-protected-resource';

export function publicMounts(facts: PublicFacts): Mount[] {
  const metadata = (exchange: Exchange, resource: string): void => {
    // Keys only: no authorization_servers, so that a client asks for a key instead of looking for a login (RFC 9728 section 2).
    json(exchange, 200, {
      resource: `${publicBase(exchange.req, facts.publicUrl())}${resource}`,
      bearer_methods_supported: ['header'],
      resource_name: 'Hubgate',
    });
  };
  return [
    { path: '/healthz', methods: ['GET', 'HEAD'], open: true, handle: (exchange) => json(exchange, 200, { status: 'ok' }) },
    {
      path: '/readyz',
      methods: ['GET', 'HEAD'],
      open: true,
      handle: (exchange) => (facts.isReady() ? json(exchange, 200, { status: 'ready' }) : json(exchange, 503, { status: 'starting' })),
    },
    { path: METADATA, methods: ['GET'], open: true, handle: (exchange) => metadata(exchange, '') },
    {
      path: `${METADATA}{/*rest}`,
      methods: ['GET'],
      open: true,
      handle: (exchange) => metadata(exchange, exchange.path.slice(METADATA.length)),
    },
    {
      path: REGISTER,
      methods: ['POST'],
      open: true,
      handle: (exchange) =>
        json(exchange, 404, {
          error: 'invalid_request',
          error_description: 'This hub registers no clients. Check your API key: send it as "Authorization: Bearer KEY".',
        }),
    },
  ];
}

/** Answers 401 in the shape that the caller reads (`writeOwn` knows those of one lane, and is asked first), for MCP clients with the address of the metadata that says how to authenticate. */
export function unauthenticated(
  facts: Pick<PublicFacts, 'publicUrl'>,
  writeOwn: (exchange: Exchange, error: GatewayError) => boolean,
): (exchange: Exchange) => void {
  return (exchange) => {
    const path = /^\/mcp(?:\/|$)/.test(exchange.path) ? encodeURI(exchange.path) : '';
    exchange.res.setHeader(
      'www-authenticate',
      `Bearer resource_metadata="${publicBase(exchange.req, facts.publicUrl())}${METADATA}${path}"`,
    );
    const message = 'A valid key is needed. Check your API key: send it as "Authorization: Bearer KEY".';
    if (writeOwn(exchange, new GatewayError('unauthenticated', `${message.slice(0, -1)}, or as x-api-key.`))) return;
    json(
      exchange,
      401,
      path === '' ? { error: { code: 'unauthenticated', message } } : { jsonrpc: '2.0', id: null, error: { code: -32000, message } },
    );
  };
}

function json({ req, res }: Exchange, status: number, body: object): void {
  const text = JSON.stringify(body);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  res.end(req.method === 'HEAD' ? undefined : text);
}
