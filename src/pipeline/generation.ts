/** One loaded configuration and all that was built from it. Calls end on the generation they began on. */
export interface Generation<T> {
  readonly number: number;
  readonly content: T;
}

/** What must be let go when the last call of a generation has ended. */
export type Dispose<T> = (content: T) => Promise<void> | void;

/** Holds the generation that new calls begin on. Swapping is one assignment; the retired one is disposed of when its calls have ended, or at the deadline. */
export class GenerationSlot<T> {
  #current: Generation<T> | undefined;
  readonly #calls = new Map<Generation<T>, number>();
  readonly #retired = new Map<Generation<T>, NodeJS.Timeout>();
  readonly #dispose: Dispose<T>;
  readonly #drainMs: number;

  constructor(dispose: Dispose<T>, drainMs = 60_000) {
    this.#dispose = dispose;
    this.#drainMs = drainMs;
  }

  get current(): Generation<T> {
    if (this.#current === undefined) throw new Error('no generation is loaded yet');
    return this.#current;
  }

  get isLoaded(): boolean {
    return this.#current !== undefined;
  }

  swap(content: T): Generation<T> {
    const before = this.#current;
    this.#current = { number: (before?.number ?? 0) + 1, content };
    if (before !== undefined) this.#retire(before);
    return this.#current;
  }

  /** Pins the current generation for one call; the returned function lets it go. */
  enter(): { readonly generation: Generation<T>; leave(): void } {
    const generation = this.current;
    this.#calls.set(generation, (this.#calls.get(generation) ?? 0) + 1);
    let left = false;
    return {
      generation,
      leave: () => {
        if (left) return;
        left = true;
        const remaining = this.#calls.get(generation)! - 1;
        if (remaining > 0) this.#calls.set(generation, remaining);
        else {
          this.#calls.delete(generation);
          if (this.#retired.has(generation)) this.#end(generation);
        }
      },
    };
  }

  /** Disposes of everything, retired generations included. */
  async close(): Promise<void> {
    const all = [...this.#retired.keys(), ...(this.#current === undefined ? [] : [this.#current])];
    for (const timer of this.#retired.values()) clearTimeout(timer);
    this.#retired.clear();
    await Promise.all(all.map((generation) => this.#dispose(generation.content)));
  }

  #retire(generation: Generation<T>): void {
    if (!this.#calls.has(generation)) {
      void this.#dispose(generation.content);
      return;
    }
    this.#retired.set(generation, setTimeout(() => this.#end(generation), this.#drainMs).unref());
  }

  #end(generation: Generation<T>): void {
    clearTimeout(this.#retired.get(generation));
    this.#retired.delete(generation);
    void this.#dispose(generation.content);
  }
}
