import type { AgentsChunk } from '../../../../../core/agents.ts';
import { GatewayError } from '../../../../../core/errors.ts';

/** Events that wait for one reader. One who is further behind gets the task as it is in their place. */
const MOST_WAITING = 1_000;

type Step = IteratorResult<AgentsChunk, undefined>;
const DONE: Step = { done: true, value: undefined };

export interface TaskStreamOptions {
  /** The task as it is now: a StreamResponse. */
  snapshot(): AgentsChunk['event'];
  /** The reader has left, or has read the last event. */
  left(stream: TaskStream): void;
}

/** The events of one task for one reader. Begins with the task as it is. */
export class TaskStream implements AsyncIterableIterator<AgentsChunk, undefined> {
  readonly #options: TaskStreamOptions;
  #waiting: AgentsChunk[];
  #reader: PromiseWithResolvers<Step> | undefined;
  #ended = false;
  /** Why it ended before its time. */
  #failure: GatewayError | undefined;
  #unlisten: () => void = () => undefined;

  constructor(options: TaskStreamOptions) {
    this.#options = options;
    this.#waiting = [{ event: options.snapshot() }];
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(event: AgentsChunk['event']): void {
    if (this.#ended) return;
    const chunk = { event };
    if (this.#reader !== undefined) {
      this.#reader.resolve({ done: false, value: chunk });
      this.#reader = undefined;
      return;
    }
    this.#waiting.push(chunk);
    if (this.#waiting.length > MOST_WAITING) this.#waiting = [{ event: this.#options.snapshot() }];
  }

  /** A reader whose call is over may not ask again: it is let go when `signal` fires, which the one who waits is told as GatewayError. */
  until(signal: AbortSignal): void {
    const leave = (): void => {
      const reason: unknown = signal.reason;
      this.#failure = reason instanceof GatewayError ? reason : new GatewayError('client_closed');
      this.#waiting = [];
      this.end();
    };
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    this.#unlisten = () => signal.removeEventListener('abort', leave);
  }

  /** Nothing comes after what waits. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unlisten();
    this.#reader?.resolve(this.#last());
    this.#reader = undefined;
    this.#options.left(this);
  }

  next(): Promise<Step> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#ended) return this.#last();
    this.#reader = Promise.withResolvers<Step>();
    return this.#reader.promise;
  }

  return(): Promise<Step> {
    this.#waiting = [];
    this.end();
    return Promise.resolve(DONE);
  }

  #last(): Promise<Step> {
    return this.#failure === undefined ? Promise.resolve(DONE) : Promise.reject(this.#failure);
  }
}
