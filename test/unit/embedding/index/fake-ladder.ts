import type { Embedder, EmbeddedAs } from '../../../../src/core/contracts/embedder.ts';
import type { Degraded } from '../../../../src/core/contracts/semantics.ts';
import type { Ladder, Rung } from '../../../../src/embedding/rung.ts';

/** Numbers of the vectors below. */
const DIMS = 20;

/** Vectors by letters: texts with the same letters are alike. Counts what it is asked for. */
export function letterEmbedder(id: string, broken = { is: false }): Embedder & { readonly asked: { as: EmbeddedAs; texts: string[] }[] } {
  const asked: { as: EmbeddedAs; texts: string[] }[] = [];
  return {
    id,
    dims: DIMS,
    batch: 4,
    asked,
    async embed(texts, as) {
      asked.push({ as, texts: [...texts] });
      if (broken.is) throw new Error('broken');
      return texts.map((text) => {
        const vector = new Float32Array(DIMS);
        for (const letter of text.toLowerCase().match(/[a-z]/g) ?? []) vector[letter.charCodeAt(0) % DIMS]! += 1;
        const length = Math.hypot(...vector);
        return length === 0 ? vector : vector.map((number) => number / length);
      });
    },
  };
}

export const rungOf = (name: string, embedder: Embedder, weight = 0.6): Rung => ({
  name,
  embedder,
  traits: { pooling: 'mean', queryPrefix: '', documentPrefix: '', weight, sameRequest: 0.95 },
});

/** A ladder whose rungs a test moves. */
export class FakeLadder implements Ladder {
  readonly requested = 'auto';
  readonly failures: unknown[] = [];
  readonly listeners = new Set<() => void>();
  rungs: readonly Rung[];

  constructor(...rungs: Rung[]) {
    this.rungs = rungs;
  }

  async settled(): Promise<void> {}

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  change(...rungs: Rung[]): void {
    this.rungs = rungs;
    for (const listener of this.listeners) listener();
  }

  failed(rung: Rung, error: unknown): void {
    this.failures.push(error);
    this.change(...this.rungs.filter((one) => one !== rung));
  }

  degraded(active: Rung | undefined, progress?: string): Degraded | undefined {
    return progress === undefined ? undefined : { requested: this.requested, active: active?.name ?? 'bm25', reason: progress };
  }
}
