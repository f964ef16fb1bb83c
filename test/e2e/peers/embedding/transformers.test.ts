import { channel } from 'node:diagnostics_channel';
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Embedder, EmbedderExtension } from '../../../../src/core/contracts/embedder.ts';
import type { Host } from '../../../../src/core/contracts/extension.ts';
import bundled from '../../../../src/embedding/embedders/static.ts';
import transformers from '../../../../src/embedding/embedders/transformers.ts';
import { HubSemantics } from '../../../../src/embedding/semantics.ts';
import { EmbeddingThread } from '../../../../src/embedding/transformers/embedding-thread.ts';
import { findLibrary } from '../../../../src/embedding/transformers/find-library.ts';
import { cosine, examineEmbedder } from '../../../contracts/embedder.ts';
import { askAdmin } from '../../../support/ask-admin.ts';
import { startHub } from '../../../support/start-hub.ts';
import { memoryVectors, silent } from '../../../support/static-semantics.ts';

/** Stands in for the folder of pulled models. */
const MODELS = join(import.meta.dirname, '../../../../../shared/models');
const MINILM = join(MODELS, 'all-MiniLM-L6-v2');
const PEERS = join(import.meta.dirname, '../node_modules');
const host = { log: silent } as Host;

/** Beside it the library is installed, as beside a user's hubgate.yaml. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubgate-library-'));
  await symlink(PEERS, join(folder, 'node_modules'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const open = (path: string): Promise<Embedder> =>
  Promise.resolve(transformers.create({ path, folder, pooling: 'mean', queryPrefix: '', documentPrefix: '' }, host));

/** Names and descriptions of tools, plain words, and what no table of words was made for. */
const TEXTS = Array.from({ length: 50 }, (_, at) => {
  const verb = ['list', 'create', 'delete', 'update', 'search for', 'send', 'cancel', 'export'][at % 8];
  const thing = ['pull requests', 'an invoice', 'the weather in Paris', 'flight bookings', 'e-mail', 'naïve café menus', 'webhooks (v2)'][
    at % 7
  ];
  return ['', 'Please ', 'How do I '][at % 3] + `${verb} ${thing}` + ['', '?', ', by its id', ' 12,345.67 €', ' 東京 🎵'][at % 5];
});

describe('the library itself', () => {
  examineEmbedder('all-MiniLM-L6-v2', () => open(MINILM));

  it('reads the bundled model as our own reader does', async () => {
    const [ours, theirs] = await Promise.all([bundled.create({}, host), open(join(MODELS, 'hubgate-static-en'))]);
    onTestFinished(() => theirs[Symbol.asyncDispose]?.());
    const [own, other] = await Promise.all([ours.embed(TEXTS, 'query'), theirs.embed(TEXTS, 'query')]);
    expect(Math.min(...own.map((vector, at) => cosine(vector, other[at]!)))).toBeGreaterThan(0.9999);
  });

  it('tells what means the same from what does not', async () => {
    const embedder = await open(MINILM);
    onTestFinished(() => embedder[Symbol.asyncDispose]?.());
    const pairs = [
      ['send email', 'deliver mail message', 0.58],
      ['weather in Paris', 'forecast for a city', 0.42],
      ['cancel flight booking', 'delete airline reservation', 0.69],
      ['list pull requests', 'merge requests', 0.4],
      ['play music', 'start playback', 0.47],
      ['send email', 'prime numbers', 0.05],
    ] as const;
    for (const [one, other, expected] of pairs) {
      const [a, b] = await embedder.embed([one, other], 'query');
      expect(Math.abs(cosine(a!, b!) - expected), `${one} – ${other}: ${cosine(a!, b!)}`).toBeLessThan(0.08);
    }
  });

  it('asks nobody for a file that is not there', async () => {
    const model = join(folder, 'models/incomplete');
    await mkdir(join(model, 'onnx'), { recursive: true });
    for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) await copyFile(join(MINILM, file), join(model, file));
    const library = findLibrary(folder)!;
    await expect(EmbeddingThread.open({ library, model, pooling: 'mean' }, silent)).rejects.toMatchObject({
      detail: expect.stringMatching(/local/),
    });
  });

  it('its thread is killed in the middle of a search: the next rung answers and says so, and the model comes back', async () => {
    const workers: Worker[] = [];
    const heard = (message: unknown): void => void workers.push((message as { worker: Worker }).worker);
    channel('worker_threads').subscribe(heard);
    const semantics = new HubSemantics({ log: silent, vectors: memoryVectors(), models: MODELS });
    onTestFinished(async () => {
      channel('worker_threads').unsubscribe(heard);
      await semantics.close();
    });
    const known: readonly EmbedderExtension<never>[] = [bundled, transformers];
    const create = async (name: string, options: unknown): Promise<Embedder> =>
      known.find((one) => one.name === name)!.create(options as never, host);
    semantics.configure(
      { model: basename(MINILM) },
      { folder, embedders: { names: known.map(({ name }) => name), version: () => '1', create } },
    );
    await semantics.settled();
    const index = semantics.index([
      { name: 'send_mail', description: 'Deliver a message to a mailbox' },
      { name: 'get_weather', description: 'Forecast for a city' },
    ]);
    await vi.waitFor(async () =>
      expect(await index.find('e-mail somebody', 2)).toMatchObject({ model: expect.stringMatching(/^all-MiniLM/), hits: [{ index: 0 }] }),
    );
    const asked = index.find('will it rain in Paris', 2);
    // What nothing in it catches: the thread ends by its own error.
    for (const worker of workers) worker.postMessage(null);
    expect(await asked).toMatchObject({
      hits: [{ index: 1 }],
      degraded: {
        requested: 'all-MiniLM-L6-v2',
        active: expect.stringMatching(/^(?:static|bm25)$/),
        reason: expect.stringContaining('started again'),
      },
    });
    expect(semantics.status()[0]).toMatchObject({ active: 'static', degraded: true });
    await vi.waitFor(async () => expect(await index.find('will it rain', 2)).not.toHaveProperty('degraded'), {
      timeout: 20_000,
      interval: 100,
    });
  });
});

it('auto takes the model that is there, in a hub with the library beside its hubgate.yaml', async () => {
  const hub = await startHub({ files: { 'hubgate.yaml': `embedding: { folder: ${MODELS} }\n` } });
  onTestFinished(() => hub.stop());
  const semantic = async (): Promise<unknown> => (await askAdmin(hub, 'GET', '/status')).body.semantic;
  await vi.waitFor(async () => expect(await semantic()).toMatchObject({ requested: 'auto', active: 'static', degraded: false }));
  await symlink(PEERS, join(hub.dir, 'node_modules'));
  await askAdmin(hub, 'POST', '/reload');
  await vi.waitFor(
    async () =>
      expect(await semantic()).toMatchObject({ active: 'transformers', model: expect.stringMatching(/^all-MiniLM-L6-v2@/), dims: 384 }),
    {
      timeout: 20_000,
      interval: 100,
    },
  );
  // The library hands its threads back.
  expect(await hub.kill()).toBe(0);
});
