import type { Logger } from '../core/logger.ts';

/** What generations take over from one another, and what is let go of when the last has gone. */
export interface Kept {
  /** For the log. */
  readonly name: string;
  [Symbol.asyncDispose]?(): Promise<void>;
}

/** Counts how many generations have each source: those that serve, and those whose calls have not ended. */
export class SourceUses {
  readonly #uses = new Map<Kept, number>();

  /** A generation was built with these. */
  add(sources: Iterable<Kept>): void {
    for (const source of sources) this.#uses.set(source, (this.#uses.get(source) ?? 0) + 1);
  }

  /** No call runs on that generation any more, or it never served: disposes of the sources that no other one has. */
  async release(sources: Iterable<Kept>, log: Logger): Promise<void> {
    const unused = [...sources].filter((source) => {
      const left = (this.#uses.get(source) ?? 1) - 1;
      if (left > 0) this.#uses.set(source, left);
      else this.#uses.delete(source);
      return left === 0;
    });
    await Promise.all(unused.map((source) => letGo(source, log)));
  }
}

/** Disposes of a source; what goes wrong is the log's. */
export async function letGo(source: Kept, log: Logger): Promise<void> {
  try {
    await source[Symbol.asyncDispose]?.();
  } catch (err) {
    log.error({ source: source.name, err }, 'the source could not be let go');
  }
}
