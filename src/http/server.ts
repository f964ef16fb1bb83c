import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Consumer } from '../core/consumer.ts';
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { sendError, sendUnauthenticated } from './answers.ts';
import { allowCrossOrigin } from './edge/cors.ts';
import { Gate } from './edge-rules.ts';
import type { EdgeRules } from './edge-rules.ts';
import { EdgeResponse } from './edge/edge-response.ts';
import { EdgeExchange } from './exchange.ts';
import type { Exchange, Mount } from './mount.ts';
import { checkRequest } from './request-line.ts';
import { createRoutes } from './routes.ts';

export interface EdgeOptions {
  /** Asked at each request. A change of the rules is a new object, so that a decision can be kept with the object it was made on. */
  readonly rules: () => EdgeRules;
  /** Undefined: there is no valid credential on the request. */
  identify(req: IncomingMessage): Consumer | undefined;
  readonly mounts: readonly Mount[];
  readonly log: Logger;
  /** False on the admin listener: no page of another origin may read its answers. */
  readonly cors?: boolean;
  /** Writes the 401. Default: problem JSON with `WWW-Authenticate: Bearer`. */
  unauthenticated?(exchange: Exchange): void;
  /** Writes every other error of the edge and of its mounts. Default: `{error: {code, message}}`. */
  writeError?(exchange: Exchange, error: GatewayError): void;
  /** Default: a random UUID. */
  requestId?(): string;
}

interface Address {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The option of `hubgate serve` that sets the port, for the message when it is taken; the host's has the same prefix. */
  readonly option?: 'port' | 'admin-port';
}

export interface Edge {
  /** Rejects with a GatewayError when the address cannot be had. */
  listen(address: Address): Promise<{ readonly url: string; readonly port: number }>;
  /** Takes no new connection, lets requests in flight end for `graceMs`, then cuts them. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** Limits of one connection. The body has the time between the two timeouts. */
const SERVER = {
  headersTimeout: 10_000,
  requestTimeout: 40_000,
  connectionsCheckingInterval: 2_500,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16_384,
};
const MAX_CONNECTIONS = 10_000;

/**
 * Everything that comes in by HTTP. The order is fixed: framing, Host and Origin, preflight, open paths, credential, route, method; a mount
 * checks the rest.
 */
export function createEdge(options: EdgeOptions): Edge {
  const { rules, log, cors = true, unauthenticated = sendUnauthenticated, writeError = sendError, requestId = randomUUID } = options;
  const gate = new Gate();
  const route = createRoutes(options.mounts, { identify: options.identify, unauthenticated, fail });
  let closing = false;

  function take(req: IncomingMessage, res: EdgeResponse): void {
    const exchange = new EdgeExchange(req, res, requestId());
    res.requestId = exchange.id;
    if (closing) res.setHeader('connection', 'close');
    try {
      checkRequest(req);
      gate.check(req, rules());
      if (cors && allowCrossOrigin(req, res)) return;
      route(exchange);
    } catch (thrown) {
      fail(exchange, thrown);
    }
  }

  function fail(exchange: Exchange, thrown: unknown): void {
    const error = GatewayError.from(thrown);
    const { res, id } = exchange;
    // A request line that names another version is the client's fault, whatever its status.
    if (error.status >= 500 && error.code !== 'http_version')
      log.error({ requestId: id, code: error.code, detail: error.detail }, error.message);
    if (!res.headersSent && error.code !== 'client_closed') writeError(exchange, error);
    else if (!res.writableEnded) res.destroy();
  }

  const server = createServer({ ...SERVER, ServerResponse: EdgeResponse }, take);
  // A limit here would cut the headers off silently; they are counted instead.
  server.maxHeadersCount = 0;
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', refuse);
  /** Node counts a connection as idle after its first request only. */
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });

  return {
    async listen(address) {
      const { host } = address;
      gate.bound = host;
      await bind(server, address);
      const { port: bound } = server.address() as AddressInfo;
      return { url: `http://${reachable(host)}:${bound}`, port: bound };
    },
    async close({ graceMs }) {
      closing = true;
      await drain(server, connections, graceMs);
    },
  };
}

function bind(server: Server, { host, port, option = 'port' }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (cause: NodeJS.ErrnoException): void => {
      const reason = cause.code === 'EADDRINUSE' ? 'something else listens there' : (cause.code ?? cause.message);
      reject(
        new GatewayError(
          'unavailable',
          `Cannot listen on ${host}:${port}: ${reason}. Choose another with --${option}, or another host with --${option.replace('port', 'host')}.`,
          { cause },
        ),
      );
    };
    server.once('error', refused);
    server.listen(port, host, () => {
      server.off('error', refused);
      resolve();
    });
  });
}

/** An address that a client on this machine can call. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

async function drain(server: Server, connections: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  if (!server.listening) return;
  // A kept-alive connection becomes idle when its answer ends, which may be later than this call.
  const sweep = setInterval(() => {
    server.closeIdleConnections();
    // Browsers and undici open connections before they have something to ask.
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
  }, 50);
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  clearInterval(sweep);
  clearTimeout(cut);
}

const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What is not HTTP is answered and cut: a socket that is only ended stays open as long as its peer likes. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex & { destroySoon?(): void; _httpMessage?: ServerResponse | null }): void {
  if (socket.writable && !socket._httpMessage?.headersSent) {
    const code = error.code ?? '';
    const status = Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : '400 Bad Request';
    socket.write(`HTTP/1.1 ${status}\r\nx-request-id: ${randomUUID()}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    socket.destroySoon?.();
  } else socket.destroy(error);
}
