import { isIP } from 'node:net';
import { buildConnector, Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { GatewayError } from '../core/errors.ts';
import type { Cancellation, Taking, UpstreamRequest, UpstreamResponse } from '../core/upstream.ts';
import { decodeBody } from './content-encoding.ts';
import { fetchDocument } from './document.ts';
import type { FetchDocumentOptions, FetchedDocument } from './document.ts';
import type { Egress, Trust } from './egress.ts';
import { failure, timedOut, tooLarge } from './failures.ts';
import type { Progress } from './failures.ts';

/** A service that answers inside the process, under an origin such as `demo:petstore`. */
export type InProcessService = (request: UpstreamRequest) => Promise<UpstreamResponse>;

export interface HttpOptions {
  /** Asked at each request; a change of the rules is a new object. */
  readonly egress: () => Egress;
  readonly services?: ReadonlyMap<string, InProcessService>;
  /** Connections to one origin. Default 256. */
  readonly maxSockets?: number;
}

/** All that leaves the machine by HTTP. Every error is a GatewayError whose message names the host and nothing else of the address. */
export interface UpstreamHttp {
  /** Sends once and gives the whole answer; a redirect is an answer. Defaults: 60 s, 32 MB. */
  send(request: UpstreamRequest, options?: { readonly signal?: Cancellation }): Promise<UpstreamResponse>;
  fetchDocument(url: string, options: FetchDocumentOptions): Promise<FetchedDocument>;
  /** Cuts what is still open. */
  close(): Promise<void>;
}

const MAX_BYTES = 32_000_000;
const TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Between two pieces of an answer; the whole has its own limit. */
const IDLE_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 4_000;
const MAX_POOLS = 512;
/** RFC 9110, 9.2.2: a second sending cannot do harm. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY']);

/** Errors of sockets that had carried an answer before they died. */
const diedAfterUse = new WeakSet<Error>();

export function createHttp(options: HttpOptions): UpstreamHttp {
  const { services, egress, maxSockets = 256 } = options;
  const pools: Record<Trust, Map<string, Pool>> = { operator: new Map(), public: new Map() };
  let rules = egress();

  function poolOf(origin: string, trust: Trust): Pool {
    const current = egress();
    if (current !== rules) {
      for (const list of Object.values(pools)) retire(list, 0);
      rules = current;
    }
    const pool = pools[trust].get(origin);
    if (pool !== undefined) return pool;
    retire(pools[trust], MAX_POOLS - 1);
    const made = openPool(origin, trust, current, maxSockets);
    pools[trust].set(origin, made);
    return made;
  }

  /** A pool for one request: the others' connections may be as dead as the one that failed. */
  function freshPool({ origin, trust }: UpstreamRequest): Pool {
    return openPool(origin, trust, rules, 1);
  }

  function send(request: UpstreamRequest, { signal }: { readonly signal?: Cancellation } = {}): Promise<UpstreamResponse> {
    const service = services?.get(request.origin);
    if (service !== undefined) return service(request);
    if (request.body instanceof FormData) return serialise(request, request.body).then((whole) => send(whole, signal && { signal }));
    return new Promise<UpstreamResponse>((resolve, reject) => {
      new Sending(poolOf(request.origin, request.trust), freshPool, request, signal, resolve, reject).start();
    });
  }

  return {
    send,
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

function openPool(origin: string, trust: Trust, egress: Egress, connections: number): Pool {
  const url = URL.parse(origin);
  const wellFormed =
    url !== null && /^https?:$/.test(url.protocol) && `${url.username}${url.password}${url.search}` === '' && url.pathname === '/';
  if (!wellFormed)
    throw new GatewayError(
      'egress_refused',
      `The hub calls http(s)://host[:port] only, and no service inside it has the name that was asked for.`,
    );
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, allowH2: false, lookup: egress.lookup(port, trust) });
  return new Pool(url, {
    connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: IDLE_TIMEOUT_MS,
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
          if (socket.bytesRead > before) diedAfterUse.add(died);
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

/** One request on its way. Costs one object and one timer; settles exactly once. */
class Sending implements Dispatcher.DispatchHandler {
  readonly #freshPool: (request: UpstreamRequest) => Pool;
  readonly #request: UpstreamRequest;
  readonly #signal: Cancellation | undefined;
  readonly #resolve: (response: UpstreamResponse | Promise<UpstreamResponse>) => void;
  readonly #reject: (error: GatewayError) => void;
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #pool: Pool;
  #controller: Dispatcher.DispatchController | undefined;
  /** Set for an answer that may never end, once its head is here. */
  #taking: Taking | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #startedAt = Date.now();
  #status = 0;
  #headers: UpstreamResponse['headers'] = {};
  #size = 0;
  #sent = false;
  #received = false;
  #again = false;
  #settled = false;

  constructor(
    pool: Pool,
    freshPool: (request: UpstreamRequest) => Pool,
    request: UpstreamRequest,
    signal: Cancellation | undefined,
    resolve: (response: UpstreamResponse | Promise<UpstreamResponse>) => void,
    reject: (error: GatewayError) => void,
  ) {
    this.#pool = pool;
    this.#freshPool = freshPool;
    this.#request = request;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#maxBytes = request.maxBytes ?? MAX_BYTES;
  }

  start(): void {
    if (this.#signal?.aborted) return this.handleEvent();
    this.#signal?.addEventListener('abort', this);
    this.#timer = setTimeout(Sending.expire, this.#request.timeoutMs ?? TIMEOUT_MS, this);
    return this.#dispatch();
  }

  /** The signal fired. */
  handleEvent(): void {
    const { reason } = this.#signal as Cancellation;
    this.#fail(reason instanceof GatewayError ? reason : new GatewayError('client_closed', undefined, { cause: reason }));
  }

  static expire(sending: Sending): void {
    if (sending.#taking !== undefined) return sending.#cutOff('time');
    sending.#fail(timedOut(sending.#progress(), sending.#request.timeoutMs ?? TIMEOUT_MS));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settled) return controller.abort(new Error('no longer wanted'));
    this.#controller = controller;
    this.#sent = true;
  }

  onResponseStarted(): void {
    this.#received = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: UpstreamResponse['headers']): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    if (this.#request.taking !== undefined && status < 300) this.#take(this.#request.taking(headers));
    if (this.#request.method !== 'HEAD' && Number(headers['content-length'] ?? 0) > this.#maxBytes)
      this.#fail(tooLarge(this.#host(), this.#maxBytes));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes)
      return this.#taking === undefined ? this.#fail(tooLarge(this.#host(), this.#maxBytes)) : this.#cutOff('full');
    this.#chunks.push(chunk);
    if (this.#taking?.isFull(chunk) === true) this.#cutOff('full');
  }

  onResponseEnd(): void {
    if (!this.#settle()) return;
    const response = { status: this.#status, headers: this.#headers, body: this.#body() };
    const { body } = response;
    const encoding = this.#headers['content-encoding'];
    const plain = encoding === undefined || encoding === 'identity' || body.length === 0;
    this.#resolve(plain ? response : decodeBody(response, String(encoding), this.#maxBytes, this.#host()));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#settled) return;
    if (this.#taking !== undefined && this.#size > 0) return this.#cutOff('broken');
    if (!this.#again && !this.#received && IDEMPOTENT.has(this.#request.method) && wasUsed(error)) {
      // The other side had closed an idle connection while the request was on its way.
      this.#again = true;
      this.#sent = false;
      this.#pool = this.#freshPool(this.#request);
      this.#dispatch();
      void this.#pool.close();
      return;
    }
    this.#fail(failure(error, this.#progress()));
  }

  #dispatch(): void {
    const { method, path, headers, body } = this.#request;
    const lines: (string | readonly string[])[] = ['accept-encoding', 'identity'];
    let agent = false;
    for (const name of Object.keys(headers)) {
      if (name === 'accept-encoding') continue;
      if (name === 'user-agent') agent = true;
      lines.push(name, headers[name] as string);
    }
    if (!agent) lines.push('user-agent', 'hubgate');
    this.#pool.dispatch({ method, path, headers: lines as string[], body: (body as string | Uint8Array | undefined) ?? null }, this);
  }

  /** What is compressed cannot be read before its end. */
  #take(taking: Taking | undefined): void {
    if (taking === undefined || (this.#headers['content-encoding'] ?? 'identity') !== 'identity') return;
    this.#taking = taking;
    const left = this.#startedAt + (this.#request.timeoutMs ?? TIMEOUT_MS) - Date.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(Sending.expire, Math.max(0, Math.min(taking.ms, left)), this);
  }

  /** Gives what has come of an answer that goes on, and lets go of the connection. */
  #cutOff(partial: NonNullable<UpstreamResponse['partial']>): void {
    if (!this.#settle()) return;
    this.#resolve({ status: this.#status, headers: this.#headers, body: this.#body(), partial });
    this.#controller?.abort(new Error('enough of the answer has come'));
  }

  #body(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks, this.#size);
  }

  #progress(): Progress {
    return { host: this.#host(), sent: this.#sent, answered: this.#status !== 0 };
  }

  #host(): string {
    return new URL(this.#request.origin).host;
  }

  #fail(error: GatewayError): void {
    if (!this.#settle()) return;
    this.#reject(error);
    this.#controller?.abort(error);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this);
    return true;
  }
}

/** True when the connection had carried an answer before, so that it was the idle connection that died and not this request's. */
function wasUsed(error: Error & { socket?: { bytesRead?: number } | null }): boolean {
  return diedAfterUse.has(error) || (error.socket?.bytesRead ?? 0) > 0;
}
