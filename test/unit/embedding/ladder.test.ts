import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Embedder } from '../../../src/core/contracts/embedder.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import { EmbedderSlot } from '../../../src/embedding/embedder-slot.ts';
import type { Candidate, Candidates } from '../../../src/embedding/find-candidates.ts';
import { createLadder, type FollowingLadder } from '../../../src/embedding/ladder.ts';
import { PLAIN } from '../../../src/embedding/models/known-models.ts';
import { silent } from '../../support/static-semantics.ts';

const candidate = (rung: string, path = ''): Candidate => ({ rung, extension: rung, options: { path }, traits: PLAIN });
const TOP = candidate('transformers', 'best');
const NEXT = candidate('transformers', 'next');
const STATIC = candidate('static');

interface Made {
  readonly embedder: Embedder;
  disposed: boolean;
}

/** A ladder over embedders that load as the test says: `loads` gives an error, or nothing. */
function start(requested: string, candidates: Candidates, loads: (path: string) => Promise<unknown> = async () => undefined) {
  const made = new Map<string, Made[]>();
  const slots = new Map<Candidate, EmbedderSlot>();
  const parts = { requested, candidates, loads };
  const take = (one: Candidate): EmbedderSlot => {
    const path = `${one.rung}${String(one.options['path'])}`;
    const load = async (): Promise<Embedder> => {
      const error = await parts.loads(path);
      if (error !== undefined) throw error;
      const entry: Made = { embedder: undefined as never, disposed: false };
      const embedder: Embedder = {
        id: `${path}@1`,
        dims: 2,
        batch: 8,
        embed: () => [],
        [Symbol.asyncDispose]: async () => void (entry.disposed = true),
      };
      Object.assign(entry, { embedder });
      made.set(path, [...(made.get(path) ?? []), entry]);
      return embedder;
    };
    const slot = slots.get(one) ?? new EmbedderSlot({ name: one.rung, traits: PLAIN, load, timeoutMs: () => 500, log: silent });
    slots.set(one, slot);
    return slot;
  };
  const giveBack = (slot: EmbedderSlot): void => {
    for (const [key, held] of slots)
      if (held === slot && !ladder.rungs.some(({ embedder }) => embedder === slot.rung?.embedder)) slots.delete(key);
  };
  const ladder: FollowingLadder = createLadder({
    requested: () => parts.requested,
    find: async () => parts.candidates,
    take,
    giveBack,
  });
  return { ladder, made, parts, names: () => ladder.rungs.map(({ embedder }) => embedder.id) };
}

const unavailable = (message: string) => new GatewayError('unavailable', message);

afterEach(() => void vi.useRealTimers());

describe('a ladder', () => {
  it('holds what was asked for and what stands in; neither is degraded by itself', async () => {
    const { ladder, names } = start('MiniLM', { found: [TOP, STATIC] });
    expect(ladder.rungs).toEqual([]);
    await ladder.settled();
    expect(names()).toEqual(['transformersbest@1', 'static@1']);
    expect(ladder.degraded(ladder.rungs[0])).toBeUndefined();
    expect(ladder.status()).toEqual({ requested: 'MiniLM', active: 'transformers', model: 'transformersbest@1', dims: 2, degraded: false });
  });

  it('says that another one answers than the one that was asked for, and why', async () => {
    const { ladder, names } = start('MiniLM', { found: [TOP, STATIC] }, async (path) =>
      path === 'static' ? undefined : unavailable('The library is absent: install it.'),
    );
    await ladder.settled();
    expect(names()).toEqual(['static@1']);
    const degraded = { requested: 'MiniLM', active: 'static', reason: 'The library is absent: install it.' };
    expect(ladder.degraded(ladder.rungs[0])).toEqual(degraded);
    expect(ladder.status()).toMatchObject({ ...degraded, degraded: true, model: 'static@1' });
    // An index whose vectors are not there yet has answered by words alone.
    expect(ladder.degraded(undefined)).toMatchObject({ active: 'bm25' });
  });

  it('auto is not degraded by static, but says in status why nothing better answers', async () => {
    const { ladder } = start('auto', { found: [STATIC], missing: 'There is no model folder.' });
    await ladder.settled();
    expect(ladder.degraded(ladder.rungs[0])).toBeUndefined();
    expect(ladder.status()).toMatchObject({ active: 'static', degraded: false, reason: 'There is no model folder.' });
    expect(ladder.degraded(undefined)).toMatchObject({ requested: 'auto', active: 'bm25' });
  });

  it('none is words alone, and that is what was asked for', async () => {
    const { ladder } = start('none', { found: [] });
    await ladder.settled();
    expect(ladder.degraded(undefined)).toBeUndefined();
    expect(ladder.status()).toEqual({ requested: 'none', active: 'bm25', degraded: false });
  });

  it('takes the next model when the best cannot be loaded, and only then', async () => {
    const broken = start('auto', { found: [TOP, NEXT, STATIC] }, async (path) =>
      path.endsWith('best') ? unavailable('It is broken.') : undefined,
    );
    await broken.ladder.settled();
    expect(broken.names()).toEqual(['transformersnext@1', 'static@1']);
    expect(broken.ladder.status()).toMatchObject({ active: 'transformers', degraded: false, reason: 'It is broken.' });
    const whole = start('auto', { found: [TOP, NEXT, STATIC] });
    await whole.ladder.settled();
    expect(whole.names()).toEqual(['transformersbest@1', 'static@1']);
    expect(whole.made.has('transformersnext')).toBe(false);
  });

  it('goes down when an embedder fails, lets it go, and comes up again after a while, each time later', async () => {
    vi.useFakeTimers();
    const { ladder, made, names } = start('MiniLM', { found: [TOP, STATIC] });
    await ladder.settled();
    const changes: string[][] = [];
    ladder.onChange(() => changes.push(names()));
    for (const pause of [1_000, 2_000, 4_000]) {
      const [rung] = ladder.rungs;
      ladder.failed(rung!, unavailable('The thread has ended.'));
      // Calls that were on their way hear of the same end.
      ladder.failed(rung!, unavailable('The thread has ended.'));
      expect(names()).toEqual(['static@1']);
      expect(ladder.status()).toMatchObject({ active: 'static', degraded: true, reason: 'The thread has ended.' });
      await vi.advanceTimersByTimeAsync(pause - 1);
      expect(names()).toEqual(['static@1']);
      await vi.advanceTimersByTimeAsync(2);
      expect(names()).toEqual(['transformersbest@1', 'static@1']);
    }
    expect(made.get('transformersbest')!.map(({ disposed }) => disposed)).toEqual([true, true, true, false]);
    expect(changes).toHaveLength(6);
    // What has worked for long begins anew.
    await vi.advanceTimersByTimeAsync(61_000);
    ladder.failed(ladder.rungs[0]!, unavailable('The thread has ended.'));
    await vi.advanceTimersByTimeAsync(1_001);
    expect(names()).toEqual(['transformersbest@1', 'static@1']);
  });

  it('stops waiting for what takes too long to load, and takes it when it comes, and loads no second one meanwhile', async () => {
    vi.useFakeTimers();
    const slow = Promise.withResolvers<undefined>();
    let loads = 0;
    const { ladder, made, names } = start('MiniLM', { found: [TOP, STATIC] }, (path) => {
      if (path === 'static') return Promise.resolve();
      loads += 1;
      return slow.promise;
    });
    await vi.advanceTimersByTimeAsync(400);
    expect(names()).toEqual(['static@1']);
    expect(ladder.status()).toMatchObject({ active: 'static', degraded: true, reason: 'The model is being loaded.' });
    await vi.advanceTimersByTimeAsync(101);
    expect(ladder.status().reason).toContain('longer than 0.5 s');
    await ladder.settled();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(loads).toBe(1);
    slow.resolve(undefined);
    await vi.advanceTimersByTimeAsync(0);
    expect(made.get('transformersbest')!.at(0)).toMatchObject({ disposed: false });
    expect(names()).toEqual(['transformersbest@1', 'static@1']);
    expect(ladder.status()).toMatchObject({ active: 'transformers', degraded: false });
  });

  it('what one of an extension says while it works is for the log alone: it may be of one call', async () => {
    const { ladder } = start('mine', { found: [candidate('mine'), STATIC] });
    await ladder.settled();
    ladder.failed(ladder.rungs[0]!, unavailable('The text "hunter2" is refused.'));
    expect(ladder.status()).toMatchObject({ active: 'static', reason: expect.stringContaining('has failed') });
    expect(JSON.stringify(ladder.status())).not.toContain('hunter2');
    ladder.close();
  });

  it('tells callers nothing of what code of others says', async () => {
    const { ladder } = start('mine', { found: [TOP, STATIC] }, async (path) =>
      path === 'static' ? undefined : new Error('password=hunter2'),
    );
    await ladder.settled();
    expect(ladder.status().reason).toContain('has failed');
    expect(JSON.stringify(ladder.status())).not.toContain('hunter2');
  });

  it('follows the configuration: what is still wanted stays, and who uses the ladder hears of the rest', async () => {
    const { ladder, parts, names } = start('auto', { found: [TOP, STATIC] });
    await ladder.settled();
    const [top, standIn] = ladder.rungs;
    let heard = 0;
    ladder.onChange(() => (heard += 1));
    ladder.look();
    await ladder.settled();
    expect(ladder.rungs).toEqual([top, standIn]);
    expect(heard).toBe(0);
    Object.assign(parts, { requested: 'hubgate-static-en', candidates: { found: [STATIC] } });
    ladder.look();
    await ladder.settled();
    expect(names()).toEqual(['static@1']);
    expect(ladder.rungs[0]).toBe(standIn);
    expect(heard).toBe(1);
    expect(ladder.degraded(standIn)).toBeUndefined();
  });

  it('looks again for a model that was not there', async () => {
    vi.useFakeTimers();
    const { ladder, parts, names } = start('MiniLM', { found: [STATIC], missing: 'hubgate models pull MiniLM brings it.' });
    await ladder.settled();
    expect(ladder.degraded(ladder.rungs[0])).toMatchObject({ reason: 'hubgate models pull MiniLM brings it.' });
    parts.candidates = { found: [TOP, STATIC] };
    await vi.advanceTimersByTimeAsync(30_001);
    expect(names()).toEqual(['transformersbest@1', 'static@1']);
    ladder.close();
    expect(ladder.rungs).toEqual([]);
  });
});
