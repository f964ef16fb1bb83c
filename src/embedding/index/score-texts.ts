import type { HeldVectors } from './text-vectors.ts';
import type { Slice } from './slice.ts';
import type { WordIndex } from './word-index.ts';

/** What the best part of a request counts beside the whole of it; measured, see docs/retrieval.md. */
const PART = 0.75;

/** A request, or a part of one. */
export interface Asked {
  /** In their stems, each once: one that is said thrice is not asked for thrice. */
  readonly words: readonly string[];
  /** Absent for words alone. */
  readonly vector?: Float32Array;
}

export interface Meaning extends HeldVectors {
  /** The share of the cosine against words, from 0 to 1. */
  readonly weight: number;
  /** The text that each row belongs to; absent when row n is text n. */
  readonly owners?: Int32Array;
}

/** What each text scores. */
export interface Scores {
  readonly total: Float32Array;
  /** BM25 of the whole request. */
  readonly lexical: Float32Array;
  /** The cosine to the whole request. */
  readonly cosine?: Float32Array;
  /** The best cosine to the request or a part of it. */
  readonly nearest?: Float32Array;
}

/** Words and meaning in one score for each text: both brought to the range from 0 to 1 over the texts, and added by weight; the best part of the request counts beside the whole. */
export async function scoreTexts(
  asked: readonly [Asked, ...Asked[]],
  index: WordIndex,
  meaning: Meaning | undefined,
  slice: Slice,
): Promise<Scores> {
  const cosines = meaning === undefined ? [] : await cosinesOf(asked, index.size, meaning, slice);
  const weight = meaning?.weight ?? 0;
  const [whole, ...parts] = asked;
  const lexical = await index.score(whole.words, slice);
  const total = new Float32Array(index.size);
  addRanged(total, lexical, 1 - weight);
  if (cosines[0] !== undefined) addRanged(total, cosines[0], weight);
  if (parts.length > 0) {
    const best = new Float32Array(index.size);
    const score = new Float32Array(index.size);
    const byWords = new Float32Array(index.size);
    for (const [at, { words }] of parts.entries()) {
      addRanged(score.fill(0), await index.score(words, slice, byWords.fill(0)), 1 - weight);
      if (cosines[at + 1] !== undefined) addRanged(score, cosines[at + 1]!, weight);
      raise(best, score);
      if (slice.isOver) await slice.next();
    }
    for (let text = 0; text < total.length; text++) total[text] = (total[text]! + PART * best[text]!) / (1 + PART);
  }
  const [cosine, ...others] = cosines;
  if (cosine === undefined) return { total, lexical };
  const nearest = others.length === 0 ? cosine : cosine.slice();
  for (const other of others) raise(nearest, other);
  return { total, lexical, cosine, nearest };
}

async function cosinesOf(asked: readonly Asked[], size: number, { lease, model, owners }: Meaning, slice: Slice): Promise<Float32Array[]> {
  const queries = asked.map(({ vector }) => vector!);
  const products = queries.map(() => new Float32Array(lease.total));
  const { slabs } = model;
  for (let from = 0; from < lease.total; from += slabs.blockRows) {
    slabs.products(lease.rows, from, Math.min(from + slabs.blockRows, lease.total), queries, products);
    if (slice.isOver) await slice.next();
  }
  if (owners === undefined) return products;
  return products.map((ofRows) => ofTexts(ofRows, owners, size));
}

/**
 * Half what a text says of itself, which is its first row, and half the best of that and its examples: with the best alone, a text that has examples would
 * stand above better ones that have none (docs/search.md, Examples).
 */
function ofTexts(ofRows: Float32Array, owners: Int32Array, size: number): Float32Array {
  const own = new Float32Array(size);
  const best = new Float32Array(size).fill(-1);
  for (let row = 0; row < ofRows.length; row++) {
    const text = owners[row]!;
    if (row === 0 || owners[row - 1] !== text) own[text] = ofRows[row]!;
    if (ofRows[row]! > best[text]!) best[text] = ofRows[row]!;
  }
  for (let text = 0; text < size; text++) best[text] = (own[text]! + best[text]!) / 2;
  return best;
}

/** Adds the numbers, brought to the range from 0 to `weight`. Where all are the same, they are all the best if they are anything. */
function addRanged(total: Float32Array, numbers: Float32Array, weight: number): void {
  let least = Infinity;
  let most = -Infinity;
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at]!;
    if (number < least) least = number;
    if (number > most) most = number;
  }
  if (most > least) {
    const scale = weight / (most - least);
    for (let at = 0; at < numbers.length; at++) total[at]! += (numbers[at]! - least) * scale;
  } else if (most > 0) {
    for (let at = 0; at < numbers.length; at++) total[at]! += weight;
  }
}

function raise(best: Float32Array, others: Float32Array): void {
  for (let at = 0; at < best.length; at++) if (others[at]! > best[at]!) best[at] = others[at]!;
}
