import type { Embedder } from '../core/contracts/embedder.ts';
import { unitVector } from './index/unit-vector.ts';

/** Unit vectors of one batch of texts, as queries: who compares them compares like with like. Rejects as the embedder does, and when it gives what is none. */
export async function embedQueries(texts: readonly string[], embedder: Embedder, signal?: AbortSignal): Promise<Float32Array[]> {
  const vectors = await embedder.embed(texts, 'query', signal);
  if (vectors.length !== texts.length) throw new Error(`The embedder gave ${vectors.length} vectors for ${texts.length} texts.`);
  return vectors.map((vector) => unitVector(vector, embedder.dims));
}
