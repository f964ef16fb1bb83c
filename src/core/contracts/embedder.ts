import type { Awaitable, Extension } from './extension.ts';

/** What a text is embedded for; some models want another prefix for each. */
export type EmbeddedAs = 'query' | 'document';

/** Turns texts into vectors of one model. An instance outlives generations: vectors are kept by its `id`. */
export interface Embedder {
  /** Names the vectors, such as `hubgate-static-en@2`: those of different ids are never compared. */
  readonly id: string;
  /** Numbers in a vector. */
  readonly dims: number;
  /** Texts that one call of `embed` should have at most: what the event loop, or a queue before a worker, can bear. */
  readonly batch: number;
  /**
   * Unit vectors in the order of the texts. Texts of any length: what the model cannot read is cut. Rejects with GatewayError `bad_request` when it
   * refuses these texts and goes on working: the next rung answers that one call. Any other rejection means that it can work no more: it is let go
   * and loaded again. `signal` says that nobody waits any more; how it rejects then counts for nothing.
   */
  embed(texts: readonly string[], as: EmbeddedAs, signal?: AbortSignal): Awaitable<readonly Float32Array[]>;
  [Symbol.asyncDispose]?(): Promise<void>;
}

export interface EmbedderExtension<Options = unknown> extends Extension<'embedder', Options, Embedder> {}

/** Gives an embedder its types; adds what is the same in all of them. */
export function defineEmbedder<Options>(embedder: Omit<EmbedderExtension<Options>, 'kind' | 'apiVersion'>): EmbedderExtension<Options> {
  return { kind: 'embedder', apiVersion: 1, ...embedder };
}
