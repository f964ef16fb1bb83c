import type { Found, Hit } from '../core/contracts/semantics.ts';

export interface ChoiceSettings {
  readonly top: number;
  /** As many as there are when absent. */
  readonly unsure: number | undefined;
  /** A share of the best score. */
  readonly threshold: number;
}

export interface Choice {
  /** Of the tools in the index, best first. */
  readonly places: readonly number[];
  /** Nothing in the request tells which are needed. */
  readonly unsure: boolean;
}

/**
 * The tools that a request is likely to need, of `size`: as many as there is room for, since what is not offered cannot be called. Those with nothing
 * in common with the request follow the others in their order. Where even the best has hardly anything in common with it there are more, not fewer.
 */
export function chooseTools({ hits }: Found, size: number, { top, unsure = size, threshold }: ChoiceSettings): Choice {
  const scores = new Map(hits.map(({ index, score }) => [index, score]));
  for (let place = 0; place < size; place += 1) if (!scores.has(place)) scores.set(place, 0);
  const ranked = [...scores.keys()];
  const [best] = hits;
  if (best === undefined || hits.every(isWeak)) return { places: ranked.slice(0, unsure), unsure: true };
  const least = best.score * threshold;
  return { places: ranked.slice(0, top).filter((place) => scores.get(place)! >= least), unsure: false };
}

/** A cosine below this is that of many a pair about other things, in the bundled model and in MiniLM. */
const LIKE = 0.3;

function isWeak({ words, cosine }: Hit): boolean {
  return words.length === 0 && (cosine === undefined || cosine < LIKE);
}
