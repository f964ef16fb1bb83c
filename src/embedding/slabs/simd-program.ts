/**
 * The bytes of a WebAssembly module with one function: dot products of a query with rows that follow one another, 16 numbers at a time (SIMD), which takes a
 * quarter of the time that a loop in JavaScript does. All of it is below, in the words of the specification (webassembly.github.io/spec/core/binary), so that there
 * is neither a binary nor a compiler to keep.
 *
 * It imports the memory `m.m` and exports `d(query, rows, count, rowBytes, out)`: places in bytes, `rowBytes` a multiple of 64, `count` at least 1; `out` gets a 32-bit
 * float for each row.
 */
export function simdProgram(): Uint8Array<ArrayBuffer> {
  const body = code();
  return new Uint8Array([
    ...HEADER,
    ...section(1, [1, 0x60, 5, I32, I32, I32, I32, I32, 0]),
    ...section(2, [1, ...name('m'), ...name('m'), 0x02, 0x00, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('d'), 0x00, 0]),
    ...section(10, [1, ...size(body.length), ...body]),
  ]);
}

/** `\0asm`, version 1. */
const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const I32 = 0x7f;
const V128 = 0x7b;

// The parameters, then locals: the end of all rows, where it is in a row and in the query, the end of the row, and four sums of four.
const [QUERY, ROWS, COUNT, ROW_BYTES, OUT, END, AT_ROW, AT_QUERY, ROW_END, SUM] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
const SUMS = [0, 1, 2, 3];

/** Bytes in groups. */
type Code = readonly (number | Code)[];

const flat = (code: Code): number[] => code.flatMap((one) => (typeof one === 'number' ? one : flat(one)));
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const tee = (local: number): number[] => [0x22, local];
const loop = (inside: Code): Code => [0x03, 0x40, inside, 0x0b];
const AGAIN_IF = [0x0d, 0x00];
const I32_ADD = [0x6a];
const I32_MUL = [0x6c];
const I32_LESS = [0x49];
/** 64 takes two bytes, as the sign is in the last one. */
const I32_64 = [0x41, 0xc0, 0x00];
const I32_4 = [0x41, 0x04];
const F32_ADD = [0x92];
const F32_STORE = [0x38, 0x02, 0x00];
const ADD = [0xfd, 0xe4, 0x01];
const MUL = [0xfd, 0xe6, 0x01];
const ZEROS = [0xfd, 0x0c, ...Array.from({ length: 16 }, () => 0)];
const load = (offset: number): number[] => [0xfd, 0x00, 0x02, offset];
const lane = (number: number): number[] => [0xfd, 0x1f, number];

function code(): number[] {
  const multiply = SUMS.map((sum) => [
    get(SUM + sum),
    [get(AT_ROW), load(16 * sum), get(AT_QUERY), load(16 * sum), MUL, ADD],
    set(SUM + sum),
  ]);
  const step = [get(AT_QUERY), I32_64, I32_ADD, set(AT_QUERY), get(AT_ROW), I32_64, I32_ADD, tee(AT_ROW), get(ROW_END), I32_LESS, AGAIN_IF];
  const addUp = [get(SUM), get(SUM + 1), ADD, get(SUM + 2), get(SUM + 3), ADD, ADD, tee(SUM)];
  const addLanes = [lane(0), get(SUM), lane(1), F32_ADD, get(SUM), lane(2), get(SUM), lane(3), F32_ADD, F32_ADD];
  const row = [
    [get(QUERY), set(AT_QUERY), get(AT_ROW), get(ROW_BYTES), I32_ADD, set(ROW_END)],
    SUMS.map((sum) => [ZEROS, set(SUM + sum)]),
    loop([multiply, step]),
    [get(OUT), addUp, addLanes, F32_STORE],
    [get(OUT), I32_4, I32_ADD, set(OUT), get(AT_ROW), get(END), I32_LESS, AGAIN_IF],
  ];
  const start = [get(ROWS), get(COUNT), get(ROW_BYTES), I32_MUL, I32_ADD, set(END), get(ROWS), set(AT_ROW)];
  return flat([2, 4, I32, 4, V128, start, loop(row), 0x0b]);
}

const section = (id: number, bytes: readonly number[]): number[] => [id, ...size(bytes.length), ...bytes];
const name = (letter: string): number[] => [1, letter.charCodeAt(0)];
/** LEB128. */
const size = (count: number): number[] => (count < 128 ? [count] : [(count & 127) | 128, ...size(count >> 7)]);
