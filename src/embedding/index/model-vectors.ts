import type { Embedder } from '../../core/contracts/embedder.ts';
import type { VectorStore } from '../../core/contracts/store.ts';
import type { Logger } from '../../core/logger.ts';
import { refusesTexts } from '../refuses-texts.ts';
import { Slabs } from '../slabs/slabs.ts';
import { noiseOf } from './noise.ts';
import { Slice } from './slice.ts';
import { unitVector } from './unit-vector.ts';
import { NO_ROW, VectorLease } from './vector-lease.ts';

/** Texts of one index that are worked on before it is the next one's turn: some seconds of the slowest model. */
const TURN = 256;

/** What an index wants the vectors of. */
export interface Wanted {
  /** SHA-256 of each text, in hex. */
  readonly hashes: readonly string[];
  /** The text with the hash of that place. */
  textAt(index: number): string;
}

interface Text {
  readonly hash: string;
  readonly text: string;
}

interface Order {
  readonly wanted: Wanted;
  readonly lease: VectorLease;
  readonly embedder: Embedder;
  /** Called once, when the embedder fails. */
  readonly onFailure: (error: unknown) => void;
}

/** The vectors of one model, each text once whatever indexes have it. What is wanted is worked on in turns, one order at a time. */
export class ModelVectors {
  readonly slabs: Slabs;
  readonly #model: string;
  readonly #dims: number;
  readonly #store: VectorStore;
  readonly #log: Logger;
  readonly #orders: Order[] = [];
  #writing: Promise<void> = Promise.resolve();
  #noise: number | undefined;
  #isWorking = false;
  #isClosed = false;
  #hasWarned = false;
  #hasRefused = false;

  constructor({ id, dims }: Pick<Embedder, 'id' | 'dims'>, { store, log }: { readonly store: VectorStore; readonly log: Logger }) {
    this.slabs = new Slabs(dims);
    this.#model = id;
    this.#dims = dims;
    this.#store = store;
    this.#log = log;
  }

  /** The cosine that means nothing in this model; known once a lease is complete. */
  get noise(): number {
    return this.#noise ?? 0;
  }

  /** Nobody holds a vector or waits for one. */
  get isIdle(): boolean {
    return !this.#isWorking && this.slabs.size === 0;
  }

  lease(wanted: Wanted, embedder: Embedder, onFailure: (error: unknown) => void): VectorLease {
    const lease = new VectorLease(wanted.hashes.length);
    this.#orders.push({ wanted, lease, embedder, onFailure });
    if (!this.#isWorking) {
      this.#isWorking = true;
      void this.#work();
    }
    return lease;
  }

  /** Resolves when the memory is given back; a lease that is worked on gives it back a moment later. */
  async release(lease: VectorLease): Promise<void> {
    const { isComing } = lease;
    lease.end('released');
    if (!isComing) await this.#letGo(lease);
  }

  /** Stops working and resolves when what was embedded is stored. What is held stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { lease } of this.#orders) lease.end('released');
    await this.#writing;
  }

  async #work(): Promise<void> {
    const slice = new Slice('background');
    await slice.next();
    for (let order = this.#orders[0]; order !== undefined; order = this.#orders[0]) {
      const { lease, onFailure } = order;
      try {
        if (lease.isComing) await this.#turn(order, slice);
      } catch (error) {
        if (lease.isComing) {
          lease.end('failed');
          onFailure(error);
        }
      }
      this.#orders.shift();
      if (!lease.isComing) await this.#letGo(lease);
      else if (lease.done === lease.total) lease.end('complete');
      else this.#orders.push(order);
    }
    this.#isWorking = false;
  }

  async #turn(order: Order, slice: Slice): Promise<void> {
    const { lease, wanted, embedder } = order;
    this.#noise ??= await noiseOf(embedder);
    const end = Math.min(lease.done + TURN, lease.total);
    const missing = new Map<string, number>();
    // Held at once: another index may let go of them while the others are embedded.
    for (let at = lease.done; at < end; at++) {
      const hash = wanted.hashes[at]!;
      const row = this.slabs.hold(hash);
      if (row === undefined) missing.set(hash, at);
      else lease.rows[at] = row;
    }
    const vectors = missing.size === 0 ? undefined : await this.#obtain(order, missing, slice);
    if (!lease.isComing) return;
    for (let at = lease.done; at < end; at++) {
      const hash = wanted.hashes[at]!;
      if (lease.rows[at] === NO_ROW) lease.rows[at] = this.slabs.hold(hash) ?? this.slabs.add(hash, vectors!.get(hash)!);
    }
    lease.done = end;
    if (slice.isOver) await slice.next();
  }

  /** Vectors of the hashes: those that are stored, and the others embedded. Some are left out when the lease is released meanwhile. */
  async #obtain(
    { lease, wanted, embedder }: Order,
    missing: ReadonlyMap<string, number>,
    slice: Slice,
  ): Promise<Map<string, Float32Array>> {
    const vectors = await this.#stored([...missing.keys()]);
    const left = [...missing].filter(([hash]) => !vectors.has(hash)).map(([hash, at]) => ({ hash, text: wanted.textAt(at) }));
    // Texts of like length share a batch: a transformer pads all to the longest.
    left.sort((a, b) => a.text.length - b.text.length);
    const fresh = new Map<string, Float32Array>();
    try {
      for (let from = 0; from < left.length && lease.isComing; from += embedder.batch) {
        const refused = await this.#embed(left.slice(from, from + embedder.batch), embedder, fresh);
        // Not stored: the embedder may take them another day.
        for (const { hash } of refused) vectors.set(hash, new Float32Array(this.#dims));
        if (slice.isOver) await slice.next();
      }
    } finally {
      await this.#keep(fresh);
    }
    for (const [hash, vector] of fresh) vectors.set(hash, vector);
    return vectors;
  }

  /** Adds the vectors. Gives the texts that the embedder refuses: those beside them are embedded all the same. */
  async #embed(batch: readonly Text[], embedder: Embedder, fresh: Map<string, Float32Array>): Promise<readonly Text[]> {
    const texts = batch.map(({ text }) => text);
    try {
      const embedded = await embedder.embed(texts, 'document');
      for (const [at, { hash }] of batch.entries()) fresh.set(hash, unitVector(embedded[at], this.#dims));
      return [];
    } catch (err) {
      if (!refusesTexts(err)) throw err;
      if (batch.length === 1) {
        if (!this.#hasRefused)
          this.#log.warn({ err, embedder: this.#model }, 'the model refuses a text, which is found by its words alone');
        this.#hasRefused = true;
        return batch;
      }
    }
    const half = Math.ceil(batch.length / 2);
    return [...(await this.#embed(batch.slice(0, half), embedder, fresh)), ...(await this.#embed(batch.slice(half), embedder, fresh))];
  }

  async #stored(hashes: readonly string[]): Promise<Map<string, Float32Array>> {
    try {
      const found = await this.#store.get(this.#model, hashes);
      return new Map([...found].filter(([, vector]) => vector.length === this.#dims));
    } catch (err) {
      this.#warn(err, 'stored vectors cannot be read; the texts are embedded again');
      return new Map();
    }
  }

  /** One batch is written while the next is embedded. */
  async #keep(vectors: ReadonlyMap<string, Float32Array>): Promise<void> {
    await this.#writing;
    if (vectors.size === 0 || this.#isClosed) return;
    this.#writing = this.#store.put(this.#model, vectors).catch((err: unknown) => {
      this.#warn(err, 'vectors cannot be stored; they are computed again after a restart');
    });
  }

  /** Once: a store that is broken is so for every batch. */
  #warn(err: unknown, message: string): void {
    if (!this.#hasWarned) this.#log.warn({ err, embedder: this.#model }, message);
    this.#hasWarned = true;
  }

  async #letGo({ rows }: VectorLease): Promise<void> {
    const slice = new Slice('background');
    for (const [at, row] of rows.entries()) {
      if (row === NO_ROW) continue;
      rows[at] = NO_ROW;
      this.slabs.letGo(row);
      if (slice.isOver) await slice.next();
    }
  }
}
