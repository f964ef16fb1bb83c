import { endianness } from 'node:os';
import type { VectorStore } from '../core/contracts/store.ts';
import type { Database } from './tables.ts';

const DAY_MS = 86_400_000;
/** Rows of one statement: a few milliseconds of the thread of the store, and a fraction of one to take the answer over. */
const MOST = 256;
/** Rows that are forgotten at once: others want the store too. */
const FORGOTTEN_AT_ONCE = 2000;

/** Vectors are the bytes of their floats: base64 in a text column would be a third larger and costs as long again to decode. */
export function createVectors(db: Database, now: () => number): VectorStore {
  const touch = async (model: string, hashes: readonly string[]): Promise<void> => {
    const update = db.updateTable('text_vector').where('model', '=', model);
    for (const some of portions(hashes)) {
      // Once a day is enough: every write is one more to keep.
      const old = update.where('hash', 'in', some).where('used_at', '<=', now() - DAY_MS);
      await old.set({ used_at: now() }).execute();
    }
  };
  return {
    async get(model, hashes) {
      const found = new Map<string, Float32Array>();
      const old: string[] = [];
      const select = db.selectFrom('text_vector').select(['hash', 'vector', 'used_at']).where('model', '=', model);
      for (const some of portions([...new Set(hashes)])) {
        for (const { hash, vector, used_at } of await select.where('hash', 'in', some).execute()) {
          const floats = toFloats(vector);
          if (floats === undefined) continue;
          found.set(hash, floats);
          if (used_at <= now() - DAY_MS) old.push(hash);
        }
      }
      // A full disk keeps nobody from reading, and the next one who reads touches them.
      await touch(model, old).catch(() => {});
      return found;
    },

    async put(model, vectors) {
      for (const some of portions([...vectors])) {
        await db
          .insertInto('text_vector')
          .values(some.map(([hash, floats]) => ({ model, hash, vector: toBytes(floats), used_at: now() })))
          .onConflict((conflict) =>
            conflict
              .columns(['model', 'hash'])
              .doUpdateSet(({ ref }) => ({ vector: ref('excluded.vector'), used_at: ref('excluded.used_at') })),
          )
          .execute();
      }
    },

    touch,

    async forget(before) {
      // What is in use may not have been touched for a day.
      const since = before - DAY_MS;
      const some = db.selectFrom('text_vector').select('hash').where('used_at', '<', since).limit(FORGOTTEN_AT_ONCE);
      let gone = 1n;
      while (gone > 0n) {
        const done = await db.deleteFrom('text_vector').where('used_at', '<', since).where('hash', 'in', some).executeTakeFirst();
        gone = done.numDeletedRows;
      }
    },
  };
}

/** Parts of at most MOST, their sizes powers of two, so that there are few different statements to prepare. */
function* portions<T>(all: readonly T[]): Generator<T[]> {
  let from = 0;
  while (from < all.length) {
    const size = Math.min(MOST, 2 ** Math.floor(Math.log2(all.length - from)));
    yield all.slice(from, from + size);
    from += size;
  }
}

/** A copy of its own: what crosses to the thread of the store takes along the whole memory that it is a part of. */
function toBytes(floats: Float32Array): Uint8Array {
  return swapped(new Uint8Array(new Float32Array(floats).buffer));
}

/** Undefined for what is no vector. */
function toFloats(bytes: Uint8Array): Float32Array | undefined {
  if (bytes.length === 0 || bytes.length % Float32Array.BYTES_PER_ELEMENT !== 0) return undefined;
  return new Float32Array(swapped(new Uint8Array(bytes)).buffer);
}

/** At rest they are little-endian, on every machine. */
function swapped(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (endianness() === 'BE') Buffer.from(bytes.buffer).swap32();
  return bytes;
}
