import type { Embedder } from '../../core/contracts/embedder.ts';
import { unitVector } from './unit-vector.ts';

/** Requests that have nothing to do with one another. */
const UNRELATED = [
  'send email',
  'weather forecast',
  'merge pull request',
  'play music',
  'restaurant reservation',
  'currency conversion',
  'restart virtual machine',
  'cooking recipes',
  'translate French',
  'prime numbers',
  'parcel delivery',
  'adopt dog',
];

/** The cosine at and below which two texts of a model have nothing in common: the mean of such pairs and their deviation. Some models call all texts somewhat alike. */
export async function noiseOf(embedder: Embedder): Promise<number> {
  const vectors: Float32Array[] = [];
  for (let from = 0; from < UNRELATED.length; from += embedder.batch) {
    vectors.push(...(await embedder.embed(UNRELATED.slice(from, from + embedder.batch), 'document')));
  }
  const units = vectors.map((vector) => unitVector(vector, embedder.dims));
  const cosines = units.flatMap((one, at) =>
    units.slice(at + 1).map((other) => one.reduce((sum, number, dim) => sum + number * other[dim]!, 0)),
  );
  const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
  const deviation = Math.sqrt(cosines.reduce((sum, cosine) => sum + (cosine - mean) ** 2, 0) / cosines.length);
  return mean + deviation;
}
