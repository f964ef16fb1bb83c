import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startMirror, tinyModel, writeModel } from '../../support/model-mirror.ts';
import { makeFolder, runHere, type CliResult } from './run-cli.ts';

const WEIGHTS = 'onnx/model_quantized.onnx';
let cwd: string;

beforeEach(async () => {
  cwd = await makeFolder();
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const run = (...args: string[]): Promise<CliResult> => runHere(cwd, ['models', ...args]);
const put = (name: string, files = tinyModel()): Promise<string> => writeModel(join(cwd, 'data/models', name), files);

interface Listed {
  readonly folder: string;
  readonly models: readonly { name: string; state: string; problem?: string; size: number; bundled: boolean; inUse: boolean }[];
  readonly available: readonly { name: string; repo: string }[];
}
const list = async (): Promise<Listed> => JSON.parse((await run('list', '--json')).stdout) as Listed;

describe('models list', () => {
  it('shows the bundled model, those that are here with what is wrong with them, and what can be pulled', async () => {
    await put('all-MiniLM-L6-v2');
    const half = tinyModel();
    half.delete(WEIGHTS);
    await put('half', half);
    await put('.gte-small.new');
    await mkdir(join(cwd, 'data/models/notes'), { recursive: true });
    const { code, stdout } = await run('list');
    expect(code).toBe(0);
    const rows = stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
    expect(rows).toContain('hubgate-static-en | 8.2 MB | 256 | apache-2.0 | ok (bundled)');
    expect(rows).toContain('all-MiniLM-L6-v2 | 0.3 MB | 32 | apache-2.0 | ok');
    expect(rows).toContain(`half | 1 kB | 32 | apache-2.0 | incomplete: ${WEIGHTS} is missing`);
    expect(rows).toContain('gte-small | 35 MB | 384 | mit | English');
    expect(stdout).not.toContain('notes');

    const { folder, models, available } = await list();
    expect(folder).toBe(join(cwd, 'data/models'));
    expect(models.map(({ name, state, bundled, inUse }) => [name, state, bundled, inUse])).toEqual([
      ['hubgate-static-en', 'ok', true, false],
      ['all-MiniLM-L6-v2', 'ok', false, false],
      ['half', 'incomplete', false, false],
    ]);
    expect(available.map(({ name }) => name)).toEqual(['bge-small-en-v1.5', 'gte-small', 'multilingual-e5-small']);
  });

  it('looks where embedding.folder points', async () => {
    await writeFile(join(cwd, 'hubgate.yaml'), 'embedding: { folder: ./weights }\n');
    await writeModel(join(cwd, 'weights/tiny'), tinyModel());
    expect(await list()).toMatchObject({ folder: join(cwd, 'weights'), models: [{}, { name: 'tiny' }] });
  });
});

describe('models pull', () => {
  it('says what was checked against what, where it is, and what to do next', async () => {
    const mirror = await startMirror('Xenova/gte-small', tinyModel());
    const { code, stdout, stderr } = await run('pull', 'GTE-small', '--from', mirror.url);
    await mirror.close();
    expect(code).toBe(0);
    expect(stderr).toContain(`Pulling Xenova/gte-small from ${mirror.url}.\n  licence: apache-2.0\n`);
    expect(stderr).toContain('No hub is running here.');
    expect(stdout).toMatch(/^gte-small is in .*data\/models\/gte-small: 0\.3 MB, 32 dims, licence apache-2\.0, revision c0ffee0+\.$/m);
    expect(stdout).toMatch(/model_quantized\.onnx +0\.3 MB +SHA-256, by the header x-linked-etag of the source/);
    expect(stdout).toMatch(/tokenizer\.json +1 kB +git blob, by the ETag of the source/);
  });

  it('takes HUBGATE_MODELS_URL for the mirror, and goes around a network that is not there', async () => {
    const { url, close } = await startMirror('nobody/nothing', tinyModel());
    await close();
    const { code, stderr } = await runHere(cwd, ['models', 'pull', 'all-MiniLM-L6-v2'], { HUBGATE_MODELS_URL: url });
    expect(code).toBe(1);
    expect(stderr).toContain(`${new URL(url).host} cannot be reached: ECONNREFUSED.`);
    expect(stderr).toContain('NODE_USE_ENV_PROXY=1 HTTPS_PROXY=http://proxy.example:3128 hubgate models pull all-MiniLM-L6-v2\n');
    expect(stderr).toContain('of Xenova/all-MiniLM-L6-v2 here, then hubgate models pull all-MiniLM-L6-v2 --from ./FOLDER');
  });

  it.each([
    [['pull', 'nobody-knows-it'], /"nobody-knows-it" is no model that is known here\. Known: all-MiniLM-L6-v2, /],
    [['pull', 'a/b/c'], /is no model that is known here/],
    [['pull', '../x', '--from', '.'], /is no model that is known here/],
    [['pull', 'gte-small', '--revision', '../x y'], /names no branch, tag or commit/],
    [['pull', 'gte-small', '--from', 'https://me:secret@mirror.example'], /user name or password in it is not taken/],
    [['pull', 'gte-small', '--from', 'https://mirror.example/?a=b'], /have no place in it/],
    [['pull', 'gte-small', '--from', 'ftp://mirror.example'], /come by http or https, or from a folder/],
    [['pull', 'gte-small', '--from', 'file://host/x'], /names a folder of this machine/],
    [['remove', '../data'], /names no model/],
  ])('refuses %j as wrong usage', async (args, message) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('models remove', () => {
  it('removes a model and what a download has left of it, and nothing that is none', async () => {
    await put('tiny');
    await put('.tiny.partial');
    await writeModel(join(cwd, 'elsewhere'), tinyModel());
    await symlink(join(cwd, 'elsewhere'), join(cwd, 'data/models/linked'));
    await mkdir(join(cwd, 'data/models/notes'));
    expect((await run('remove', 'tiny')).stdout).toMatch(/^tiny is removed from /);
    expect((await run('remove', 'linked')).code).toBe(0);
    expect(existsSync(join(cwd, 'elsewhere', WEIGHTS))).toBe(true);
    expect(await run('remove', 'notes')).toMatchObject({ code: 1, stderr: expect.stringContaining('no file of a model') });
    expect(await run('remove', 'tiny')).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no model tiny') });
    expect(await run('remove', 'hubgate-static-en')).toMatchObject({ code: 1, stderr: expect.stringContaining('comes with Hubgate') });
    expect(await readdir(join(cwd, 'data/models'))).toEqual(['notes']);
  });
});
