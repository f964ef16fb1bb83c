import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectModelFolder, modelNames, readSums } from '../../../../src/embedding/models/model-folder.ts';
import { sha256, tinyModel, writeModel } from '../../../support/model-mirror.ts';

const WEIGHTS = 'onnx/model_quantized.onnx';
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hubgate-folder-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const make = (more: Readonly<Record<string, string | Buffer>> = {}, without: readonly string[] = []): Promise<string> => {
  const files = tinyModel(more);
  for (const name of without) files.delete(name);
  return writeModel(join(root, 'tiny'), files);
};

describe('a folder of a model', () => {
  it('tells what is in it', async () => {
    const path = await make({ SHA256SUMS: `${sha256(tinyModel().get(WEIGHTS)!)}  ${WEIGHTS}\n` });
    expect(await inspectModelFolder(path)).toMatchObject({ path, name: 'tiny', state: 'ok', dims: 32, licence: 'apache-2.0' });
    const { files, problem } = await inspectModelFolder(path);
    expect(files.map(({ name }) => name)).toEqual([
      'README.md',
      'SHA256SUMS',
      'config.json',
      WEIGHTS,
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(files.find(({ name }) => name === WEIGHTS)?.size).toBe(300_000);
    expect(problem).toBeUndefined();
  });

  it.each<[string, Readonly<Record<string, string | Buffer>>, readonly string[], string, string]>([
    ['one file is missing', {}, [WEIGHTS], 'incomplete', `${WEIGHTS} is missing`],
    ['several are', {}, ['tokenizer.json', 'config.json'], 'incomplete', 'config.json, tokenizer.json are missing'],
    [
      'a sum is another',
      { SHA256SUMS: `${'0'.repeat(64)} *${WEIGHTS}\n` },
      [],
      'corrupt',
      `${WEIGHTS} is not the file that SHA256SUMS tells of`,
    ],
    ['weights are empty', { [WEIGHTS]: '' }, [], 'corrupt', `${WEIGHTS} is empty`],
    ['Git LFS was not there', { [WEIGHTS]: 'version https://git-lfs.github.com/spec/v1\n' }, [], 'corrupt', 'git lfs pull'],
    ['the tokenizer is cut', { 'tokenizer.json': '{"model": {' }, [], 'corrupt', 'tokenizer.json is not JSON'],
  ])('says what is wrong when %s', async (_, more, without, state, problem) => {
    const found = await inspectModelFolder(await make(more, without));
    expect(found.state).toBe(state);
    expect(found.problem).toContain(problem);
  });

  it('hashes large files in a thread', async () => {
    const large = Buffer.alloc(5_000_000, 'weights');
    const path = await make({ [WEIGHTS]: large, SHA256SUMS: `${sha256(large)}  ./${WEIGHTS}\n` });
    expect((await inspectModelFolder(path)).state).toBe('ok');
    large[4_999_999]! ^= 1;
    await writeFile(join(path, WEIGHTS), large);
    expect((await inspectModelFolder(path)).problem).toContain(`${WEIGHTS} is not`);
  });

  it('never leaves the folder for what sums name', async () => {
    await writeFile(join(root, 'secret'), 'x');
    expect((await inspectModelFolder(await make({ SHA256SUMS: `${'0'.repeat(64)}  ../secret\n` }))).state).toBe('ok');
  });

  it('is incomplete when it cannot be read', async () => {
    expect(await inspectModelFolder(join(root, 'none'))).toMatchObject({
      name: 'none',
      state: 'incomplete',
      files: [],
      problem: expect.any(String),
    });
  });

  it('may be the bundled one', async () => {
    const path = new URL('../../../../packages/hubgate-static-en', import.meta.url).pathname;
    expect(await inspectModelFolder(path)).toMatchObject({ state: 'ok', dims: 256, licence: 'apache-2.0' });
  });
});

it('names of models are those of folders and links to folders, never hidden ones', async () => {
  const path = await make();
  await writeModel(join(root, '.tiny.new'), tinyModel());
  await symlink(path, join(root, 'linked'));
  await writeFile(join(root, 'file'), '');
  expect(await modelNames(root)).toEqual(['linked', 'tiny']);
  expect((await inspectModelFolder(join(root, 'linked'))).state).toBe('ok');
  expect(await modelNames(join(root, 'none'))).toEqual([]);
});

it('reads what sha256sum writes, and any other text without an error', () => {
  const line = fc.tuple(fc.stringMatching(/^[0-9a-f]{64}$/), fc.stringMatching(/^[\w-]{1,10}(?:\/[\w-][\w .-]{0,10}\w)?$/));
  fc.assert(
    fc.property(fc.uniqueArray(line, { selector: ([, name]) => name }), fc.constantFrom('  ', ' *'), (lines, gap) => {
      const text = lines.map(([sum, name]) => `${sum}${gap}${name}\n`).join('');
      expect([...readSums(text)]).toEqual(lines.map(([sum, name]) => [name, sum]));
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void readSums(text)));
});
