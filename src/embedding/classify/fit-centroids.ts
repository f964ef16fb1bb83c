import type { Labelled } from './fit-softmax.ts';
import { MEANING, noWeights, WORDS, type LinearWeights } from './linear-scores.ts';

/** A class whose cosine is higher by 0.1 is e times as likely. */
const SHARPNESS = 10;
/** The share of words beside meaning. */
const WORD_SHARE = 0.3;

/** The mean of the texts of each class, as a unit vector: what can be learnt from a handful of examples. */
export function fitCentroids(texts: readonly Labelled[], classes: number, dims: number, terms: number): LinearWeights {
  const { meaning, words, ...rest } = noWeights(classes, dims, terms);
  for (const { features, at } of texts) {
    const { vector, words: own } = features;
    if (vector !== undefined) for (let dim = 0, row = at * dims; dim < dims; dim++) meaning[row + dim]! += vector[dim]!;
    for (let place = 0; place < own.terms.length; place++) words[own.terms[place]! * classes + at]! += own.weights[place]!;
  }
  const wordShare = dims === 0 ? 1 : WORD_SHARE;
  for (let at = 0; at < classes; at++) {
    scale(meaning, at * dims, 1, dims, ((1 - wordShare) * SHARPNESS) / MEANING);
    scale(words, at, classes, terms, (wordShare * SHARPNESS) / WORDS);
  }
  return { meaning, words, ...rest };
}

/** Gives `count` numbers from `first` on, each `stride` after the one before, together the length `to`. */
function scale(numbers: Float32Array, first: number, stride: number, count: number, to: number): void {
  let squares = 0;
  for (let step = 0, at = first; step < count; step++, at += stride) squares += numbers[at]! * numbers[at]!;
  if (squares === 0) return;
  const by = to / Math.sqrt(squares);
  for (let step = 0, at = first; step < count; step++, at += stride) numbers[at]! *= by;
}
