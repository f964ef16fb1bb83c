import { isIP } from 'node:net';
import { buildConnector, Pool } from 'undici';
import { GatewayError } from '../core/errors.ts';
import type { Cancellation, UpstreamRequest, UpstreamResponse, UpstreamStream } from '../core/upstream.ts';
import { fetchDocument } from './document.ts';
import type { FetchDocumentOptions, FetchedDocument } from './document.ts';
import type { Egress, Trust } from './egress.ts';
import { noteDiedAfterUse, type Connections } from './sending.ts';
import { StreamedAnswer } from './streamed-answer.ts';
import { WholeAnswer } from './whole-answer.ts';

/** A service that answers inside the process, under an origin such as `demo:petstore`. */
export type InProcessService = (request: UpstreamRequest) => Promise<UpstreamResponse | UpstreamStream>;

export interface HttpOptions {
  /** Asked at each request; a change of the rules is a new object. */
  readonly egress: () => Egress;
  readonly services?: ReadonlyMap<string, InProcessService>;
  /** Connections to one origin; a streamed answer holds one to its end. Default 8,192. */
  readonly maxSockets?: number;
}

/** All that leaves the machine by HTTP. Every error is a GatewayError whose message names the host and nothing else of the address. */
export interface UpstreamHttp {
  /** Sends once and gives the whole answer; a redirect is an answer. Defaults: 60 s, 32 MB. */
  send(request: UpstreamRequest, options?: { readonly signal?: Cancellation }): Promise<UpstreamResponse>;
  /** Sends once and gives the answer as it comes. Defaults: 60 s in all. */
  open(request: UpstreamRequest, options?: { readonly signal?: Cancellation }): Promise<UpstreamStream>;
  fetchDocument(url: string, options: FetchDocumentOptions): Promise<FetchedDocument>;
  /** Cuts what is still open. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 4_000;
const MAX_POOLS = 512;
export function createHttp(options: HttpOptions): UpstreamHttp {
  const { services, egress, maxSockets = 8_192 } = options;
  const pools: Record<Trust, Map<string, Pool>> = { operator: new Map(), public: new Map() };
  let rules = egress();

  function poolOf({ origin, trust, connectMs }: UpstreamRequest): Pool {
    const current = egress();
    if (current !== rules) {
      for (const list of Object.values(pools)) retire(list, 0);
      rules = current;
    }
    const place = connectMs === undefined ? origin : `${origin} ${connectMs}`;
    const pool = pools[trust].get(place);
    if (pool !== undefined) return pool;
    retire(pools[trust], MAX_POOLS - 1);
    const made = openPool(origin, trust, current, { connections: maxSockets, connectMs });
    pools[trust].set(place, made);
    return made;
  }

  function connectionsTo(request: UpstreamRequest): Connections {
    return { pool: poolOf(request), fresh };
  }

  function fresh({ origin, trust, connectMs }: UpstreamRequest): Pool {
    return openPool(origin, trust, rules, { connections: 1, connectMs });
  }

  function send(request: UpstreamRequest, { signal }: { readonly signal?: Cancellation } = {}): Promise<UpstreamResponse> {
    const service = services?.get(request.origin);
    if (service !== undefined) return service(request).then(collected);
    if (request.body instanceof FormData) return serialise(request, request.body).then((whole) => send(whole, signal && { signal }));
    return new Promise<UpstreamResponse>((resolve, reject) => {
      new WholeAnswer(connectionsTo(request), request, signal, resolve, reject).start();
    });
  }

  function open(request: UpstreamRequest, { signal }: { readonly signal?: Cancellation } = {}): Promise<UpstreamStream> {
    const service = services?.get(request.origin);
    if (service !== undefined) return service(request).then(inPieces);
    return new Promise<UpstreamStream>((resolve, reject) => {
      new StreamedAnswer(connectionsTo(request), request, signal, resolve, reject).start();
    });
  }

  return {
    send,
    open,
    fetchDocument: (url, fetchOptions) => fetchDocument(send, url, fetchOptions),
    async close() {
      const open = [...pools.operator.values(), ...pools.public.values()];
      pools.operator.clear();
      pools.public.clear();
      await Promise.all(open.map((pool) => pool.destroy()));
    },
  };
}

/** Lets the oldest pools finish what they have and close, until `keep` are left. */
function retire(pools: Map<string, Pool>, keep: number): void {
  for (const [origin, pool] of pools) {
    if (pools.size <= keep) return;
    pools.delete(origin);
    void pool.close();
  }
}

interface PoolSize {
  readonly connections: number;
  readonly connectMs: number | undefined;
}

function openPool(origin: string, trust: Trust, egress: Egress, { connections, connectMs = CONNECT_TIMEOUT_MS }: PoolSize): Pool {
  const url = URL.parse(origin);
  const wellFormed =
    url !== null && /^https?:$/.test(url.protocol) && `${url.username}${url.password}${url.search}` === '' && url.pathname === '/';
  if (!wellFormed)
    throw new GatewayError(
      'egress_refused',
      `The hub calls http(s)://host[:port] only, and no service inside it has the name that was asked for.`,
    );
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const connect = buildConnector({ timeout: connectMs, allowH2: false, lookup: egress.lookup(port, trust) });
  return new Pool(url, {
    connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect(target, callback) {
      try {
        // A literal address is connected to without a lookup.
        if (isIP(target.hostname)) egress.checkAddress(target.hostname, port, trust);
      } catch (refused) {
        callback(refused as Error, null);
        return;
      }
      connect(target, (error, socket) => {
        if (error !== null) return callback(error, null);
        const before = socket.bytesRead;
        socket.on('error', (died: Error) => {
          if (socket.bytesRead > before) noteDiedAfterUse(died);
        });
        return callback(null, socket);
      });
    },
  });
}

async function serialise(request: UpstreamRequest, form: FormData): Promise<UpstreamRequest> {
  const whole = new Response(form);
  const contentType = whole.headers.get('content-type') ?? 'multipart/form-data';
  return { ...request, headers: { ...request.headers, 'content-type': contentType }, body: await whole.bytes() };
}

async function collected(answer: UpstreamResponse | UpstreamStream): Promise<UpstreamResponse> {
  if (Buffer.isBuffer(answer.body)) return answer as UpstreamResponse;
  const chunks: Buffer[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return { status: answer.status, headers: answer.headers, body: Buffer.concat(chunks) };
}

function inPieces(answer: UpstreamResponse | UpstreamStream): UpstreamStream {
  const { body } = answer;
  return Buffer.isBuffer(body) ? { ...answer, body: once(body) } : (answer as UpstreamStream);
}

async function* once(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}
