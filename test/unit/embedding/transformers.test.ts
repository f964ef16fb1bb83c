import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Embedder } from '../../../src/core/contracts/embedder.ts';
import type { Host } from '../../../src/core/contracts/extension.ts';
import transformers, { type TransformersOptions } from '../../../src/embedding/embedders/transformers.ts';
import { EmbeddingThread } from '../../../src/embedding/transformers/embedding-thread.ts';
import type { EmbeddingWork } from '../../../src/embedding/transformers/embedding-worker.ts';
import { findLibrary } from '../../../src/embedding/transformers/find-library.ts';
import { WorkQueue } from '../../../src/embedding/transformers/work-queue.ts';
import { cosine } from '../../contracts/embedder.ts';
import { fakeTransformers, writeFakeModel } from '../../support/fake-transformers.ts';
import { silent } from '../../support/static-semantics.ts';

let fake: Awaited<ReturnType<typeof fakeTransformers>>;
beforeAll(async () => {
  fake = await fakeTransformers();
});
afterAll(() => fake.remove());

async function open(more: Partial<TransformersOptions> = {}): Promise<Embedder> {
  const options = { path: fake.model, folder: fake.folder, pooling: 'mean', queryPrefix: '', documentPrefix: '', ...more } as const;
  const embedder = await transformers.create(options, { log: silent } as Host);
  onTestFinished(() => embedder[Symbol.asyncDispose]?.());
  return embedder;
}

/** A model folder beside the whole one. */
async function folderWith(name: string, config: object = {}): Promise<string> {
  const path = join(fake.folder, 'models', name);
  await writeFakeModel(path, config);
  return path;
}

describe('the transformers embedder', () => {
  it('gives a text its prefix and its pooling; other ones are another model', async () => {
    const [plain, prefixed, cls] = await Promise.all([open(), open({ queryPrefix: 'query: ' }), open({ pooling: 'cls' })]);
    const [[one], [two], [named]] = await Promise.all([
      plain.embed(['query: weather'], 'query'),
      prefixed.embed(['weather'], 'query'),
      prefixed.embed(['query: weather'], 'document'),
    ]);
    expect(cosine(one!, two!)).toBeCloseTo(1);
    expect(cosine(one!, named!)).toBeCloseTo(1);
    expect(new Set([plain.id, prefixed.id, cls.id]).size).toBe(3);
    expect(plain.id).toMatch(/^all-MiniLM-L6-v2@[\w-]{8}$/);
  });

  it('is another model when its weights are others', async () => {
    const path = await folderWith('changing');
    const before = await open({ path });
    await writeFile(join(path, 'onnx/model_quantized.onnx'), 'others');
    expect((await open({ path })).id).not.toBe(before.id);
  });

  it('answers a query before the rest of many documents', async () => {
    const embedder = await open();
    const order: string[] = [];
    const texts = Array.from({ length: 20 }, (_, at) => `SLOW ${at}`);
    const note = async (name: string, done: ReturnType<Embedder['embed']>): Promise<void> => {
      await done;
      order.push(name);
    };
    await Promise.all([note('documents', embedder.embed(texts, 'document')), note('query', embedder.embed(['find it'], 'query'))]);
    expect(order).toEqual(['query', 'documents']);
  });

  it('rejects what the model fails on, and goes on with the others', async () => {
    const embedder = await open();
    const [failed, fine] = await Promise.allSettled([embedder.embed(['FAIL'], 'document'), embedder.embed(['fine'], 'query')]);
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'bad_request', detail: 'cannot read this' } });
    expect(fine.status).toBe('fulfilled');
    await embedder.embed(['later'], 'query');
  });

  it('works no more when it fails on any text', async () => {
    const embedder = await open({ queryPrefix: 'FAIL ' });
    await expect(embedder.embed(['find it'], 'query')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('drops what nobody waits for any more', async () => {
    const embedder = await open();
    const asking = new AbortController();
    const order: string[] = [];
    const many = Array.from({ length: 500 }, (_, at) => `SLOW ${at}`);
    const dropped = embedder.embed(many, 'query', asking.signal);
    asking.abort(new Error('nobody waits'));
    await expect(dropped).rejects.toThrow('nobody waits');
    // Ten seconds later otherwise: queries are answered in their order.
    await Promise.race([
      Promise.resolve(embedder.embed(['next'], 'query')).then(() => order.push('next')),
      new Promise((resolve) => setTimeout(resolve, 8_000).unref()),
    ]);
    expect(order).toEqual(['next']);
  });

  it('rejects all that waits when its thread dies, and what comes after', async () => {
    const embedder = await open();
    const waiting = await Promise.allSettled([
      embedder.embed(['SLOW'], 'query'),
      embedder.embed(['DIE'], 'query'),
      embedder.embed(['after'], 'document'),
    ]);
    expect(waiting.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    await expect(embedder.embed(['later'], 'query')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('rejects what waits when it is let go', async () => {
    const embedder = await open();
    const waiting = embedder.embed(['SLOW'], 'query');
    await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'unavailable' }), embedder[Symbol.asyncDispose]!()]);
  });

  it('says what to do where the library is absent', async () => {
    await expect(open({ folder: '/nowhere' })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('npm i -D @huggingface/transformers'),
    });
  });

  it.each([
    ['has no weights', async (path: string) => writeFile(join(path, 'onnx/model_quantized.onnx'), '')],
    [
      'has other weights than its list says',
      (path: string) => writeFile(join(path, 'SHA256SUMS'), `${'0'.repeat(64)}  onnx/model_quantized.onnx\n`),
    ],
    ['is a file of a page that was not found', (path: string) => writeFile(join(path, 'config.json'), '<html>')],
    ['is one that the library cannot read', (path: string) => writeFile(join(path, 'config.json'), '{"broken":true}')],
  ])('a folder that %s: says which, and how it is mended, and not where it is', async (what, spoil) => {
    const name = `spoilt-${what.length}`;
    const path = await folderWith(name);
    await spoil(path);
    const error: Error = (await open({ path }).catch((thrown: Error) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(error.message).toContain(name);
    expect(error.message).toContain(`hubgate models pull ${name}`);
    expect(error.message).not.toContain(fake.folder);
  });

  it('a folder of a static table is none that the library reads', async () => {
    const path = join(fake.folder, 'models/table');
    await mkdir(path, { recursive: true });
    for (const name of ['static.json', 'static.i8', 'static.scales.f32']) await writeFile(join(path, name), '{}');
    await expect(open({ path })).rejects.toThrow('onnx/model_quantized.onnx');
  });
});

describe('the thread of a model', () => {
  const work = async (): Promise<EmbeddingWork> => ({ library: findLibrary(fake.folder)!, model: fake.model, pooling: 'mean' });
  /** Real time, while that of timers stands still. */
  const pass = async (ms: number): Promise<void> => {
    for (const end = performance.now() + ms; performance.now() < end;) await new Promise((resolve) => setImmediate(resolve));
  };
  afterEach(() => void vi.useRealTimers());

  it('gives a sign of life with each text', async () => {
    const thread = await EmbeddingThread.open(await work(), silent);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const done = thread.embed(
      Array.from({ length: 30 }, () => 'SLOW'),
      'document',
    );
    for (let time = 0; time < 3; time++) {
      await pass(150);
      vi.advanceTimersByTime(40_000);
    }
    expect(await done).toHaveLength(30);
    vi.useRealTimers();
    await thread.close();
  });

  it('that is stuck is given up however often it is asked, and no other is started before it has ended', async () => {
    const thread = await EmbeddingThread.open(await work(), silent);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const asked = [thread.embed(['STUCK'], 'document')];
    vi.advanceTimersByTime(40_000);
    asked.push(thread.embed(['next'], 'query'));
    vi.advanceTimersByTime(20_001);
    for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected');
    await expect(EmbeddingThread.open(await work(), silent)).rejects.toMatchObject({ code: 'unavailable' });
    vi.useRealTimers();
    const again = await vi.waitFor(async () => EmbeddingThread.open(await work(), silent), { timeout: 10_000 });
    await again.close();
  });
});

describe('the queue before the model', () => {
  it('holds each text once and in order, and no document goes before a query', () => {
    const jobs = fc.array(fc.record({ as: fc.constantFrom('query', 'document'), size: fc.nat(6), taken: fc.nat(8) }), { maxLength: 10 });
    fc.assert(
      fc.property(jobs, (given) => {
        const queue = new WorkQueue();
        const seen: string[] = [];
        const waiting = { query: 0, document: 0 };
        const take = (): boolean => {
          const piece = queue.next();
          if (piece === undefined) return false;
          expect(piece.job.as === 'query' || waiting.query === 0).toBe(true);
          waiting[piece.job.as] -= 1;
          seen.push(`${piece.job.as} ${String(piece.job.id).padStart(2)} ${piece.place}`);
          return true;
        };
        for (const [id, { as, size, taken }] of given.entries()) {
          queue.add({ id, as, texts: Array.from({ length: size }, () => 'text') });
          waiting[as] += size;
          for (let left = taken; left > 0 && take(); left--);
        }
        while (take());
        expect(seen).toHaveLength(given.reduce((sum, { size }) => sum + size, 0));
        for (const as of ['query', 'document']) {
          const own = seen.filter((piece) => piece.startsWith(as));
          expect(own).toEqual(own.toSorted());
        }
      }),
    );
  });

  it('drops the rest of a job that has failed', () => {
    const queue = new WorkQueue();
    const failed = { id: 1, as: 'document', texts: ['a', 'b'] } as const;
    const other = { id: 2, as: 'document', texts: ['c'] } as const;
    queue.add(failed);
    queue.add(other);
    expect(queue.next()?.job).toBe(failed);
    queue.drop(failed);
    expect(queue.next()?.job).toBe(other);
    expect(queue.next()).toBeUndefined();
    queue.drop(other);
  });
});
