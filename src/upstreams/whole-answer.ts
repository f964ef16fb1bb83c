import type { Dispatcher } from 'undici';
import type { GatewayError } from '../core/errors.ts';
import type { Cancellation, Taking, UpstreamRequest, UpstreamResponse } from '../core/upstream.ts';
import { decodeBody } from './content-encoding.ts';
import { tooLarge } from './failures.ts';
import { Sending, type Connections } from './sending.ts';

const MAX_BYTES = 32_000_000;

/** A request whose answer is wanted whole. Costs one object and one timer; settles exactly once. */
export class WholeAnswer extends Sending {
  readonly #resolve: (response: UpstreamResponse | Promise<UpstreamResponse>) => void;
  readonly #reject: (error: GatewayError) => void;
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  /** Set for an answer that may never end, once its head is here. */
  #taking: Taking | undefined;
  #size = 0;

  constructor(
    connections: Connections,
    request: UpstreamRequest,
    signal: Cancellation | undefined,
    resolve: (response: UpstreamResponse | Promise<UpstreamResponse>) => void,
    reject: (error: GatewayError) => void,
  ) {
    super(connections, request, signal);
    this.#resolve = resolve;
    this.#reject = reject;
    this.#maxBytes = request.maxBytes ?? MAX_BYTES;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.lastPieceAt = Date.now();
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes)
      return this.#taking === undefined ? this.fail(tooLarge(this.host, this.#maxBytes)) : this.#cutOff('full');
    this.#chunks.push(chunk);
    if (this.#taking?.isFull(chunk) === true) this.#cutOff('full');
  }

  onResponseEnd(): void {
    if (!this.settle()) return;
    const response = { status: this.status, headers: this.headers, body: this.#body() };
    const { body } = response;
    const encoding = this.headers['content-encoding'];
    const plain = encoding === undefined || encoding === 'identity' || body.length === 0;
    this.#resolve(plain ? response : decodeBody(response, String(encoding), this.#maxBytes, this.host));
  }

  protected answered(): void {
    const { status, headers, request } = this;
    if (request.taking !== undefined && status < 300) this.#take(request.taking(headers));
    if (request.method !== 'HEAD' && Number(headers['content-length'] ?? 0) > this.#maxBytes)
      this.fail(tooLarge(this.host, this.#maxBytes));
  }

  protected reject(error: GatewayError): void {
    this.#reject(error);
  }

  protected override brokeOff(): boolean {
    if (this.#taking === undefined || this.#size === 0) return false;
    this.#cutOff('broken');
    return true;
  }

  protected override expired(): void {
    if (this.#taking !== undefined) this.#cutOff('time');
    else super.expired();
  }

  /** What is compressed cannot be read before its end. */
  #take(taking: Taking | undefined): void {
    if (taking === undefined || (this.headers['content-encoding'] ?? 'identity') !== 'identity') return;
    this.#taking = taking;
    this.hurry(Math.min(taking.ms, this.totalLeft));
  }

  /** Gives what has come of an answer that goes on, and lets go of the connection. */
  #cutOff(partial: NonNullable<UpstreamResponse['partial']>): void {
    if (!this.settle()) return;
    this.#resolve({ status: this.status, headers: this.headers, body: this.#body(), partial });
    this.controller?.abort(new Error('enough of the answer has come'));
  }

  #body(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks, this.#size);
  }
}
