/** Runs reloads one after the other. Requests that come while one runs share the next, so a burst of edits costs two reloads at most. */
export class Reloads<T> {
  readonly #reload: () => Promise<T>;
  #running: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(reload: () => Promise<T>) {
    this.#reload = reload;
  }

  /** Resolves with the result of a reload that began after this request. */
  request(): Promise<T> {
    if (this.#running === undefined) return (this.#running = this.#start());
    this.#next ??= this.#running.then(
      () => this.#advance(),
      () => this.#advance(),
    );
    return this.#next;
  }

  #advance(): Promise<T> {
    this.#next = undefined;
    return (this.#running = this.#start());
  }

  async #start(): Promise<T> {
    try {
      return await this.#reload();
    } finally {
      if (this.#next === undefined) this.#running = undefined;
    }
  }
}
