import type { Wording } from './_cache-wording.ts';

/**
 * How like each other two texts are by their words: `same` for two ways to ask one thing; `near` when they differ in what leads up to the
 * question alone, so that vectors may decide. A word more, a word less or another form of a word is `other`: it may be the one that matters.
 */
export function likeness(a: Wording, b: Wording): 'same' | 'near' | 'other' {
  if (a.isLiteral || b.isLiteral) return 'other';
  if (a.said === b.said) return 'same';
  return a.gist === b.gist ? 'near' : 'other';
}
