const WORDS = /[\p{L}\p{M}\p{N}']+/gu;
/** Characters of a text that are read. */
const LONGEST = 1_000;
/** Terms that are kept at most: the commonest, the first of equals. */
const MOST_TERMS = 30_000;

/** The terms of a text that are known, by their number, and their weight: those of all its terms have length 1. */
export interface WordVector {
  readonly terms: Uint32Array;
  readonly weights: Float32Array;
}

/** What is known of words: the number of each term and how rare it is. */
export interface Vocabulary {
  readonly terms: readonly string[];
  /** Of each term, then of one that nobody knows. */
  readonly rarity: Float32Array;
}

export function vocabularyOf(texts: readonly string[]): Vocabulary {
  const counts = new Map<string, number>();
  for (const text of texts) for (const term of new Set(termsOf(text))) counts.set(term, (counts.get(term) ?? 0) + 1);
  const kept = [...counts].toSorted((one, other) => other[1] - one[1]).slice(0, MOST_TERMS);
  const rarityOf = (count: number): number => Math.log((1 + texts.length) / (1 + count)) + 1;
  return {
    terms: kept.map(([term]) => term),
    rarity: Float32Array.from([...kept.map(([, count]) => rarityOf(count)), rarityOf(0)]),
  };
}

/** Reads texts by a vocabulary: TF-IDF of words and of pairs of neighbours. Unknown terms count for the length: a text with many of them says little. */
export function wordReader({ terms, rarity }: Vocabulary): (text: string) => WordVector {
  const numbers = new Map(terms.map((term, number) => [term, number]));
  return (text) => {
    const counts = new Map<string, number>();
    for (const term of termsOf(text)) counts.set(term, (counts.get(term) ?? 0) + 1);
    const known: number[] = [];
    const weights: number[] = [];
    let squares = 0;
    for (const [term, count] of counts) {
      const number = numbers.get(term);
      const weight = (1 + Math.log(count)) * rarity[number ?? terms.length]!;
      squares += weight * weight;
      if (number === undefined) continue;
      known.push(number);
      weights.push(weight);
    }
    const length = Math.sqrt(squares) || 1;
    return { terms: Uint32Array.from(known), weights: Float32Array.from(weights, (weight) => weight / length) };
  };
}

function* termsOf(text: string): Generator<string> {
  let before: string | undefined;
  for (const [word] of text.slice(0, LONGEST).toLowerCase().normalize('NFC').matchAll(WORDS)) {
    yield word;
    if (before !== undefined) yield `${before} ${word}`;
    before = word;
  }
}
