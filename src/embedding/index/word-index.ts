import type { Slice } from './slice.ts';

// In the range that Robertson and Zaragoza give (1.2 to 2, and 0.75); measured, see docs/retrieval.md.
const K1 = 2;
const B = 0.75;

/** Which texts have which words, and what each is worth there (BM25). All its figures come from its own texts. */
export class WordIndex {
  readonly size: number;
  readonly #terms: ReadonlyMap<string, number>;
  /** Where each term's texts begin in the two arrays below; one more than there are terms. */
  readonly #starts: Uint32Array;
  /** Ascending within a term. */
  readonly #texts: Uint32Array;
  readonly #worth: Float32Array;

  private constructor(size: number, terms: ReadonlyMap<string, number>, starts: Uint32Array, texts: Uint32Array, worth: Float32Array) {
    this.size = size;
    this.#terms = terms;
    this.#starts = starts;
    this.#texts = texts;
    this.#worth = worth;
  }

  /** Of the words of each text, between spaces. */
  static async build(texts: Iterable<string>, slice: Slice): Promise<WordIndex> {
    const { terms, having, tokens, lengths } = await readTokens(texts, slice);
    const starts = new Uint32Array(terms.size + 1);
    for (let term = 0; term < terms.size; term++) starts[term + 1] = starts[term]! + having[term]!;
    const inTexts = new Uint32Array(starts[terms.size]!);
    const worth = new Float32Array(starts[terms.size]!);
    const mean = tokens.length / lengths.length;
    const ends = starts.slice();
    let at = 0;
    for (let text = 0; text < lengths.length; text++) {
      const first = at;
      const last = at + lengths[text]!;
      const added: number[] = [];
      for (; at < last; at++) {
        const term = tokens[at]!;
        let place = ends[term]! - 1;
        if (place < starts[term]! || inTexts[place] !== text) {
          place = ends[term]!++;
          inTexts[place] = text;
          added.push(place);
        }
        worth[place]! += 1;
      }
      const share = K1 * (1 - B + (B * (last - first)) / mean);
      for (const place of added) worth[place] = (worth[place]! * (K1 + 1)) / (worth[place]! + share);
      if (slice.isOver) await slice.next();
    }
    for (let term = 0; term < terms.size; term++) {
      const rarity = Math.log(1 + (lengths.length - having[term]! + 0.5) / (having[term]! + 0.5));
      for (let place = starts[term]!; place < starts[term + 1]!; place++) worth[place]! *= rarity;
      if (slice.isOver) await slice.next();
    }
    return new WordIndex(lengths.length, terms, starts, inTexts, worth);
  }

  /** What each text scores for the words, into numbers that are all zeros. */
  async score(words: readonly string[], slice: Slice, scores = new Float32Array(this.size)): Promise<Float32Array> {
    for (const word of words) {
      const term = this.#terms.get(word);
      if (term === undefined) continue;
      const end = this.#starts[term + 1]!;
      for (let at = this.#starts[term]!; at < end; at++) scores[this.#texts[at]!]! += this.#worth[at]!;
      if (slice.isOver) await slice.next();
    }
    return scores;
  }

  has(text: number, word: string): boolean {
    const term = this.#terms.get(word);
    if (term === undefined) return false;
    let low = this.#starts[term]!;
    let high = this.#starts[term + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#texts[middle]! < text) low = middle + 1;
      else high = middle;
    }
    return low < this.#starts[term + 1]! && this.#texts[low] === text;
  }
}

interface Tokens {
  readonly terms: ReadonlyMap<string, number>;
  /** In how many texts each term is. */
  readonly having: readonly number[];
  /** The terms of all texts, one after another. */
  readonly tokens: Uint32Array;
  /** How many of them each text has. */
  readonly lengths: readonly number[];
}

async function readTokens(texts: Iterable<string>, slice: Slice): Promise<Tokens> {
  const terms = new Map<string, number>();
  const having: number[] = [];
  const latest: number[] = [];
  const lengths: number[] = [];
  let tokens = new Uint32Array(1024);
  let count = 0;
  for (const text of texts) {
    const words = text === '' ? [] : text.split(' ');
    if (count + words.length > tokens.length) tokens = grown(tokens, count + words.length);
    for (const word of words) {
      let term = terms.get(word);
      if (term === undefined) {
        term = having.push(0) - 1;
        // A copy: a part of a text would keep the whole of it.
        terms.set(Buffer.from(word).toString(), term);
      }
      if (latest[term] !== lengths.length) {
        latest[term] = lengths.length;
        having[term]! += 1;
      }
      tokens[count++] = term;
    }
    lengths.push(words.length);
    if (slice.isOver) await slice.next();
  }
  return { terms, having, tokens: tokens.subarray(0, count), lengths };
}

function grown(numbers: Uint32Array<ArrayBuffer>, least: number): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(Math.max(least, Math.ceil(numbers.length * 1.5)));
  more.set(numbers);
  return more;
}
