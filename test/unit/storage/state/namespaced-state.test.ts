import { describe, expect, it } from 'vitest';
import type { Meter, State } from '../../../../src/core/contracts/state.ts';
import { MemoryState } from '../../../../src/storage/state/memory-state.ts';
import { namespaced } from '../../../../src/storage/state/namespaced-state.ts';
import { fakeLog } from './fake-log.ts';
import { FakeStore } from './fake-store.ts';

const meters: readonly Meter[] = [
  { kind: 'sliding', key: 'k', limit: 5, windowMs: 1000 },
  { kind: 'period', key: 'k', limit: 5, until: Date.now() + 60_000 },
  { kind: 'held', key: 'k', limit: 5 },
];
const uses = meters.map((meter) => ({ meter, amount: 2 }));
const open = (): MemoryState => new MemoryState({ store: new FakeStore(), log: fakeLog().log });

describe('namespaced', () => {
  it('keeps counters and entries of two owners apart, and shares those of one', async () => {
    const state = open();
    const [one, again, two] = [namespaced(state, 'one'), namespaced(state, 'one'), namespaced(state, 'two')];
    expect(await one.take(uses)).toHaveProperty('ticket');
    expect(await one.take(uses)).toHaveProperty('ticket');
    one.set('k', 'text', 1000);
    expect(await again.read(meters)).toEqual([4, 4, 4]);
    expect(await again.take(uses)).toMatchObject({ refused: { index: 0, value: 4 } });
    expect(await again.get('k')).toBe('text');
    expect(await two.read(meters)).toEqual([0, 0, 0]);
    expect(await two.get('k')).toBeUndefined();
    two.delete('k');
    expect(await one.get('k')).toBe('text');
    one.delete('k');
    expect(await one.get('k')).toBeUndefined();
    expect(await state.read(meters)).toEqual([0, 0, 0]);
    expect(await state.read(meters.map((meter) => ({ ...meter, key: 'one:k' })))).toEqual([4, 4, 4]);
  });

  it('settles what it took', async () => {
    const state = namespaced(open(), 'one');
    const taken = await state.take(uses);
    state.settle('ticket' in taken ? taken.ticket : expect.unreachable(), [1, 4, 2]);
    expect(await state.read(meters)).toEqual([1, 4, 0]);
  });

  it('tells and hears under its own topics, and closes nothing', async () => {
    const asked: string[] = [];
    const inner = {
      publish: (topic: string, message: string) => void asked.push(`publish ${topic} ${message}`),
      subscribe: (topic: string, listener: (message: string) => void) => {
        asked.push(`subscribe ${topic}`);
        listener('news');
        return () => void asked.push(`stop ${topic}`);
      },
      close: () => expect.unreachable(),
    } satisfies Partial<State>;
    const state = namespaced(inner as unknown as State, 'one');
    state.publish('topic', 'text');
    state.subscribe('topic', (message) => void asked.push(`heard ${message}`))();
    await state.close();
    expect(asked).toEqual(['publish one:topic text', 'subscribe one:topic', 'heard news', 'stop one:topic']);
  });

  it('makes each meter once', () => {
    const seen: Meter[] = [];
    const inner = { read: (asked: readonly Meter[]) => (seen.push(...asked), asked.map(() => 0)) } satisfies Partial<State>;
    const state = namespaced(inner as unknown as State, 'one');
    void state.read([meters[0]!, meters[0]!]);
    expect(seen[0]).toEqual({ ...meters[0], key: 'one:k' });
    expect(seen[1]).toBe(seen[0]);
  });
});
