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
 * The tools that a request is likely to need, of `size`. Where even the best has hardly anything in common with it there are more, not fewer: what is
 * not offered cannot be called, and those without anything in common follow in their order.
 */
export function chooseTools({ hits }: Found, size: number, { top, unsure = size, threshold }: ChoiceSettings): Choice {
  const [best] = hits;
  if (best === undefined || hits.every(isWeak)) {
    const ranked = new Set(hits.map(({ index }) => index));
    for (let place = 0; place < size; place += 1) ranked.add(place);
    return { places: [...ranked].slice(0, unsure), unsure: true };
  }
  const least = best.score * threshold;
  const likely = hits.slice(0, top).filter(({ score }) => score >= least);
  return { places: likely.map(({ index }) => index), unsure: false };
}

/** A cosine below this is that of many a pair about other things, in the bundled model and in MiniLM. */
const LIKE = 0.3;

function isWeak({ words, cosine }: Hit): boolean {
  return words.length === 0 && (cosine === undefined || cosine < LIKE);
}
