import { simdProgram } from './simd-program.ts';

/** Numbers that are multiplied in one step: rows are filled up with zeros to a multiple. */
const STEP = 16;
const BYTES = Float32Array.BYTES_PER_ELEMENT;
const PAGE_BYTES = 65_536;
/** Rows are copied in blocks of about this size, which stay in the processor's cache while all queries are multiplied with them. */
const BLOCK_BYTES = 4 * PAGE_BYTES;
const MOST_ROWS = 1024;

/** Only what is used here: its types come with those of browsers. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

type Multiply = (query: number, rows: number, count: number, rowBytes: number, out: number) => void;

/** Numbers that a row of so many takes up. */
export const rowLength = (dims: number): number => Math.ceil(dims / STEP) * STEP;

/**
 * Where rows are multiplied. The memory holds the products of a block, then the query, then the rows. One is enough for a process: nobody else runs between
 * filling it and reading it.
 */
class DotMachine {
  readonly #memory = new WebAssembly.Memory({ initial: 8 });
  readonly #multiply: Multiply;
  #numbers = new Float32Array(this.#memory.buffer);

  constructor() {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(simdProgram()), { m: { m: this.#memory } });
    this.#multiply = exports['d'] as Multiply;
  }

  /** How many rows of so many numbers a block has. */
  blockRows(length: number): number {
    return Math.min(MOST_ROWS, Math.max(1, Math.floor(BLOCK_BYTES / (length * BYTES))));
  }

  /** The place of a block's rows, to be filled before `multiply`. */
  block(length: number): Float32Array {
    const start = MOST_ROWS + length;
    const end = start + this.blockRows(length) * length;
    const lacking = end * BYTES - this.#memory.buffer.byteLength;
    if (lacking > 0) {
      this.#memory.grow(Math.ceil(lacking / PAGE_BYTES));
      this.#numbers = new Float32Array(this.#memory.buffer);
    }
    return this.#numbers.subarray(start, end);
  }

  /** The products of the query with the first `count` rows of the block; good until the next call. */
  multiply(query: Float32Array, count: number, length: number): Float32Array {
    this.#numbers.fill(0, MOST_ROWS, MOST_ROWS + length);
    this.#numbers.set(query, MOST_ROWS);
    this.#multiply(MOST_ROWS * BYTES, (MOST_ROWS + length) * BYTES, count, length * BYTES, 0);
    return this.#numbers.subarray(0, count);
  }
}

let machine: DotMachine | undefined;

export function dotMachine(): DotMachine {
  machine ??= new DotMachine();
  return machine;
}
