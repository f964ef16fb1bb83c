import type { Degraded, SemanticStatus } from '../core/contracts/semantics.ts';
import type { FollowingLadder } from './ladder.ts';
import type { Ladder, Rung } from './rung.ts';

export interface RestingParts {
  /** As the configuration has it. */
  requested(): string;
  /** Gives the ladder that answers from now on. */
  wake(): FollowingLadder;
}

/** A ladder that holds no embedder while it rests, and wakes when it is asked. Indexes and classifiers keep it: they need not know. */
export class RestingLadder implements Ladder {
  readonly #parts: RestingParts;
  readonly #listeners = new Set<() => void>();
  #following: FollowingLadder | undefined;
  #usedAt = performance.now();

  constructor(parts: RestingParts) {
    this.#parts = parts;
  }

  get requested(): string {
    return this.#parts.requested();
  }

  /** Milliseconds since it was asked. */
  get unusedMs(): number {
    return performance.now() - this.#usedAt;
  }

  get rungs(): readonly Rung[] {
    this.#usedAt = performance.now();
    return this.wake().rungs;
  }

  settled(): Promise<void> {
    return this.wake().settled();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  failed(rung: Rung, error: unknown): void {
    this.#following?.failed(rung, error);
  }

  degraded(active: Rung | undefined, progress?: string): Degraded | undefined {
    return this.wake().degraded(active, progress);
  }

  wake(): FollowingLadder {
    if (this.#following === undefined) {
      this.#following = this.#parts.wake();
      this.#following.onChange(() => this.#tell());
    }
    return this.#following;
  }

  /** Looks what the name means now, unless it rests. */
  look(): void {
    this.#following?.look();
  }

  status(): SemanticStatus {
    return this.wake().status();
  }

  /** Gives its embedders back. Nobody is told: they would ask, and wake it. */
  rest(): void {
    this.#following?.close();
    this.#following = undefined;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
