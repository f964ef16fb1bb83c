import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inspectModelFolder } from '../../../../src/embedding/models/model-folder.ts';
import { AddressError, sourcesAt } from '../../../../src/embedding/models/pull/find-source.ts';
import { pullModel, type PullOptions } from '../../../../src/embedding/models/pull/pull-model.ts';
import { COMMIT, sha256, startMirror, tinyModel, writeModel, type Mirror } from '../../../support/model-mirror.ts';

const WEIGHTS = 'onnx/model_quantized.onnx';
const REPO = 'Somebody/tiny';
let models: string;
let mirror: Mirror;

beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), 'hubgate-models-'));
  mirror = await startMirror(REPO, tinyModel());
});
afterEach(async () => {
  await mirror.close();
  await rm(models, { recursive: true, force: true });
});

const pull = (more: Partial<PullOptions> = {}, from = mirror.url, silenceMs = 5000): ReturnType<typeof pullModel> => {
  const wanted = { name: 'tiny', repo: REPO, ...more };
  return pullModel({ ...wanted, models, pauseMs: 1, candidates: sourcesAt(from, { ...wanted, revision: 'main' }, { silenceMs }), ...more });
};
const failure = (pulled: Promise<unknown>): Promise<string> =>
  pulled.then(
    () => 'it did not fail',
    (error: unknown) => (error as Error).message,
  );
const weightsAsked = () => mirror.asked.filter(({ path }) => path.includes('model_quantized'));
const useMirror = async (...given: Parameters<typeof startMirror>): Promise<void> => {
  await mirror.close();
  mirror = await startMirror(...given);
};

describe('pulling a model', () => {
  it('brings every file from one commit, checks what the source tells, and leaves nothing beside it', async () => {
    const onLicence = vi.fn();
    const pulled = await pull({ onLicence });
    expect(pulled?.folder).toMatchObject({ path: join(models, 'tiny'), name: 'tiny', state: 'ok', dims: 32, licence: 'apache-2.0' });
    expect(onLicence).toHaveBeenCalledExactlyOnceWith('apache-2.0');
    expect(pulled?.source.revision).toBe(COMMIT);
    expect(Object.fromEntries(pulled?.files.map(({ name, checks }) => [name, checks]) ?? [])).toEqual({
      'config.json': ['git blob'],
      'tokenizer.json': ['git blob'],
      'tokenizer_config.json': ['git blob'],
      'README.md': ['git blob'],
      [WEIGHTS]: ['x-linked-etag'],
    });
    expect(await readdir(models)).toEqual(['tiny']);
    const [first, ...others] = mirror.asked.map(({ path }) => path).filter((path) => path.includes('/resolve/'));
    expect(first).toBe(`/${REPO}/resolve/main/config.json`);
    expect(others.every((path) => path.startsWith(`/${REPO}/resolve/${COMMIT}/`))).toBe(true);
    for (const [name, content] of mirror.files) expect(await readFile(join(models, 'tiny', name))).toEqual(content);
    expect(await readFile(join(models, 'tiny/SHA256SUMS'), 'utf8')).toContain(`${sha256(mirror.files.get(WEIGHTS)!)}  ${WEIGHTS}\n`);
    const origin = JSON.parse(await readFile(join(models, 'tiny/hubgate-model.json'), 'utf8')) as object;
    expect(origin).toMatchObject({ repo: REPO, from: `${mirror.url}/${REPO}`, revision: COMMIT, licence: 'apache-2.0' });
  });

  it('goes on where a connection broke', async () => {
    mirror.cuts.push(100_000, 50_000);
    const again = vi.fn();
    await pull({ onProgress: ({ again: why, bytes }) => why !== undefined && again(bytes) });
    expect(again.mock.calls).toEqual([[100_000], [150_000]]);
    const etag = `"${'0'.repeat(64)}"`;
    expect(weightsAsked().filter(({ path }) => path.startsWith('/blob/'))).toEqual([
      { path: expect.any(String) },
      { path: expect.any(String), range: 'bytes=100000-', ifRange: etag },
      { path: expect.any(String), range: 'bytes=150000-', ifRange: etag },
    ]);
    expect((await inspectModelFolder(join(models, 'tiny'))).state).toBe('ok');
  });

  it('goes on in the next run where it was given up, and shows no half model meanwhile', async () => {
    mirror.cuts.push(120_000, 0, 0, 0, 0);
    expect(await failure(pull())).toContain('broke off');
    expect(await readdir(models)).toEqual(['.tiny.partial']);
    mirror.cuts.length = 0;
    mirror.asked.length = 0;
    await pull();
    expect(weightsAsked().at(-1)?.range).toBe('bytes=120000-');
    expect(await readdir(models)).toEqual(['tiny']);
    expect((await inspectModelFolder(join(models, 'tiny'))).state).toBe('ok');
  });

  it('begins again when the file has become another', async () => {
    mirror.cuts.push(120_000, 0, 0, 0, 0);
    await failure(pull());
    mirror.cuts.length = 0;
    mirror.files = tinyModel({ [WEIGHTS]: Buffer.alloc(200_000, 'other') });
    await pull();
    expect(await readFile(join(models, 'tiny', WEIGHTS))).toEqual(mirror.files.get(WEIGHTS));
  });

  it.each([
    ['damaged', Buffer.alloc(120_000)],
    ['longer than the file', Buffer.alloc(400_000)],
  ])('begins again when the part that was kept is %s', async (_, kept) => {
    mirror.cuts.push(120_000, 0, 0, 0, 0);
    await failure(pull());
    mirror.cuts.length = 0;
    await writeFile(join(models, '.tiny.partial/onnx__model_quantized.onnx'), kept);
    await pull();
    expect(await readFile(join(models, 'tiny', WEIGHTS))).toEqual(mirror.files.get(WEIGHTS));
    expect(await readdir(models)).toEqual(['tiny']);
  });

  it('refuses and removes what is not what the source says', async () => {
    const wrong = Buffer.alloc(300_000, 'wrong');
    mirror.fault = (file, _request, response) => {
      if (file !== WEIGHTS) return false;
      response.writeHead(200, { 'x-linked-etag': `"${'a'.repeat(64)}"` }).end(wrong);
      return true;
    };
    const message = await failure(pull());
    expect(message).toContain(`x-linked-etag says ${'a'.repeat(64)}, and what came has ${sha256(wrong)}`);
    expect(message).toContain('It was removed');
    expect(await readdir(models)).toEqual([]);

    mirror.fault = (file, _request, response) => {
      if (file !== 'tokenizer.json') return false;
      response.writeHead(200, { 'x-repo-commit': COMMIT, etag: `"${'b'.repeat(40)}"` }).end('{}');
      return true;
    };
    expect(await failure(pull())).toContain('git blob');
    expect(await readdir(models)).toEqual([]);
  });

  it('refuses a licence that is not permissive before the weights come, unless it is accepted', async () => {
    mirror.files = tinyModel({ 'README.md': '---\nlicense: cc-by-nc-4.0\n---\n' });
    expect(await failure(pull({ licence: 'mit' }))).toMatch(/licence cc-by-nc-4.0.*--accept-licence.*not downloaded/s);
    mirror.files.delete('README.md');
    expect(await failure(pull())).toMatch(/says no licence/);
    expect(weightsAsked()).toEqual([]);
    expect(await readdir(models)).toEqual([]);
    expect((await pull({ acceptLicence: true }))?.folder).not.toHaveProperty('licence');
    expect((await pull({ licence: 'mit', force: true }))?.folder.licence).toBe('mit');
  });

  it('takes the files of any web server, with SHA256SUMS beside them', async () => {
    const files = tinyModel();
    files.set('SHA256SUMS', Buffer.from(`${sha256(files.get(WEIGHTS)!)}  ${WEIGHTS}\n`));
    await useMirror(REPO, files, { plain: true });
    mirror.cuts.push(90_000);
    const pulled = await pull();
    expect(pulled?.source).toMatchObject({ shown: mirror.url });
    expect(pulled?.source.revision).toBeUndefined();
    expect(Object.fromEntries(pulled?.files.map(({ name, checks }) => [name, checks]) ?? [])).toMatchObject({
      [WEIGHTS]: ['SHA256SUMS'],
      'config.json': ['size'],
    });
    expect(weightsAsked().map(({ range }) => range)).toContain('bytes=90000-');

    files.set(WEIGHTS, Buffer.alloc(300_000, 'changed'));
    expect(await failure(pull({ force: true }))).toContain('SHA256SUMS says');
    expect((await inspectModelFolder(join(models, 'tiny'))).state).toBe('ok');
  });

  it('takes a folder, or one below it, without the network', async () => {
    const bring = join(models, 'bring');
    await writeModel(join(bring, 'tiny'), tinyModel());
    expect((await pull({}, bring))?.folder.state).toBe('ok');
    expect((await pull({ name: 'other' }, `file://${bring}/tiny`))?.folder.state).toBe('ok');
    expect(await failure(pull({ name: 'third' }, join(models, 'nowhere')))).toContain('no config.json there');
    expect(mirror.asked).toEqual([]);
  });

  it('leaves a whole model as it is, mends one that is not, and keeps owners apart', async () => {
    await pull();
    const before = await stat(join(models, 'tiny', WEIGHTS));
    mirror.asked.length = 0;
    expect(await pull()).toBeUndefined();
    expect(mirror.asked).toEqual([]);
    expect(await failure(pull({ repo: 'Other/tiny' }))).toMatch(/is Somebody\/tiny already.*--force/);
    expect((await stat(join(models, 'tiny', WEIGHTS))).ino).toBe(before.ino);
    await writeFile(join(models, 'tiny', WEIGHTS), 'damaged');
    expect((await pull())?.folder.state).toBe('ok');
    expect((await pull({ force: true }))?.folder.state).toBe('ok');
    expect(await readdir(models)).toEqual(['tiny']);
  });

  it('leaves a whole model as it is when nobody can read where it came from', async () => {
    await pull();
    await writeFile(join(models, 'tiny/hubgate-model.json'), '{"repo": "Other/ti');
    expect(await pull()).toBeUndefined();
  });
});

describe('when it cannot be pulled', () => {
  const answer =
    (status: number, headers: Record<string, string> = {}, body = ''): Mirror['fault'] =>
    (_file, _request, response) => {
      response.writeHead(status, headers).end(body);
      return true;
    };

  it.each<[string, Mirror['fault'], RegExp]>([
    ['401', answer(401), /answers 401: it has no such model, or shows it only to those who log in/],
    ['503', answer(503), /answers 503 now. Try again later/],
    ['418', answer(418), /answers 418, which is no file/],
    ['a login page', answer(200, { 'content-type': 'text/html; charset=utf-8' }, '<html>'), /answers with a web page/],
    ['a circle', answer(302, { location: '?' }), /redirects more than 5 times/],
    ['another scheme', answer(302, { location: 'ftp://x.example/' }), /redirects to an address that is not followed/],
  ])('says so: %s', async (_, fault, message) => {
    mirror.fault = fault;
    expect(await failure(pull())).toMatch(message);
    expect(await readdir(models)).toEqual([]);
  });

  it('names the model, the places and what is missing', async () => {
    const nothing = await failure(pull({ repo: 'Somebody/none', name: 'none' }));
    expect(nothing).toContain(`There is no model Somebody/none at ${mirror.url}/Somebody/none, ${mirror.url}/none, ${mirror.url}`);
    mirror.files.delete(WEIGHTS);
    expect(await failure(pull())).toMatch(/has no onnx\/model_quantized.onnx.*transformers.js/);
    mirror.files.delete('tokenizer.json');
    expect(await failure(pull())).toMatch(/has no tokenizer.json/);
    expect(await readdir(models)).toEqual([]);
  });

  it('never waits for ever', async () => {
    mirror.fault = (file) => file === 'config.json';
    expect(await failure(pull({}, mirror.url, 50))).toContain('nothing came for 0.05 s');
    const { url } = mirror;
    await mirror.close();
    expect(await failure(pull({}, url))).toMatch(/127\.0\.0\.1:\d+ cannot be reached: ECONNREFUSED/);
    mirror = await startMirror(REPO, tinyModel());
  });

  it('asks for room before it writes', async () => {
    expect(await failure(pull({ freeBytes: async () => 16_100_000 }))).toMatch(
      /onnx\/model_quantized.onnx needs 16.3 MB in .*, where 16.1 MB are free/,
    );
    expect(await readdir(models)).toEqual([]);
  });

  it('takes no small file of 50 MB and more, nor weights of 2 GB', async () => {
    for (const [name, size] of [
      ['tokenizer.json', 50_000_001],
      [WEIGHTS, 2_000_000_001],
    ] as const) {
      mirror.fault = (file, _request, response) => {
        if (file !== name) return false;
        response.writeHead(200, { 'content-length': size }).write('{');
        return true;
      };
      expect(await failure(pull({ freeBytes: async () => 1e12 }))).toMatch(/is larger than it may be: it says (?:50|2000)\.0 MB/);
    }
    expect(await readdir(models)).toEqual([]);
  });

  it('refuses weights that Git LFS has not brought, and names that are paths', async () => {
    mirror.files.set(WEIGHTS, Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\n'));
    expect(await failure(pull())).toContain('is a pointer of Git LFS');
    for (const name of ['../tiny', '.tiny', '', 'a/b', '..']) expect(await failure(pull({ name }))).toContain('cannot name a model');
    expect(await readdir(models)).toEqual([]);
  });

  it.each([
    'https://me:secret@mirror.example',
    'https://me:secret@',
    'https://mirror.example/?a=secret',
    'ftp://mirror.example',
    'http://',
    'file://host/x',
    'file:///a%2Fb',
  ])('refuses the address %s', (from) => {
    expect(() => sourcesAt(from, { name: 'tiny', revision: 'main' })).toThrow(AddressError);
    expect(() => sourcesAt(from, { name: 'tiny', revision: 'main' })).not.toThrow(/secret/);
  });
});
