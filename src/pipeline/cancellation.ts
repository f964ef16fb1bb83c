import type { Cancellation } from '../core/upstream.ts';

/** Tells who works for a call to stop. An AbortController for each call costs a tenth of the whole call, and its memory stays for long. */
export class CallCancellation implements Cancellation {
  #aborted = false;
  #reason: unknown;
  #listeners: readonly { handleEvent(): void }[] = [];

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** The first reason stays. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener.handleEvent();
  }

  addEventListener(_: 'abort', listener: { handleEvent(): void }): void {
    this.#listeners = [...this.#listeners, listener];
  }

  removeEventListener(_: 'abort', listener: { handleEvent(): void }): void {
    this.#listeners =
      this.#listeners.length === 1 && this.#listeners[0] === listener ? [] : this.#listeners.filter((one) => one !== listener);
  }
}
