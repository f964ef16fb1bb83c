import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Meter, State, Taken } from '../../../../src/core/contracts/state.ts';
import { MemoryState } from '../../../../src/storage/state/memory-state.ts';
import { fakeLog } from './fake-log.ts';
import { FakeStore } from './fake-store.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 21);
const { log, said } = fakeLog();
let store: FakeStore;
let state: MemoryState;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  said.length = 0;
  store = new FakeStore();
  state = open();
});
afterEach(() => void vi.useRealTimers());

function open(maxKeys = 1000): MemoryState {
  return new MemoryState({ store, log, now: Date.now, maxKeys });
}

const meterOf = (key: string, until = START + 24 * HOUR): Meter => ({ kind: 'period', key, limit: 100, until });
const a = meterOf('a');
const take = (meter: Meter, amount: number): ReturnType<State['take']> => state.take([{ meter, amount }]);
const ticketOf = (taken: Taken): Extract<Taken, { ticket: object }>['ticket'] =>
  'ticket' in taken ? taken.ticket : expect.unreachable('it was refused');
/** Takes and settles. */
const spend = async (meter: Meter, amount: number): Promise<void> => state.settle(ticketOf(await take(meter, amount)), [amount]);
const valueOf = async (meter: Meter): Promise<number> => (await state.read([meter]))[0]!;

describe('PeriodCounters', () => {
  it('reads once at the first touch, whoever touches, and answers at once afterwards', async () => {
    store.values.set('a', 95);
    const touches = [...Array.from({ length: 20 }, () => take(a, 1)), state.read([a])];
    expect(touches.every((touch) => touch instanceof Promise)).toBe(true);
    const answers = await Promise.all(touches);
    expect(answers.filter((answer) => 'ticket' in answer)).toHaveLength(5);
    expect(store.reads).toEqual(['a']);
    expect(take(a, 0)).toEqual({ refused: { index: 0, value: 100, reserved: 5, retryAfterMs: 24 * HOUR } });
    expect(state.read([a])).toEqual([100]);
  });

  it('takes nothing of the other meters while it reads', async () => {
    const window: Meter = { kind: 'sliding', key: 'w', limit: 10, windowMs: 1000 };
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    store.values.set('a', 100);
    const taken = state.take([
      { meter: window, amount: 1 },
      { meter: a, amount: 1 },
      { meter: meterOf('b'), amount: 1 },
    ]);
    expect(state.read([window])).toEqual([0]);
    gate.resolve();
    expect(await taken).toMatchObject({ refused: { index: 1, value: 100 } });
    expect(await state.read([window, meterOf('b')])).toEqual([0, 0]);
  });

  it('writes once a second at most, with the end of the period', async () => {
    for (let second = 0; second < 3; second++) {
      for (let n = 0; n < 10; n++) await spend(a, 1);
      expect(store.writes).toHaveLength(second);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(store.writes.map(({ value }) => value)).toEqual([10, 20, 30]);
    expect(store.writes[2]!.ttlMs).toBe(24 * HOUR - 3000 + 60_000);
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(store.writes).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('writes what changes while it writes the second after', async () => {
    await spend(a, 1);
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    await vi.advanceTimersByTimeAsync(1000);
    await spend(a, 1);
    await vi.advanceTimersByTimeAsync(5000);
    expect(store.writes).toHaveLength(1);
    gate.resolve();
    await vi.advanceTimersByTimeAsync(1000);
    expect(store.writes.map(({ value }) => value)).toEqual([1, 2]);
  });

  it('writes the rest when it is closed, what is being written included', async () => {
    for (const key of ['a', 'b']) await spend(meterOf(key), 1);
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    await vi.advanceTimersByTimeAsync(1000);
    await spend(a, 1);
    const closed = state.close();
    gate.resolve();
    await closed;
    expect(store.writes.map(({ key, value }) => `${key} ${value}`)).toEqual(['a 1', 'b 1', 'a 2']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('writes nothing that has only been asked for', async () => {
    await state.read([a]);
    await take(a, 0);
    await take(a, 101);
    await state.close();
    expect(store.writes).toEqual([]);
  });

  it('writes nothing of a period that has ended and forgets it', async () => {
    const short = meterOf('short', START + 500);
    const ticket = ticketOf(await take(short, 5));
    await vi.advanceTimersByTimeAsync(1000);
    expect(store.writes).toEqual([]);
    state.settle(ticket, [1]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(store.writes).toEqual([]);
    await vi.advanceTimersByTimeAsync(HOUR);
    for (let n = 0; n < 2; n++) {
      await vi.advanceTimersByTimeAsync(HOUR);
      void state.get('any');
    }
    expect(state.counters).toBe(0);
  });

  it('forgets what is idle and reads it again', async () => {
    await spend(a, 50);
    for (let n = 0; n < 3; n++) {
      await vi.advanceTimersByTimeAsync(HOUR);
      void state.get('any');
    }
    expect(state.counters).toBe(0);
    await spend(a, 20);
    expect(await valueOf(a)).toBe(70);
    await state.close();
    expect(store.values.get('a')).toBe(70);
    expect(store.reads).toEqual(['a', 'a']);
  });

  it('does not forget what is reserved, however long, and writes it when it is settled', async () => {
    const ticket = ticketOf(await take(a, 50));
    await spend(a, 20);
    await vi.advanceTimersByTimeAsync(1000);
    expect(store.values.get('a')).toBe(20);
    for (let n = 0; n < 3; n++) {
      await vi.advanceTimersByTimeAsync(HOUR);
      void state.get('any');
    }
    expect(await take(a, 31)).toMatchObject({ refused: { value: 70, reserved: 50 } });
    state.settle(ticket, [10]);
    expect(await take(a, 71)).toMatchObject({ refused: { value: 30, reserved: 0 } });
    await vi.advanceTimersByTimeAsync(1000);
    expect(store.values.get('a')).toBe(30);
    for (let n = 0; n < 3; n++) {
      await vi.advanceTimersByTimeAsync(HOUR);
      void state.get('any');
    }
    expect(state.counters).toBe(0);
  });

  it('keeps in memory what it could not write, however many others there are', async () => {
    state = open(10);
    await spend(a, 7);
    store.failing = 'all';
    for (let n = 0; n < 100; n++) await spend(meterOf(`other ${n}`), 1);
    for (let n = 0; n < 3; n++) {
      await vi.advanceTimersByTimeAsync(HOUR);
      void state.get('any');
    }
    expect(state.read([a])).toEqual([7]);
    store.failing = 'nothing';
    await state.close();
    expect(store.values.size).toBe(101);
    expect(store.values.get('a')).toBe(7);
  });

  it('counts from 0 while the store cannot be read, and adds what it held once it can', async () => {
    store.values.set('a', 90);
    store.failing = 'reads';
    await spend(a, 50);
    expect(await valueOf(a)).toBe(50);
    await vi.advanceTimersByTimeAsync(5000);
    expect(store.values.get('a')).toBe(90);
    store.failing = 'nothing';
    await vi.advanceTimersByTimeAsync(1000);
    expect(state.read([a])).toEqual([140]);
    expect(store.values.get('a')).toBe(140);
  });

  it('writes again when the store works again, and says both once, without keys', async () => {
    const secret = meterOf('header/sk-secret');
    await spend(secret, 1);
    await spend(a, 1);
    store.failing = 'all';
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.writes).toHaveLength(10);
    await spend(meterOf('new'), 1);
    expect(said).toEqual([
      'error the store cannot be reached: budgets count in memory for now {"code":"SQLITE_FULL","detail":"disk is full"}',
    ]);
    store.failing = 'nothing';
    await vi.advanceTimersByTimeAsync(1000);
    expect(Object.fromEntries(store.values)).toEqual({ 'header/sk-secret': 1, a: 1, new: 1 });
    expect(said.slice(1)).toEqual(['info budgets are kept in the store again {}']);
  });

  it('counts from 0 where the store holds something else', async () => {
    store.values.set('a', { value: 90 });
    await take(a, 5);
    expect(state.read([a])).toEqual([5]);
  });

  it('keeps nothing that is told after the end', async () => {
    const ticket = ticketOf(await take(a, 5));
    await spend(a, 4);
    await state.close();
    state.settle(ticket, [1]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.values.get('a')).toBe(4);
  });
});
