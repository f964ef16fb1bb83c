import type { Embedder } from '../../src/core/contracts/embedder.ts';
import type { Host } from '../../src/core/contracts/extension.ts';
import type { VectorStore } from '../../src/core/contracts/store.ts';
import type { Logger } from '../../src/core/logger.ts';
import bundled from '../../src/embedding/embedders/static.ts';
import type { Embedders } from '../../src/embedding/ladders.ts';
import { HubSemantics } from '../../src/embedding/semantics.ts';

export const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silent,
};

/** Vectors that are forgotten with the process. */
export function memoryVectors(): VectorStore {
  const kept = new Map<string, Float32Array>();
  const key = (model: string, hash: string): string => `${model} ${hash}`;
  return {
    get: async (model, hashes) =>
      new Map(
        hashes.flatMap((hash) => {
          const vector = kept.get(key(model, hash));
          return vector === undefined ? [] : [[hash, vector] as const];
        }),
      ),
    async put(model, vectors) {
      for (const [hash, vector] of vectors) kept.set(key(model, hash), vector);
    },
    async touch() {},
    async forget() {},
  };
}

const EMBEDDERS: Embedders = {
  names: [bundled.name],
  version: () => '1',
  create: async (): Promise<Embedder> => bundled.create({}, {} as Host),
};

/** Semantics of the bundled model over a store in memory, for tests of who uses it. It loads in the background: `await settled()` waits for that. */
export function staticSemantics(): HubSemantics {
  return semanticsOf('hubgate-static-en');
}

/** Semantics without a model, for tests that have no use for one: nothing is loaded. */
export function wordsAlone(): HubSemantics {
  return semanticsOf('none');
}

function semanticsOf(model: string): HubSemantics {
  const semantics = new HubSemantics({ log: silent, vectors: memoryVectors(), models: '/nowhere' });
  semantics.configure({ model }, { folder: '/nowhere', embedders: EMBEDDERS });
  return semantics;
}
