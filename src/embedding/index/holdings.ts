import type { Findable } from '../../core/contracts/semantics.ts';
import type { Ladder } from '../rung.ts';
import { analyse, embeddedTexts } from '../text/analysis.ts';
import type { Slice } from './slice.ts';
import type { HeldVectors, TextVectors } from './text-vectors.ts';

/** What is embedded of all texts of an index, in a row. */
export interface Rows {
  readonly hashes: readonly string[];
  textAt(row: number): string;
  /** The text of each row; absent when row n is text n. */
  readonly owners?: Int32Array;
}

export async function rowsOf(texts: readonly Findable[], slice: Slice): Promise<Rows> {
  const hashes: string[] = [];
  const owners: number[] = [];
  for (const [at, text] of texts.entries()) {
    for (const hash of analyse(text).hashes) {
      hashes.push(hash);
      owners.push(at);
    }
    if (slice.isOver) await slice.next();
  }
  if (hashes.length === texts.length) return { hashes, textAt: (row) => embeddedTexts(texts[row]!)[0]! };
  const textAt = (row: number): string => {
    const owner = owners[row]!;
    let first = row;
    while (first > 0 && owners[first - 1] === owner) first -= 1;
    return embeddedTexts(texts[owner]!)[row - first]!;
  };
  return { hashes, textAt, owners: Int32Array.from(owners) };
}

/** The vectors that one index holds. It knows nothing of the index, so that it can give them back when nobody has the index any more. */
export class Holdings {
  readonly #ladder: Ladder;
  readonly #vectors: TextVectors;
  /** By the id of the model. */
  readonly #held = new Map<string, HeldVectors>();
  #rows: Rows | undefined;
  #isReleased = false;
  /** Stops listening to the ladder. */
  stop: () => void = () => {};

  constructor(ladder: Ladder, vectors: TextVectors) {
    this.#ladder = ladder;
    this.#vectors = vectors;
  }

  get owners(): Int32Array | undefined {
    return this.#rows?.owners;
  }

  of(model: string): HeldVectors | undefined {
    return this.#held.get(model);
  }

  begin(rows: Rows): void {
    this.#rows = rows;
    this.takeUp();
  }

  /** Begins to get the vectors of rungs that are new or work again. Those of a rung that is gone stay: it mostly comes back. */
  takeUp(): void {
    if (this.#rows === undefined || this.#isReleased) return;
    for (const rung of this.#ladder.rungs) {
      const before = this.of(rung.embedder.id);
      if (before !== undefined && !before.lease.hasFailed) continue;
      const onFailure = (error: unknown): void => this.#ladder.failed(rung, error);
      this.#held.set(rung.embedder.id, this.#vectors.hold(this.#rows, rung.embedder, onFailure));
    }
  }

  /** Nothing is taken up any more: an index may be let go of before its texts are read. */
  release(): void {
    this.#isReleased = true;
    this.stop();
    for (const held of this.#held.values()) void this.#vectors.release(held);
  }
}
