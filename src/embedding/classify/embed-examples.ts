import type { Embedder } from '../../core/contracts/embedder.ts';
import { embedQueries } from '../embed-queries.ts';
import { Slice } from '../index/slice.ts';
import { refusesTexts } from '../refuses-texts.ts';

/** Unit vectors of texts of callers, in batches. A text that the embedder refuses has one of zeros, which is like nothing; rejects when it refuses all. */
export async function embedExamples(texts: readonly string[], embedder: Embedder): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  const slice = new Slice('background');
  const refusals: unknown[] = [];
  for (let from = 0; from < texts.length; from += embedder.batch) {
    vectors.push(...(await embedSome(texts.slice(from, from + embedder.batch), embedder, refusals)));
    if (slice.isOver) await slice.next();
  }
  // It refuses every text, then, and is good for nothing.
  if (refusals.length > 0 && refusals.length === texts.length) throw new Error('It refuses every example.', { cause: refusals[0] });
  return vectors;
}

/** Halves a batch that is refused until the text is alone that makes it so. */
async function embedSome(texts: readonly string[], embedder: Embedder, refusals: unknown[]): Promise<Float32Array[]> {
  try {
    return await embedQueries(texts, embedder);
  } catch (error) {
    if (!refusesTexts(error)) throw error;
    if (texts.length === 1) {
      refusals.push(error);
      return [new Float32Array(embedder.dims)];
    }
    const half = Math.ceil(texts.length / 2);
    const first = await embedSome(texts.slice(0, half), embedder, refusals);
    return [...first, ...(await embedSome(texts.slice(half), embedder, refusals))];
  }
}
