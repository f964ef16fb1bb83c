import type { Lane } from '../../core/call.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Cancellation } from '../../core/upstream.ts';
import { CallCancellation } from '../cancellation.ts';
import type { LiveCall } from '../live-call.ts';

/** The times that a route sets: for the first chunk of each attempt, and for the call in all. Calls the attempt off with `upstream_timeout`. */
export class AttemptClock<L extends Lane> {
  readonly #call: LiveCall<L>;
  readonly #firstChunkMs: number | undefined;
  readonly #totalMs: number | undefined;
  #attempt = new CallCancellation();
  #first: NodeJS.Timeout | undefined;
  #total: NodeJS.Timeout | undefined;

  constructor(call: LiveCall<L>, firstChunkMs: number | undefined, totalMs: number | undefined) {
    this.#call = call;
    this.#firstChunkMs = firstChunkMs;
    this.#totalMs = totalMs;
    // The caller who leaves calls off whichever attempt is on its way.
    call.cancellation.addEventListener('abort', { handleEvent: () => this.#attempt.abort(call.cancellation.reason) });
  }

  /** Milliseconds left for the call. */
  get left(): number {
    return this.#totalMs === undefined ? Infinity : this.#call.startedAt + this.#totalMs - Date.now();
  }

  get isOver(): boolean {
    return this.left <= 0;
  }

  /** An attempt begins. */
  start(): void {
    this.#attempt = new CallCancellation();
    this.#call.attemptCancellation = this.#attempt;
    if (this.#call.cancellation.aborted) this.#attempt.abort(this.#call.cancellation.reason);
    if (this.#firstChunkMs !== undefined) this.#first = this.#after(this.#firstChunkMs, 'No first token came', this.#firstChunkMs);
    if (this.#totalMs !== undefined) this.#total = this.#after(Math.max(0, this.left), 'The call did not end', this.#totalMs);
  }

  /** The stream has begun: only its end is waited for. */
  firstChunk(): void {
    clearTimeout(this.#first);
  }

  stop(): void {
    clearTimeout(this.#first);
    clearTimeout(this.#total);
  }

  #after(ms: number, what: string, told: number): NodeJS.Timeout {
    const attempt = this.#attempt;
    return setTimeout(() => attempt.abort(new GatewayError('upstream_timeout', `${what} within ${told / 1000} s.`)), ms);
  }
}

/** Ends early when the call is called off. */
export function pause(ms: number, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve) => {
    const handler = {
      handleEvent(): void {
        clearTimeout(timer);
        cancellation.removeEventListener('abort', handler);
        resolve();
      },
    };
    const timer = setTimeout(() => handler.handleEvent(), ms);
    if (cancellation.aborted) handler.handleEvent();
    else cancellation.addEventListener('abort', handler);
  });
}
