import { linearScores, MEANING, noWeights, WORDS, type Features, type LinearWeights } from './linear-scores.ts';

/** A text with the number of its class. */
export interface Labelled {
  readonly features: Features;
  readonly at: number;
}

/** How far a step goes at the beginning; a tenth of it at the end. */
const RATE = 0.5;
const BIAS_RATE = 0.05;
const EPOCHS = 20;
/** With very many texts fewer epochs do. */
const STEPS = 60_000;
const FEWEST_EPOCHS = 6;
/** A class that is no farther from what it should be is left as it is. */
const NEGLIGIBLE = 5e-4;

/** A softmax over all classes, by gradient descent text by text. The same texts give the same weights. */
export function fitSoftmax(texts: readonly Labelled[], classes: number, dims: number, terms: number): LinearWeights {
  const weights = noWeights(classes, dims, terms);
  const order = Uint32Array.from(texts.keys());
  const random = randomFrom(1);
  const likely = new Float32Array(classes);
  const epochs = Math.max(FEWEST_EPOCHS, Math.min(EPOCHS, Math.round(STEPS / texts.length)));
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random);
    const rate = 1 - (0.9 * epoch) / epochs;
    for (const place of order) {
      const { features, at } = texts[place]!;
      softmax(linearScores(weights, features, likely));
      likely[at]! -= 1;
      step(weights, features, likely, rate);
    }
  }
  return weights;
}

/** Moves each class against its error. */
function step({ classes, dims, meaning, words, bias }: LinearWeights, text: Features, errors: Float32Array, rate: number): void {
  const { vector } = text;
  const { terms, weights } = text.words;
  for (let at = 0; at < classes; at++) {
    const error = errors[at]!;
    if (Math.abs(error) < NEGLIGIBLE) continue;
    bias[at]! -= rate * BIAS_RATE * error;
    const by = rate * RATE * error;
    if (vector !== undefined) {
      const stride = by * MEANING;
      for (let dim = 0, row = at * dims; dim < dims; dim++) meaning[row + dim]! -= stride * vector[dim]!;
    }
    const stride = by * WORDS;
    for (let place = 0; place < terms.length; place++) words[terms[place]! * classes + at]! -= stride * weights[place]!;
  }
}

function softmax(logits: Float32Array): void {
  let highest = -Infinity;
  for (const logit of logits) if (logit > highest) highest = logit;
  let sum = 0;
  for (let at = 0; at < logits.length; at++) sum += logits[at] = Math.exp(logits[at]! - highest);
  for (let at = 0; at < logits.length; at++) logits[at]! /= sum;
}

/** Mulberry32: no chance in it, so that the same examples always make the same classifier. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function shuffle(order: Uint32Array, random: () => number): void {
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
}
