import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { VectorStore } from '../../../../src/core/contracts/store.ts';
import { GatewayError } from '../../../../src/core/errors.ts';
import { TextVectors } from '../../../../src/embedding/index/text-vectors.ts';
import { memoryVectors, silent } from '../../../support/static-semantics.ts';
import { letterEmbedder } from './fake-ladder.ts';

const wanted = (...texts: string[]) => ({
  hashes: texts.map((text) => createHash('sha256').update(text).digest('hex')),
  textAt: (index: number) => texts[index]!,
});
const unexpected = (error: unknown): never => {
  throw error;
};
const documents = (embedder: ReturnType<typeof letterEmbedder>): string[] =>
  embedder.asked
    .filter(({ as }) => as === 'document')
    .flatMap(({ texts }) => texts)
    .filter((text) => text.startsWith('text'));

describe('TextVectors', () => {
  it('embeds a text once, for all who want it, in batches', async () => {
    const embedder = letterEmbedder('letters@1');
    const vectors = new TextVectors({ store: memoryVectors(), log: silent });
    const all = Array.from({ length: 30 }, (_, number) => `text ${'abcdefghij'.slice(number % 10)} ${'k'.repeat(number)}`);
    const held = [vectors.hold(wanted(...all), embedder, unexpected), vectors.hold(wanted(all[3]!, all[3]!), embedder, unexpected)];
    await Promise.all(held.map(({ lease }) => lease.settled));
    expect(held.map(({ lease }) => lease.isComplete)).toEqual([true, true]);
    expect(documents(embedder).toSorted()).toEqual(all.toSorted());
    expect(Math.max(...embedder.asked.map(({ texts }) => texts.length))).toBeLessThanOrEqual(embedder.batch);
    expect([...held[1]!.lease.rows]).toEqual([held[0]!.lease.rows[3], held[0]!.lease.rows[3]]);
  });

  it('embeds nothing that is stored, and only what has changed', async () => {
    const store = memoryVectors();
    const first = new TextVectors({ store, log: silent });
    await first.hold(wanted('text a', 'text b'), letterEmbedder('letters@1'), unexpected).lease.settled;
    await first.close();

    const embedder = letterEmbedder('letters@1');
    const again = new TextVectors({ store, log: silent });
    await again.hold(wanted('text a', 'text b'), embedder, unexpected).lease.settled;
    expect(documents(embedder)).toEqual([]);
    await again.hold(wanted('text a', 'text c'), embedder, unexpected).lease.settled;
    expect(documents(embedder)).toEqual(['text c']);

    const other = letterEmbedder('letters@2');
    await again.hold(wanted('text a', 'text b'), other, unexpected).lease.settled;
    expect(documents(other)).toHaveLength(2);
  });

  it('a store that fails costs embedding again, and nothing else', async () => {
    const failing: VectorStore = {
      ...memoryVectors(),
      get: () => Promise.reject(new Error('disk')),
      put: () => Promise.reject(new Error('disk')),
    };
    const { lease } = new TextVectors({ store: failing, log: silent }).hold(wanted('text a'), letterEmbedder('letters@1'), unexpected);
    await lease.settled;
    expect(lease.isComplete).toBe(true);
  });

  it('gives memory back when nobody holds a vector, and keeps what another holds', async () => {
    const vectors = new TextVectors({ store: memoryVectors(), log: silent });
    const embedder = letterEmbedder('letters@1');
    const one = vectors.hold(wanted('text a', 'text b'), embedder, unexpected);
    const other = vectors.hold(wanted('text b'), embedder, unexpected);
    await Promise.all([one.lease.settled, other.lease.settled]);
    expect(one.model.slabs.size).toBe(2);
    await vectors.release(one);
    expect(one.model.slabs.size).toBe(1);
    await vectors.release(other);
    expect(one.model.slabs.size).toBe(0);
    expect(vectors.hold(wanted('text a'), embedder, unexpected).model).not.toBe(one.model);
  });

  it('a lease that is released while its texts are embedded holds nothing', async () => {
    const vectors = new TextVectors({ store: memoryVectors(), log: silent });
    const embedder = letterEmbedder('letters@1');
    const held = vectors.hold(wanted('text a', 'text b', 'text c', 'text d', 'text e'), embedder, unexpected);
    await vi.waitFor(() => expect(documents(embedder).length).toBeGreaterThan(0));
    await vectors.release(held);
    await vi.waitFor(() => expect(held.model.isIdle).toBe(true));
    expect(held.lease.isComplete).toBe(false);
  });

  it('a text that the embedder refuses is all zeros, not stored, and those beside it are embedded', async () => {
    const store = memoryVectors();
    const stored = vi.spyOn(store, 'put');
    const plain = letterEmbedder('letters@1');
    const refusing: typeof plain = {
      ...plain,
      embed: (given, as) => {
        if (given.includes('text poison')) throw new GatewayError('bad_request', 'refused');
        return plain.embed(given, as);
      },
    };
    const all = ['text a', 'text bb', 'text poison', 'text cc', 'text ddd', 'text eeee'];
    const vectors = new TextVectors({ store, log: silent });
    const { lease, model } = vectors.hold(wanted(...all), refusing, unexpected);
    await lease.settled;
    await vectors.close();
    expect(lease.isComplete).toBe(true);
    expect(documents(plain).toSorted()).toEqual(all.filter((text) => text !== 'text poison').toSorted());
    expect(stored.mock.calls.flatMap(([, written]) => [...written.keys()])).toHaveLength(5);
    const products = new Float32Array(all.length);
    model.slabs.products(lease.rows, 0, all.length, [(await plain.embed(['text'], 'query'))[0]!], [products]);
    expect(products.map(Math.sign)).toEqual(Float32Array.of(1, 1, 0, 1, 1, 1));
  });

  it.each([
    ['too short', new Float32Array(3), '3 numbers where 20 were due'],
    ['not numbers', new Float32Array(20).fill(Number.NaN), 'numbers that are none'],
  ])('a vector that is %s fails the lease', async (_, vector, message) => {
    const onFailure = vi.fn<(error: unknown) => void>();
    const embedder = { ...letterEmbedder('odd@1'), embed: async (texts: readonly string[]) => texts.map(() => vector) };
    const { lease } = new TextVectors({ store: memoryVectors(), log: silent }).hold(wanted('text a'), embedder, onFailure);
    await lease.settled;
    expect(lease.hasFailed).toBe(true);
    expect(onFailure).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: expect.stringContaining(message) as string }));
  });
});
