import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Stands in for the library where tests need no weights: the same calls, and vectors of 16 numbers from the letters of a text. A text with `DIE` ends its thread,
 * one with `FAIL` throws, `SLOW` takes 20 ms, `STUCK` half a second in which nothing is heard; a model whose config.json has `broken` or `hangs` cannot be loaded.
 */
const LIBRARY = `
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
exports.env = { allowRemoteModels: true };
exports.pipeline = async (task, model, options) => {
  const { env } = exports;
  if (env.allowRemoteModels || env.useFSCache || !options.local_files_only || task !== 'feature-extraction') throw new Error('may fetch');
  const config = JSON.parse(readFileSync(join(env.localModelPath, model, 'config.json'), 'utf8'));
  if (config.broken) throw new Error('protobuf parsing failed');
  if (config.hangs) await new Promise((resolve) => setTimeout(resolve, 60_000));
  return async (texts, { pooling, normalize }) => {
    if (!normalize) throw new Error('not of length one');
    if (texts.some((text) => text.includes('DIE'))) process.exit(9);
    if (texts.some((text) => text.includes('FAIL'))) throw new Error('cannot read this');
    if (texts.some((text) => text.includes('STUCK'))) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    if (texts.some((text) => text.includes('SLOW'))) await new Promise((resolve) => setTimeout(resolve, 20));
    const data = new Float32Array(texts.length * 16);
    texts.forEach((text, row) => {
      const vector = data.subarray(row * 16, (row + 1) * 16);
      vector[0] = pooling === 'cls' ? 2 : 1;
      for (const letter of text.toLowerCase()) vector[letter.codePointAt(0) % 16] += 1;
      const length = Math.hypot(...vector);
      vector.forEach((value, at) => (vector[at] = value / length));
    });
    return { data, dims: [texts.length, 16] };
  };
};
`;

/** Below `folder`: the library as `npm i` would put it there. */
export async function installFakeTransformers(folder: string): Promise<void> {
  const place = join(folder, 'node_modules/@huggingface/transformers');
  await mkdir(place, { recursive: true });
  await writeFile(
    join(place, 'package.json'),
    JSON.stringify({ name: '@huggingface/transformers', version: '0.0.0', main: 'library.cjs' }),
  );
  await writeFile(join(place, 'library.cjs'), LIBRARY);
}

/** A folder that looks like a model's; `config` is its config.json. */
export async function writeFakeModel(path: string, config: object = {}): Promise<void> {
  await mkdir(join(path, 'onnx'), { recursive: true });
  const files = { 'config.json': JSON.stringify({ hidden_size: 16, ...config }), 'tokenizer.json': '{}', 'tokenizer_config.json': '{}' };
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  await writeFile(join(path, 'onnx/model_quantized.onnx'), 'weights');
}

/** A new folder with the library and one model in it; `remove` takes it away. */
export async function fakeTransformers(name = 'all-MiniLM-L6-v2'): Promise<{ folder: string; model: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'hubgate-models-'));
  const model = join(folder, 'models', name);
  await installFakeTransformers(folder);
  await writeFakeModel(model);
  return { folder, model, remove: () => rm(folder, { recursive: true, force: true }) };
}
