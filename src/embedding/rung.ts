import type { Embedder } from '../core/contracts/embedder.ts';
import type { Degraded } from '../core/contracts/semantics.ts';
import type { ModelTraits } from './models/model-traits.ts';

/** One embedder that works, and how it ranks. */
export interface Rung {
  /** `transformers`, `remote`, `static` or the name of an extension. */
  readonly name: string;
  readonly embedder: Embedder;
  readonly traits: ModelTraits;
}

/** What answers for one model that the configuration names: it first, and what stands in for it below. What works changes with time. */
export interface Ladder {
  /** As the configuration has it. */
  readonly requested: string;
  /** Those that work now, best first; none: words alone. */
  readonly rungs: readonly Rung[];
  /** Resolves when nothing is being loaded any more. */
  settled(): Promise<void>;
  /** Called when `rungs` has changed; gives the way to stop. */
  onChange(listener: () => void): () => void;
  /** An embedder has rejected: it is taken out, its reason kept, and the ladder begins to load it again after a while. */
  failed(rung: Rung, error: unknown): void;
  /**
   * What an answer by `active` says of it (undefined: words alone); undefined when that is what was asked for, and for `auto` answered by `static`. `progress` is why a
   * higher rung that works has not answered yet, such as `it is embedding 400 of 10,000 texts`.
   */
  degraded(active: Rung | undefined, progress?: string): Degraded | undefined;
}
