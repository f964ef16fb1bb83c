import type { Dispatcher, Pool } from 'undici';
import { GatewayError } from '../core/errors.ts';
import type { Cancellation, UpstreamRequest, UpstreamResponse } from '../core/upstream.ts';
import { failure, silent, timedOut, type Progress } from './failures.ts';

const TIMEOUT_MS = 60_000;
/** Between two pieces of an answer; the whole has its own limit. */
const IDLE_MS = 60_000;
/** RFC 9110, 9.2.2: a second sending cannot do harm. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY']);

/** Errors of sockets that had carried an answer before they died. */
const diedAfterUse = new WeakSet<Error>();

/** To be told of an error of a socket that has carried an answer. */
export function noteDiedAfterUse(error: Error): void {
  diedAfterUse.add(error);
}

/** Connections of one origin, and the way to one that nobody has used. */
export interface Connections {
  readonly pool: Pool;
  /** A pool for one request: the others' connections may be as dead as the one that failed. */
  fresh(request: UpstreamRequest): Pool;
}

/** One request on its way: dispatched, timed, called off, and sent once more when an idle connection had died. What becomes of the answer is for those below. */
export abstract class Sending implements Dispatcher.DispatchHandler {
  protected readonly request: UpstreamRequest;
  protected readonly startedAt = Date.now();
  protected lastPieceAt = 0;
  protected status = 0;
  protected headers: UpstreamResponse['headers'] = {};
  protected controller: Dispatcher.DispatchController | undefined;
  protected timer: NodeJS.Timeout | undefined;
  readonly #fresh: Connections['fresh'];
  readonly #signal: Cancellation | undefined;
  #pool: Pool;
  #sent = false;
  #received = false;
  #again = false;
  #settled = false;
  #hurries = false;

  constructor(connections: Connections, request: UpstreamRequest, signal: Cancellation | undefined) {
    this.#pool = connections.pool;
    this.#fresh = connections.fresh;
    this.request = request;
    this.#signal = signal;
  }

  start(): void {
    if (this.#signal?.aborted) return this.handleEvent();
    this.#signal?.addEventListener('abort', this);
    this.#arm(this.#timeLeft());
    return this.#dispatch();
  }

  /** The signal fired. */
  handleEvent(): void {
    const { reason } = this.#signal as Cancellation;
    this.fail(reason instanceof GatewayError ? reason : new GatewayError('client_closed', undefined, { cause: reason }));
  }

  /** One timer for the head, for silence and for the whole: it looks what is due, and nothing has to set it anew for every piece. */
  static expire(sending: Sending): void {
    const rest = sending.#hurries ? 0 : sending.#timeLeft();
    if (rest > 0) sending.#arm(rest);
    else sending.expired();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settled) return controller.abort(new Error('no longer wanted'));
    this.controller = controller;
    this.#sent = true;
  }

  onResponseStarted(): void {
    this.#received = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: UpstreamResponse['headers']): void {
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    this.lastPieceAt = Date.now();
    this.answered();
  }

  abstract onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void;
  abstract onResponseEnd(): void;

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#settled || this.brokeOff()) return;
    if (!this.#again && !this.#received && IDEMPOTENT.has(this.request.method) && wasUsed(error)) {
      // The other side had closed an idle connection while the request was on its way.
      this.#again = true;
      this.#sent = false;
      this.#pool = this.#fresh(this.request);
      this.#dispatch();
      void this.#pool.close();
      return;
    }
    this.fail(failure(error, this.progress));
  }

  /** The head of the answer is here. */
  protected abstract answered(): void;
  protected abstract reject(error: GatewayError): void;

  /** The connection broke; true when what has come is the answer. */
  protected brokeOff(): boolean {
    return false;
  }

  protected expired(): void {
    const { idleMs = IDLE_MS, firstByteMs = Infinity } = this.request;
    if (this.status !== 0 && this.totalLeft > 0) this.fail(silent(this.progress, idleMs));
    else this.fail(timedOut(this.progress, this.status === 0 ? Math.min(firstByteMs, this.timeoutMs) : this.timeoutMs));
  }

  /** Sets another time for what is left of the answer. */
  protected hurry(ms: number): void {
    this.#hurries = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(Sending.expire, ms, this);
  }

  /** Nobody waits for the next piece: the reader is behind. */
  protected get isHeld(): boolean {
    return false;
  }

  protected get timeoutMs(): number {
    return this.request.timeoutMs ?? TIMEOUT_MS;
  }

  protected get totalLeft(): number {
    return this.startedAt + this.timeoutMs - Date.now();
  }

  protected get progress(): Progress {
    return { host: this.host, sent: this.#sent, answered: this.status !== 0 };
  }

  protected get host(): string {
    return new URL(this.request.origin).host;
  }

  protected fail(error: GatewayError): void {
    if (!this.settle()) return;
    this.reject(error);
    this.controller?.abort(error);
  }

  /** False when it was settled before. */
  protected settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.timer);
    this.#signal?.removeEventListener('abort', this);
    return true;
  }

  /** Milliseconds until something is due. */
  #timeLeft(): number {
    const { idleMs = IDLE_MS, firstByteMs = Infinity } = this.request;
    if (this.status === 0) return Math.min(this.totalLeft, this.startedAt + firstByteMs - Date.now());
    return Math.min(this.totalLeft, this.isHeld ? idleMs : this.lastPieceAt + idleMs - Date.now());
  }

  /** Never longer than a silence may last, which begins with any piece. */
  #arm(rest: number): void {
    this.timer = setTimeout(Sending.expire, Math.min(rest, this.request.idleMs ?? IDLE_MS), this);
  }

  #dispatch(): void {
    const { method, path, headers, body } = this.request;
    const lines: (string | readonly string[])[] = ['accept-encoding', 'identity'];
    let agent = false;
    for (const name of Object.keys(headers)) {
      if (name === 'accept-encoding') continue;
      if (name === 'user-agent') agent = true;
      lines.push(name, headers[name] as string);
    }
    if (!agent) lines.push('user-agent', 'hubgate');
    const options: Dispatcher.DispatchOptions = {
      method: method as Dispatcher.HttpMethod,
      path,
      headers: lines as string[],
      body: (body as string | Uint8Array | undefined) ?? null,
    };
    this.#pool.dispatch(options, this);
  }
}

/** True when the connection had carried an answer before, so that it was the idle connection that died and not this request's. */
function wasUsed(error: Error & { socket?: { bytesRead?: number } | null }): boolean {
  return diedAfterUse.has(error) || (error.socket?.bytesRead ?? 0) > 0;
}
