import type { WordVector } from './word-features.ts';

/** A text as scorers see it. */
export interface Features {
  /** A unit vector; absent for words alone. */
  readonly vector?: Float32Array | undefined;
  readonly words: WordVector;
}

/** How much meaning and words weigh against each other; measured on CLINC150 with both models, and the optimum is flat. */
export const MEANING = 2;
export const WORDS = 1.5;

/** One linear function for each class. Plain data: it travels between threads. */
export interface LinearWeights {
  readonly classes: number;
  /** Numbers in a vector; 0 for words alone. */
  readonly dims: number;
  /** Row by row the vector of each class. */
  readonly meaning: Float32Array;
  /** Row by row of each term its weight in each class. */
  readonly words: Float32Array;
  readonly bias: Float32Array;
}

export function noWeights(classes: number, dims: number, terms: number): LinearWeights {
  return {
    classes,
    dims,
    meaning: new Float32Array(classes * dims),
    words: new Float32Array(terms * classes),
    bias: new Float32Array(classes),
  };
}

/** The logit of each class for a text, into `out`. */
export function linearScores({ classes, dims, meaning, words, bias }: LinearWeights, text: Features, out: Float32Array): Float32Array {
  out.set(bias);
  const { vector } = text;
  if (vector !== undefined) {
    for (let at = 0, row = 0; at < classes; at++, row += dims) {
      let sum = 0;
      for (let dim = 0; dim < dims; dim++) sum += meaning[row + dim]! * vector[dim]!;
      out[at]! += MEANING * sum;
    }
  }
  const { terms, weights } = text.words;
  for (let place = 0; place < terms.length; place++) {
    const weight = WORDS * weights[place]!;
    for (let at = 0, row = terms[place]! * classes; at < classes; at++) out[at]! += weight * words[row + at]!;
  }
  return out;
}
