import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startHub, type Hub } from '../../support/start-hub.ts';
import { startMirror, tinyModel, writeModel, type Mirror } from '../../support/model-mirror.ts';

const MAIN = new URL('../../../src/main.ts', import.meta.url).pathname;
const WEIGHTS = 'onnx/model_quantized.onnx';
let hub: Hub;
let mirror: Mirror;

beforeAll(async () => {
  mirror = await startMirror('Xenova/all-MiniLM-L6-v2', tinyModel());
  hub = await startHub({ files: { 'hubgate.yaml': 'embedding: { loadTimeout: 2s }\n' } });
});
afterAll(async () => {
  await hub.stop();
  await mirror.close();
});

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line beside the running hub, in its folder; `began` gets the process. */
async function models(args: readonly string[], began?: (process: ReturnType<typeof spawn>) => void): Promise<Run> {
  const env = { PATH: process.env.PATH, HOME: hub.dir, HUBGATE_MODELS_URL: mirror.url, HUBGATE_ADMIN_PORT: new URL(hub.adminUrl).port };
  const child = spawn(process.execPath, [MAIN, 'models', ...args], { cwd: hub.dir, env });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (out[name] += text));
  began?.(child);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...out };
}

const semantic = async (): Promise<{ active: string; model?: string; reason?: string }> => {
  const answer = await fetch(`${hub.adminUrl}/admin/v1/status`, { headers: { authorization: `Bearer ${hub.adminToken}` } });
  return ((await answer.json()) as { semantic: { active: string; model?: string; reason?: string } }).semantic;
};

it('a pull that was killed goes on where it was, the running hub looks again, and forgets what is removed', async () => {
  // The weights stop half-way until the process is killed.
  let held = true;
  mirror.fault = (file, _request, response) => {
    if (file !== WEIGHTS || !held) return false;
    const content = mirror.files.get(WEIGHTS)!;
    response.writeHead(200, { etag: '"half"', 'content-length': content.length }).write(content.subarray(0, 150_000));
    return true;
  };
  const part = join(hub.dir, 'data/models/.all-MiniLM-L6-v2.partial/onnx__model_quantized.onnx');
  const killed = models(['pull', 'all-MiniLM-L6-v2'], (child) => {
    void vi.waitFor(async () => expect((await stat(part)).size).toBe(150_000), 20_000).finally(() => child.kill('SIGKILL'));
  });
  expect((await killed).code).toBeNull();
  const half = await models(['list']);
  expect(half.stdout).not.toMatch(/all-MiniLM-L6-v2 .* ok/);
  expect(half.stdout).toMatch(/hubgate-static-en .* ok \(bundled, in use\)/);
  expect((await semantic()).reason).toContain('no model folder');

  held = false;
  // Another ETag than the one that the part came with: the whole file again, rather than two halves of different ones.
  const pulled = await models(['pull', 'all-MiniLM-L6-v2']);
  expect(pulled).toMatchObject({ code: 0, stdout: expect.stringContaining('all-MiniLM-L6-v2 is in data/models/all-MiniLM-L6-v2') });
  expect(mirror.asked.findLast(({ path }) => path.startsWith('/blob/'))).toMatchObject({ range: 'bytes=150000-', ifRange: '"half"' });
  expect(await readdir(join(hub.dir, 'data/models'))).toEqual(['all-MiniLM-L6-v2']);
  // These weights are none, which the hub says: it has looked.
  expect(pulled.stderr).toMatch(/The hub answers auto with hubgate-static-en\S*, 256 dims, by static\./);
  await vi.waitFor(async () => expect((await semantic()).reason).not.toContain('no model folder'), 10_000);

  expect(await models(['pull', 'all-MiniLM-L6-v2'])).toMatchObject({ code: 0, stdout: expect.stringContaining('already, and whole') });
  expect(await models(['remove', 'all-MiniLM-L6-v2'])).toMatchObject({ code: 0, stdout: expect.stringContaining('is removed') });
  await vi.waitFor(async () => expect((await semantic()).reason).toContain('no model folder'), 10_000);
});

it('a model comes by hand where there is no network', async () => {
  const bring = join(hub.dir, 'bring');
  await writeModel(bring, tinyModel({ 'README.md': '---\nlicense: cc-by-nc-4.0\n---\n' }));
  const refused = await models(['pull', 'Somebody/tiny', '--from', './bring']);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--accept-licence') });
  const taken = await models(['pull', 'Somebody/tiny', '--from', './bring', '--accept-licence']);
  expect(taken).toMatchObject({ code: 0, stdout: expect.stringContaining('licence cc-by-nc-4.0') });
  const moved = join(hub.dir, 'data/models/tiny');
  await rename(join(moved, WEIGHTS), join(moved, 'weights'));
  expect((await models(['list'])).stdout).toContain(`incomplete: ${WEIGHTS} is missing`);
  await rm(bring, { recursive: true });
});
