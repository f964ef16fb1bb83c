import type { Embedder } from '../../core/contracts/embedder.ts';
import type { VectorStore } from '../../core/contracts/store.ts';
import type { Logger } from '../../core/logger.ts';
import { ModelVectors, type Wanted } from './model-vectors.ts';
import type { VectorLease } from './vector-lease.ts';

/** What an index has in one model. */
export interface HeldVectors {
  readonly lease: VectorLease;
  readonly model: ModelVectors;
}

/** Vectors of texts, by the id of their model and the SHA-256 of the text: shared by all indexes, over the store. Their memory is given back when no index needs them. */
export class TextVectors {
  readonly #parts: { readonly store: VectorStore; readonly log: Logger };
  readonly #models = new Map<string, ModelVectors>();
  #isClosed = false;

  constructor(parts: { readonly store: VectorStore; readonly log: Logger }) {
    this.#parts = parts;
  }

  /** Begins to get the vectors in the background. `onFailure` is called when the embedder rejects: the lease has failed then. */
  hold(wanted: Wanted, embedder: Embedder, onFailure: (error: unknown) => void): HeldVectors {
    let model = this.#models.get(embedder.id);
    if (model === undefined) this.#models.set(embedder.id, (model = new ModelVectors(embedder, this.#parts)));
    const lease = model.lease(wanted, embedder, onFailure);
    if (this.#isClosed) lease.end('released');
    return { lease, model };
  }

  async release({ lease, model }: HeldVectors): Promise<void> {
    await model.release(lease);
    for (const [id, { isIdle }] of this.#models) if (isIdle) this.#models.delete(id);
  }

  /** The id of each model, with the hashes that indexes hold vectors of. */
  *held(): Generator<readonly [string, Iterable<string>]> {
    for (const [id, { slabs }] of this.#models) yield [id, slabs.hashes()];
  }

  /** Embeds nothing more; resolves when what was embedded is stored. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#models.values()].map((model) => model.close()));
  }
}
