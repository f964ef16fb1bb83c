/** How much may wait for a reader: chunks, and characters of their JSON. */
const MOST_CHUNKS = 10_000;
const MOST_TEXT = 8_000_000;

/** Chunks on their way to one reader, in order. A reader that stands still makes it drop chunks: the side that speaks does not wait. */
export class Backlog<T> {
  readonly #waiting: { readonly chunk: T; readonly text: number }[] = [];
  readonly #dropping: () => void;
  #text = 0;
  #ended = false;
  #dropped = false;
  #wake: (() => void) | undefined;

  /** `dropping` is called once, at the first chunk that is dropped. */
  constructor(dropping: () => void) {
    this.#dropping = dropping;
  }

  /** A chunk that is `needed` is kept however much waits. */
  push(chunk: T, needed: boolean): void {
    if (this.#ended) return;
    // What goes straight to the reader is not measured.
    const text = this.#waiting.length === 0 || needed ? 0 : JSON.stringify(chunk).length;
    if (!needed && (this.#waiting.length >= MOST_CHUNKS || this.#text + text > MOST_TEXT)) {
      if (!this.#dropped) this.#dropping();
      this.#dropped = true;
      return;
    }
    this.#waiting.push({ chunk, text });
    this.#text += text;
    this.#wake?.();
  }

  /** What waits is still read. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** For one reader; when it leaves, nothing is kept any more. */
  async *read(): AsyncGenerator<T> {
    try {
      for (;;) {
        for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
          this.#text -= next.text;
          yield next.chunk;
        }
        if (this.#ended) return;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.#ended = true;
      this.#waiting.length = 0;
    }
  }
}
