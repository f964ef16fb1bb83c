import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Embedder } from '../../../src/core/contracts/embedder.ts';
import type { AskRoute } from '../../../src/embedding/embedders/remote.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Embedders, SemanticsSettings } from '../../../src/embedding/ladders.ts';
import { HubSemantics } from '../../../src/embedding/semantics.ts';
import { memoryVectors, silent } from '../../support/static-semantics.ts';

interface Life {
  readonly name: string;
  readonly options: unknown;
  disposed: boolean;
  fails: boolean;
  /** Texts that it refuses. */
  refuses: string | undefined;
  /** What it gives instead of vectors. */
  gives: readonly Float32Array[] | undefined;
  readonly calls: (readonly string[])[];
}

/** A hub's semantics over embedders `a` and `b` and the bundled one, all of them made up. */
function start(settings: SemanticsSettings = {}, ask?: AskRoute, asksWhenMade = false) {
  const lives: Life[] = [];
  const versions: Record<string, string> = {};
  const embedders: Embedders = {
    names: ['a', 'b', 'remote', 'transformers', 'hubgate-static-en'],
    version: (name) => versions[name] ?? '1',
    create: async (name, options): Promise<Embedder> => {
      const life: Life = { name, options, disposed: false, fails: false, refuses: undefined, gives: undefined, calls: [] };
      lives.push(life);
      if (asksWhenMade) await (options as { ask?: AskRoute }).ask?.('embed', ['ready']);
      return {
        id: `${name}@1`,
        dims: 2,
        batch: 3,
        async embed(texts) {
          life.calls.push(texts);
          await (options as { ask?: AskRoute }).ask?.('embed', texts);
          if (life.fails) throw new Error('It is worn out.');
          if (texts.some((text) => text === life.refuses)) throw new GatewayError('bad_request', 'It does not take this.');
          if (life.gives !== undefined) return life.gives;
          return texts.map((text) => Float32Array.of(Math.cos(text.length), Math.sin(text.length)));
        },
        [Symbol.asyncDispose]: async () => void (life.disposed = true),
      };
    },
  };
  const vectors = memoryVectors();
  const semantics = new HubSemantics({ log: silent, vectors, models: '/nowhere/models', ...(ask && { ask }) });
  const configure = async (next: SemanticsSettings, ...named: string[]): Promise<void> => {
    semantics.configure(next, { folder: '/nowhere', embedders, named: new Set(named) });
    await semantics.settled();
  };
  onTestFinished(() => semantics.close());
  return {
    semantics,
    lives,
    versions,
    vectors,
    configure,
    ready: configure(settings),
    alive: () => lives.filter(({ disposed }) => !disposed),
  };
}

afterEach(() => void vi.useRealTimers());

describe('the semantics of a hub', () => {
  it('embed by the model of the configuration, or by the one that a use names, in batches that the embedder takes', async () => {
    const { semantics, lives, ready } = start({ model: 'a' });
    await ready;
    const texts = ['one', 'three', 'sixth', 'x', 'yy', 'zzz', 'last one'];
    const { vectors, ...rest } = await semantics.embed(texts);
    expect(rest).toEqual({ model: 'a@1', sameRequest: expect.any(Number) });
    expect(vectors).toHaveLength(7);
    expect(vectors[4]![0]).toBeCloseTo(Math.cos(2));
    expect(lives.find(({ name }) => name === 'a')!.calls.map(({ length }) => length)).toEqual([3, 3, 1]);
    // The first that is there answers until the model is loaded.
    await semantics.embed(['one'], { model: 'b' });
    await semantics.settled();
    expect(await semantics.embed(['one'], { model: 'b' })).toMatchObject({ model: 'b@1' });
    expect(semantics.status()).toEqual([
      { requested: 'a', active: 'a', model: 'a@1', dims: 2, degraded: false },
      { requested: 'b', active: 'b', model: 'b@1', dims: 2, degraded: false },
    ]);
  });

  it('go down the ladder in the middle of a call, and say so', async () => {
    const { semantics, lives, ready } = start({ model: 'a' });
    await ready;
    lives.find(({ name }) => name === 'a')!.fails = true;
    const { model, degraded } = await semantics.embed(['one']);
    expect(model).toBe('hubgate-static-en@1');
    expect(degraded).toMatchObject({ requested: 'a', active: 'static' });
    expect(semantics.status()[0]).toMatchObject({ active: 'static', degraded: true });
    for (const life of lives) life.fails = true;
    await expect(semantics.embed(['one'])).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('take a text that is refused down the ladder, and go on with the others', async () => {
    const { semantics, lives, ready } = start({ model: 'a' });
    await ready;
    lives.find(({ name }) => name === 'a')!.refuses = 'poison';
    expect(await semantics.embed(['poison'])).toMatchObject({
      model: 'hubgate-static-en@1',
      degraded: { requested: 'a', active: 'static', reason: 'It refuses this text.' },
    });
    expect(await semantics.embed(['one'])).toEqual({ model: 'a@1', sameRequest: expect.any(Number), vectors: [expect.any(Float32Array)] });
    for (const life of lives) life.refuses = 'poison';
    await expect(semantics.embed(['poison'])).rejects.toMatchObject({ code: 'bad_request' });
    expect(semantics.status()[0]).toMatchObject({ active: 'a', degraded: false });
  });

  it.each([
    ['too few', []],
    ['too many', [Float32Array.of(1, 0), Float32Array.of(1, 0)]],
    ['of another length', [Float32Array.of(1)]],
    ['no numbers', [Float32Array.of(NaN, 0)]],
  ])('believe no embedder whose vectors are %s', async (_, gives) => {
    const { semantics, lives, ready } = start({ model: 'a' });
    await ready;
    const life = lives.find(({ name }) => name === 'a')!;
    life.gives = [Float32Array.of(3, 4)];
    expect([...(await semantics.embed(['one'])).vectors[0]!]).toEqual([expect.closeTo(0.6), expect.closeTo(0.8)]);
    life.gives = gives;
    expect(await semantics.embed(['one'])).toMatchObject({ model: 'hubgate-static-en@1', degraded: { active: 'static' } });
  });

  it('have no vectors where the operator wants none, and before the first configuration', async () => {
    const { semantics, ready, lives } = start({ model: 'none' });
    await ready;
    await expect(semantics.embed(['one'])).rejects.toMatchObject({ code: 'unavailable' });
    expect(lives).toEqual([]);
    const early = new HubSemantics({ log: silent, vectors: memoryVectors(), models: '/nowhere' });
    await expect(early.embed(['one'])).rejects.toMatchObject({ code: 'unavailable' });
    await early.close();
  });

  it('keep what is loaded over generations, and let go of what nobody asks for any more', async () => {
    const { semantics, lives, versions, configure, ready, alive } = start({ model: 'a', options: { size: 1 } });
    await ready;
    expect(lives.map(({ name }) => name).toSorted()).toEqual(['a', 'hubgate-static-en']);
    await configure({ model: 'a', options: { size: 1 } });
    expect(lives).toHaveLength(2);
    await configure({ model: 'a', options: { size: 2 } });
    expect(alive().map(({ options }) => options)).toEqual([{}, { size: 2 }]);
    versions['a'] = '2';
    await configure({ model: 'a', options: { size: 2 } });
    expect(lives).toHaveLength(4);
    expect(alive()).toHaveLength(2);
    await configure({ model: 'none' });
    expect(alive()).toEqual([]);
    expect(semantics.status()).toEqual([{ requested: 'none', active: 'bm25', degraded: false }]);
  });

  it('let go of a model that the configuration names no more; an index over it wakes it', async () => {
    const { semantics, configure, ready, alive } = start({ model: 'a' });
    await ready;
    await configure({ model: 'a' }, 'b');
    const index = semantics.index([{ name: 'play_music', description: 'Plays a song' }], { model: 'b' });
    await vi.waitFor(async () => expect(await index.find('a song', 1)).toMatchObject({ model: 'b@1' }));
    await configure({ model: 'a' }, 'b');
    expect(alive().map(({ name }) => name)).toContain('b');
    await configure({ model: 'a' });
    expect(alive().map(({ name }) => name)).not.toContain('b');
    expect(semantics.status().map(({ requested }) => requested)).toEqual(['a']);
    await vi.waitFor(async () => expect(await index.find('a song', 1)).toMatchObject({ model: 'b@1', hits: [{ index: 0 }] }));
    expect(semantics.status().map(({ requested }) => requested)).toEqual(['a', 'b']);
    await configure({ model: 'a' });
    expect(await semantics.embed(['one'], { model: 'b' })).toHaveProperty('model');
    await semantics.settled();
    expect(await semantics.embed(['one'], { model: 'b' })).toMatchObject({ model: 'b@1' });
  });

  it('let go of a model that only an evaluation asked for, a while after', async () => {
    vi.useFakeTimers();
    const { semantics, configure, ready, alive } = start({ model: 'a' });
    await ready;
    await configure({ model: 'a' }, 'made-up');
    await semantics.embed(['one'], { model: 'b' });
    await semantics.embed(['one'], { model: 'made-up' });
    await vi.advanceTimersByTimeAsync(50_000);
    await semantics.embed(['one'], { model: 'b' });
    await vi.advanceTimersByTimeAsync(50_000);
    expect(semantics.status().map(({ requested }) => requested)).toEqual(['a', 'b', 'made-up']);
    await vi.advanceTimersByTimeAsync(70_000);
    expect(semantics.status().map(({ requested }) => requested)).toEqual(['a', 'made-up']);
    expect(
      alive()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['a', 'hubgate-static-en']);
  });

  it('wake nothing once they are closed', async () => {
    const { semantics, lives, ready } = start({ model: 'a' });
    await ready;
    const index = semantics.index([{ name: 'play_music', description: 'Plays a song' }]);
    const made = lives.length;
    await semantics.close();
    expect((await index.find('song', 1)).hits).toHaveLength(1);
    expect(lives).toHaveLength(made);
    expect(lives.every(({ disposed }) => disposed)).toBe(true);
  });

  it('load one embedder for all that ask for the same', async () => {
    const { semantics, lives, ready } = start({ model: 'a' });
    await ready;
    await semantics.embed(['one'], { model: 'a' });
    await semantics.embed(['one'], { model: 'hubgate-static-en' });
    expect(lives).toHaveLength(2);
    expect(semantics.status().map(({ requested }) => requested)).toEqual(['a', 'hubgate-static-en']);
  });

  it('an index and a classifier that were made before follow the configuration', async () => {
    const { semantics, configure, ready } = start({ model: 'none' });
    const index = semantics.index([{ name: 'play_music', description: 'Plays a song' }]);
    await ready;
    expect(await index.find('a song', 1)).not.toHaveProperty('model');
    await configure({ model: 'b' });
    await vi.waitFor(async () => expect(await index.find('a song', 1)).toMatchObject({ model: 'b@1', hits: [{ index: 0 }] }));
    expect((await index.find('a song', 1)).degraded).toBeUndefined();
  });

  it('lend a route to the embedder that needs one; what that call itself asks of embeddings does not wait for the route', async () => {
    const inside: string[] = [];
    const { semantics, lives, ready } = start({ model: 'hub:embed' }, async () => {
      inside.push((await semantics.embed(['which intent?'])).model);
      return { model: 'embed', vectors: [] };
    });
    await ready;
    expect(lives.find(({ name }) => name === 'remote')!.options).toMatchObject({ model: 'embed' });
    expect(await semantics.embed(['one'])).toMatchObject({ model: 'remote@1' });
    expect(inside).toEqual(['hubgate-static-en@1']);
    expect(semantics.status()[0]).toMatchObject({ active: 'remote', degraded: false });
  });

  it('do not wait for the route in the call that loads its embedder', async () => {
    const inside: unknown[] = [];
    const { semantics, ready } = start(
      { model: 'hub:embed' },
      async () => {
        inside.push(await semantics.embed(['which intent?']).catch((error: unknown) => (error as GatewayError).code));
        return { model: 'embed', vectors: [] };
      },
      true,
    );
    await ready;
    expect(inside).toEqual([expect.toSatisfy((one) => one === 'unavailable' || one.model === 'hubgate-static-en@1')]);
    expect(semantics.status()[0]).toMatchObject({ active: 'remote' });
  });

  it('try again at once what failed when the configuration is read again', async () => {
    const { semantics, lives, configure, ready } = start({ model: 'a' });
    await ready;
    lives.find(({ name }) => name === 'a')!.fails = true;
    await semantics.embed(['one']);
    await configure({ model: 'a' });
    expect(await semantics.embed(['one'])).not.toHaveProperty('degraded');
  });

  it('store vectors, but not those of texts that pass', async () => {
    const { semantics, vectors, ready } = start({ model: 'a' });
    await ready;
    const put = vi.spyOn(vectors, 'put');
    const passing = semantics.index([{ name: 'play_music', description: 'Plays a song' }], { passing: true });
    await vi.waitFor(async () => expect(await passing.find('a song', 1)).toMatchObject({ model: 'a@1' }));
    expect(put).not.toHaveBeenCalled();
    const index = semantics.index([{ name: 'play_music', description: 'Plays a song' }]);
    await vi.waitFor(async () => expect(await index.find('a song', 1)).toMatchObject({ model: 'a@1' }));
    expect(put).toHaveBeenCalled();
  });

  it('forget vectors that nobody has used for 30 days, now and then', async () => {
    vi.useFakeTimers();
    const { vectors } = start();
    const forget = vi.spyOn(vectors, 'forget').mockRejectedValueOnce(new Error('the disk is full'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(forget).toHaveBeenCalledWith(Date.now() - 30 * 86_400_000);
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(forget).toHaveBeenCalledTimes(2);
  });

  it('keep the vectors that an index holds, however long ago it got them', async () => {
    const { semantics, vectors, ready } = start({ model: 'a' });
    await ready;
    const touch = vi.spyOn(vectors, 'touch');
    const forget = vi.spyOn(vectors, 'forget');
    const texts = Array.from({ length: 2_100 }, (_, at) => ({ name: `tool_${at}`, description: 'Does it' }));
    const index = semantics.index(texts);
    const passing = semantics.index([{ name: 'passing', description: 'Comes and goes' }], { passing: true });
    for (const one of [index, passing]) await vi.waitFor(async () => expect(await one.find('does it', 1)).toMatchObject({ model: 'a@1' }));
    await semantics.forget();
    const touched = touch.mock.calls.flatMap(([model, hashes]) => (model === 'a@1' ? hashes : []));
    expect(new Set(touched).size).toBe(2_100);
    expect(Math.max(...touch.mock.calls.map(([, hashes]) => hashes.length))).toBe(2_000);
    expect(forget.mock.invocationCallOrder[0]).toBeGreaterThan(Math.max(...touch.mock.invocationCallOrder));
    touch.mockRejectedValueOnce(new Error('the disk is full'));
    await expect(semantics.forget()).rejects.toThrow('the disk is full');
    expect(forget).toHaveBeenCalledTimes(1);
  });
});
