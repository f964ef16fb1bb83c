import { describe, expect, it } from 'vitest';
import type { Embedder } from '../../../src/core/contracts/embedder.ts';
import type { Host } from '../../../src/core/contracts/extension.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import remote, { type AskRoute } from '../../../src/embedding/embedders/remote.ts';

const open = async (ask?: AskRoute): Promise<Embedder> => remote.create({ model: 'embed', ask }, {} as Host);

describe('the remote embedder', () => {
  it('is named by the route and the model that answers, and makes unit vectors', async () => {
    const asked: (readonly string[])[] = [];
    const embedder = await open(async (model, texts) => {
      asked.push(texts);
      return { model: `${model}-3-small`, vectors: texts.map(() => [3, 4]) };
    });
    expect(embedder).toMatchObject({ id: 'hub:embed@embed-3-small', dims: 2 });
    const [vector] = await embedder.embed(['', 'x'.repeat(100_000)], 'query');
    expect([...vector!]).toEqual([expect.closeTo(0.6), expect.closeTo(0.8)]);
    // No vendor takes an empty text, nor one that is too long.
    expect(asked.at(-1)!.map(({ length }) => length)).toEqual([1, 16_384]);
    expect(await embedder.embed([], 'query')).toEqual([]);
    expect(asked).toHaveLength(2);
  });

  it('rejects an answer by another model than before: its vectors mean something else', async () => {
    let served = 'one';
    const embedder = await open(async (_, texts) => ({
      model: served,
      vectors: texts.map(() => (served === 'three' ? [1, 0, 0] : [1, 0])),
    }));
    await embedder.embed(['a'], 'query');
    served = 'two';
    await expect(embedder.embed(['a'], 'query')).rejects.toThrow('another model');
    served = 'three';
    await expect(embedder.embed(['a'], 'query')).rejects.toThrow('another model');
  });

  it('tells what the route says', async () => {
    const failing = open(() => Promise.reject(new GatewayError('limit_exceeded', undefined, { detail: 'by a policy' })));
    await expect(failing).rejects.toMatchObject({
      code: 'limit_exceeded',
      detail: 'by a policy',
      message: expect.stringContaining('embed fails: A limit'),
    });
    await expect(open()).rejects.toThrow('hub:NAME');
  });
});
