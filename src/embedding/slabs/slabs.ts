import { dotMachine, rowLength } from './dot-products.ts';

const ROWS = 1024;
const SHIFT = 10;

interface Slab {
  readonly numbers: Float32Array;
  /** Who holds each row; none: it is free. */
  readonly holders: Uint32Array;
  readonly hashes: (string | undefined)[];
  readonly free: number[];
}

/** Vectors of one model by the hash of their text: rows in slabs, counted by who holds them, their memory given back when a slab has none. */
export class Slabs {
  /** Numbers from one row to the next. */
  readonly #length: number;
  readonly #slabs: (Slab | undefined)[] = [];
  /** Slabs with a free row. */
  readonly #open = new Set<number>();
  readonly #rows = new Map<string, number>();

  constructor(dims: number) {
    this.#length = rowLength(dims);
  }

  /** Vectors that somebody holds. */
  get size(): number {
    return this.#rows.size;
  }

  /** Of the vectors that somebody holds, as they come and go meanwhile. */
  hashes(): Iterable<string> {
    return this.#rows.keys();
  }

  /** Holds the vector of the hash; its row, or undefined when it is not there. */
  hold(hash: string): number | undefined {
    const row = this.#rows.get(hash);
    if (row !== undefined) this.#slabs[row >> SHIFT]!.holders[row & (ROWS - 1)]! += 1;
    return row;
  }

  /** Takes the vector in, held once; its row. The hash must not be there. */
  add(hash: string, vector: Float32Array): number {
    const number = this.#open.values().next().value ?? this.#addSlab();
    const slab = this.#slabs[number]!;
    const place = slab.free.pop()!;
    if (slab.free.length === 0) this.#open.delete(number);
    slab.numbers.set(vector, place * this.#length);
    slab.holders[place] = 1;
    slab.hashes[place] = hash;
    const row = (number << SHIFT) | place;
    this.#rows.set(hash, row);
    return row;
  }

  letGo(row: number): void {
    const number = row >> SHIFT;
    const place = row & (ROWS - 1);
    const slab = this.#slabs[number]!;
    slab.holders[place]! -= 1;
    if (slab.holders[place]! > 0) return;
    this.#rows.delete(slab.hashes[place]!);
    slab.hashes[place] = undefined;
    slab.free.push(place);
    this.#open.add(number);
    if (slab.free.length < ROWS) return;
    this.#slabs[number] = undefined;
    this.#open.delete(number);
  }

  /** Rows that `products` takes at once. */
  get blockRows(): number {
    return dotMachine().blockRows(this.#length);
  }

  /** The dot products of a block of rows, `from` to `to`, with each of the queries, into `products`: one array for each query, at the place of the row. */
  products(rows: Int32Array, from: number, to: number, queries: readonly Float32Array[], products: readonly Float32Array[]): void {
    const machine = dotMachine();
    const block = machine.block(this.#length);
    // Rows of one index mostly follow one another: they are copied in runs.
    for (let at = from; at < to;) {
      const first = rows[at]!;
      let count = 1;
      while (at + count < to && rows[at + count] === first + count && (first + count) >> SHIFT === first >> SHIFT) count += 1;
      const start = (first & (ROWS - 1)) * this.#length;
      block.set(this.#slabs[first >> SHIFT]!.numbers.subarray(start, start + count * this.#length), (at - from) * this.#length);
      at += count;
    }
    for (const [number, query] of queries.entries()) products[number]!.set(machine.multiply(query, to - from, this.#length), from);
  }

  #addSlab(): number {
    const gap = this.#slabs.indexOf(undefined);
    const number = gap === -1 ? this.#slabs.length : gap;
    this.#slabs[number] = {
      numbers: new Float32Array(ROWS * this.#length),
      holders: new Uint32Array(ROWS),
      hashes: Array.from({ length: ROWS }),
      free: Array.from({ length: ROWS }, (_, place) => ROWS - 1 - place),
    };
    this.#open.add(number);
    return number;
  }
}
