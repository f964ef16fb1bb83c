import type { Embedder } from '../../core/contracts/embedder.ts';
import { embedQueries } from '../embed-queries.ts';

/**
 * Unit vectors of queries; `late` when there are none after `ms` milliseconds, and the embedder hears that nobody waits. Rejects as the embedder does, and
 * with the reason of `signal`.
 */
export async function embedInTime(
  texts: readonly string[],
  embedder: Embedder,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<readonly Float32Array[] | 'late'> {
  signal?.throwIfAborted();
  const waiting = new AbortController();
  const { promise: ended, resolve, reject } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => resolve('late'), ms);
  const stop = (): void => reject(signal!.reason as Error);
  signal?.addEventListener('abort', stop);
  try {
    return await Promise.race([embedQueries(texts, embedder, waiting.signal), ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    waiting.abort();
  }
}
