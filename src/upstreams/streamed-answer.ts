import type { Dispatcher } from 'undici';
import { GatewayError } from '../core/errors.ts';
import type { Cancellation, UpstreamRequest, UpstreamStream } from '../core/upstream.ts';
import { Sending, type Connections } from './sending.ts';

/** Bytes that wait for the reader before the sender is held back, and from which it may go on. */
const FULL = 256 * 1024;
const ROOM = 64 * 1024;

/** Milliseconds that an answer has to end when its reader has left. */
const LEAVING_MS = 100;

type Step = IteratorResult<Buffer, undefined>;
const DONE: Step = { done: true, value: undefined };

/** A request whose answer is wanted as it comes. Settles with the head; the body is an iterator over what follows. */
export class StreamedAnswer extends Sending implements AsyncIterableIterator<Buffer, undefined> {
  readonly #resolve: (answer: UpstreamStream) => void;
  readonly #reject: (error: GatewayError) => void;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #paused = false;
  #left = false;
  #reader: { resolve(step: Step): void; reject(error: GatewayError): void } | undefined;
  #ended = false;
  #error: GatewayError | undefined;

  constructor(
    connections: Connections,
    request: UpstreamRequest,
    signal: Cancellation | undefined,
    resolve: (answer: UpstreamStream) => void,
    reject: (error: GatewayError) => void,
  ) {
    super(connections, request, signal);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    const chunk = this.#waiting.shift();
    if (chunk !== undefined) {
      this.#waitingBytes -= chunk.length;
      if (this.#paused && this.#waitingBytes <= ROOM) {
        this.#paused = false;
        this.lastPieceAt = Date.now();
        this.controller?.resume();
      }
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => (this.#reader = { resolve, reject }));
  }

  /** The reader wants no more. What is about to end may end, so that its connection can be used again; what goes on is cut. */
  return(): Promise<Step> {
    this.#waiting.length = 0;
    this.#left = true;
    if (this.#paused) this.controller?.resume();
    if (!this.#ended && this.#error === undefined) this.hurry(LEAVING_MS);
    return Promise.resolve(DONE);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#left) return undefined;
    this.lastPieceAt = Date.now();
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      return reader.resolve({ done: false, value: chunk });
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#paused || this.#waitingBytes < FULL) return undefined;
    this.#paused = true;
    return controller.pause();
  }

  onResponseEnd(): void {
    if (!this.settle()) return;
    this.#ended = true;
    this.#reader?.resolve(DONE);
  }

  protected override get isHeld(): boolean {
    return this.#paused;
  }

  protected answered(): void {
    const encoding = this.headers['content-encoding'];
    if (encoding === undefined || encoding === 'identity') return this.#resolve({ status: this.status, headers: this.headers, body: this });
    // It was asked not to.
    return this.fail(new GatewayError('upstream_failed', `${this.host} compresses its stream, which the hub does not read.`));
  }

  /** Before the head the promise of the answer is rejected, after it the reader; what has come before is still read. */
  protected reject(error: GatewayError): void {
    this.#error = error;
    this.#reader?.reject(error);
    this.#reject(error);
  }
}
