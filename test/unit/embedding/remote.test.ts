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

  it('tells in the log what the route says, and callers only that it fails', async () => {
    const failing = open(() =>
      Promise.reject(new GatewayError('upstream_overloaded', 'tenant acme is over its limit', { detail: 'by a policy' })),
    );
    await expect(failing).rejects.toMatchObject({
      code: 'upstream_overloaded',
      detail: 'upstream_overloaded: tenant acme is over its limit: by a policy',
      message: 'The route of embeddings embed fails; the log of the hub says why.',
    });
    await expect(open()).rejects.toThrow('hub:NAME');
  });

  it.each([
    ['model_refused', 'bad_request'],
    ['context_too_long', 'bad_request'],
    ['content_refused', 'bad_request'],
    ['rule_refused', 'bad_request'],
    ['upstream_unauthorized', 'upstream_unauthorized'],
    ['limit_exceeded', 'limit_exceeded'],
  ] as const)('%s of a text is %s of the embedder', async (code, expected) => {
    const embedder = await open(async (_, texts) => {
      if (texts.includes('poison')) throw new GatewayError(code, 'policy of acme');
      return { model: 'one', vectors: texts.map(() => [1, 0]) };
    });
    const error = (await Promise.resolve(embedder.embed(['poison'], 'query')).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: expected, message: expect.not.stringContaining('acme') });
    expect(await embedder.embed(['fine'], 'query')).toHaveLength(1);
  });

  it('hands on that nobody waits any more', async () => {
    const heard: (AbortSignal | undefined)[] = [];
    const embedder = await open(async (_, texts, signal) => {
      heard.push(signal);
      return { model: 'one', vectors: texts.map(() => [1, 0]) };
    });
    const { signal } = new AbortController();
    await embedder.embed(['a'], 'query', signal);
    expect(heard).toEqual([undefined, signal]);
  });
});
