import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { wordPieces } from './word-piece.ts';

const FORMAT = 2;

/** A row of signed bytes for each entry of a vocabulary, and what each row is multiplied by. */
export interface StaticTable {
  readonly dims: number;
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly rows: Int8Array;
  readonly scales: Float32Array;
}

/** The folder of a static model, as the package hubgate-static-en has it. Rejects with an error that names the file when one is missing, cut or changed. */
export async function readStaticTable(folder: string): Promise<StaticTable> {
  const sums = digests(await readFile(join(folder, 'SHA256SUMS'), 'utf8'));
  const read = async (name: string): Promise<Buffer> => {
    const file = join(folder, name);
    const bytes = await readFile(file);
    if (hash('sha256', bytes) !== sums.get(name))
      throw new Error(`${file} is damaged: its SHA-256 is not that of SHA256SUMS beside it. Install it again.`);
    return bytes;
  };
  const [description, bytes, scales] = await Promise.all([read('static.json'), read('static.i8'), read('static.scales.f32')]);
  const { version, dims, vocab } = JSON.parse(description.toString()) as { version: number; dims: number; vocab: readonly string[] };
  const file = join(folder, 'static.json');
  if (version !== FORMAT) throw new Error(`${file}: this is version ${version}, and ${FORMAT} is what can be read.`);
  if (bytes.length !== vocab.length * dims || scales.length !== vocab.length * Float32Array.BYTES_PER_ELEMENT) {
    throw new Error(`${file}: ${vocab.length} entries of ${dims} numbers are not what static.i8 and static.scales.f32 beside it hold.`);
  }
  return {
    dims,
    vocabulary: new Map(vocab.map((entry, index) => [entry, index])),
    rows: new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length),
    scales: Float32Array.from(vocab, (_, index) => scales.readFloatLE(index * Float32Array.BYTES_PER_ELEMENT)),
  };
}

/** By file name, of what `sha256sum` writes. */
function digests(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)].map(([, digest = '', name = '']) => [name, digest]));
}

/** The unit vector of a text: the mean over its pieces. All zeros when there is no piece, which is like nothing. */
export function embedByTable({ dims, vocabulary, rows, scales }: StaticTable, text: string): Float32Array {
  const vector = new Float32Array(dims);
  for (const piece of wordPieces(text, vocabulary)) {
    const scale = scales[piece]!;
    const start = piece * dims;
    for (let dim = 0; dim < dims; dim++) vector[dim]! += rows[start + dim]! * scale;
  }
  let squares = 0;
  for (let dim = 0; dim < dims; dim++) squares += vector[dim]! * vector[dim]!;
  if (squares === 0) return vector;
  const length = Math.sqrt(squares);
  for (let dim = 0; dim < dims; dim++) vector[dim]! /= length;
  return vector;
}
