import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCandidates, type Candidates } from '../../../src/embedding/find-candidates.ts';

let folder: string;
const find = (model: string, more: object = {}): Promise<Candidates> =>
  findCandidates(model, { models: join(folder, 'models'), folder, extensions: ['remote', 'mine'], options: { size: 3 }, ...more });
const shown = ({ found }: Candidates): string[] => found.map(({ rung, options }) => [rung, options['path']].filter(Boolean).join(' '));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubgate-candidates-'));
  for (const name of ['zebra', 'alpaca', 'bge-small-en-v1.5', 'all-MiniLM-L6-v2', 'hubgate-static-en', '.pulling'])
    await mkdir(join(folder, 'models', name), { recursive: true });
  await writeFile(join(folder, 'models/README.md'), 'no model');
  await mkdir(join(folder, 'models/alpaca/1_Pooling'));
  await writeFile(join(folder, 'models/alpaca/1_Pooling/config.json'), '{"pooling_mode_cls_token":true}');
  await writeFile(join(folder, 'models/alpaca/config_sentence_transformers.json'), '{"prompts":{"query":"q: ","document":"d: "}}');
});
afterAll(() => rm(folder, { recursive: true }));

describe('the name of a model', () => {
  it('auto takes the folders that are there: those that are known by preference, then the others by name', async () => {
    const found = await find('auto');
    const names = ['all-MiniLM-L6-v2', 'bge-small-en-v1.5', 'alpaca', 'zebra'];
    expect(shown(found)).toEqual([...names.map((name) => `transformers ${join(folder, 'models', name)}`), 'static']);
    expect(found.missing).toBeUndefined();
  });

  it('auto without a folder is the bundled model, and tells what would bring a better one', async () => {
    const found = await find('auto', { models: join(folder, 'nothing') });
    expect(shown(found)).toEqual(['static']);
    expect(found.missing).toContain('hubgate models pull all-MiniLM-L6-v2');
  });

  it('knows how texts are given to a model, by its name or by what its folder says', async () => {
    const [bge] = (await find('bge-small-en-v1.5')).found;
    expect(bge).toMatchObject({ traits: { pooling: 'cls', documentPrefix: '' }, options: { pooling: 'cls', folder } });
    expect(bge?.options['queryPrefix']).toMatch(/^Represent this sentence/);
    const [other] = (await find('alpaca')).found;
    expect(other?.traits).toMatchObject({ pooling: 'cls', queryPrefix: 'q: ', documentPrefix: 'd: ' });
  });

  it.each([
    ['none', []],
    ['hubgate-static-en', ['static']],
    ['hub:embed', ['remote', 'static']],
    ['mine', ['mine', 'static']],
  ])('%s', async (model, rungs) => {
    const found = await find(model);
    expect(shown(found)).toEqual(rungs);
    expect(found.missing).toBeUndefined();
  });

  it('gives an embedder of the operator its options, and a route its name', async () => {
    expect((await find('mine')).found[0]?.options).toEqual({ size: 3 });
    expect((await find('hub:a/b')).found[0]?.options).toEqual({ model: 'a/b' });
  });

  it('a path begins where hubgate.yaml is, or is whole', async () => {
    const path = join(folder, 'models/zebra');
    for (const model of ['./models/zebra', path]) expect(shown(await find(model))).toEqual([`transformers ${path}`, 'static']);
    expect((await find('./models/none')).missing).toContain('./models/none');
  });

  it.each(['nope', '../models/zebra/..', '..', 'zebra/../alpaca', '.pulling', 'models\\zebra'])('%s is no folder there', async (model) => {
    const found = await find(model, { models: join(folder, 'models/zebra') });
    expect(shown(found).at(-1)).toBe('static');
    if (!model.startsWith('../')) expect(found.missing).toContain(`hubgate models pull ${model}`);
  });
});
