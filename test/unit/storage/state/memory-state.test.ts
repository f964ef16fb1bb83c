import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Meter, State, Ticket } from '../../../../src/core/contracts/state.ts';
import { MemoryState, type MemoryStateOptions } from '../../../../src/storage/state/memory-state.ts';
import { fakeLog } from './fake-log.ts';
import { FakeStore } from './fake-store.ts';

const source = new URL('../../../../src/storage/state/memory-state.ts', import.meta.url).href;
const { log, said } = fakeLog();
let time: number;
beforeEach(() => {
  time = Date.UTC(2026, 10, 21);
  said.length = 0;
});

function open(options: Partial<MemoryStateOptions> = {}): MemoryState {
  return new MemoryState({ store: new FakeStore(), log, now: () => time, ...options });
}

const sliding = (key: string, limit: number, windowMs = 60_000): Meter => ({ kind: 'sliding', key, limit, windowMs });
const ticketOf = (taken: ReturnType<State['take']>): Ticket => ('ticket' in taken ? taken.ticket : expect.unreachable('it was refused'));
const held = (key: string): Meter => ({ kind: 'held', key, limit: 5 });

describe('MemoryState', () => {
  it('answers at once where it has not to read', () => {
    const state = open();
    expect(state.take([{ meter: sliding('a', 1), amount: 1 }])).toHaveProperty('ticket');
    expect(state.take([{ meter: sliding('a', 1), amount: 1 }])).toEqual({
      refused: { index: 0, value: 1, reserved: 1, retryAfterMs: 60_000 },
    });
    expect(state.read([sliding('a', 1), held('a')])).toEqual([1, 0]);
    state.set('a', 'b', 1000);
    expect(state.get('a')).toBe('b');
  });

  it('forgets a hundred thousand keys that are idle', () => {
    const state = open();
    for (let n = 0; n < 100_000; n++) {
      const taken = state.take([
        { meter: sliding(`ip ${n}`, 5), amount: 1 },
        { meter: held(`ip ${n}`), amount: 1 },
      ]);
      state.settle(ticketOf(taken), []);
    }
    const kept = ticketOf(state.take([{ meter: held('open'), amount: 1 }]));
    expect(state.counters).toBe(200_001);
    for (let n = 0; n < 4; n++) {
      time += 60_000;
      state.get('any');
    }
    expect(state.counters).toBe(1);
    state.settle(kept, []);
    time += 60_000;
    expect(state.read([held('open')])).toEqual([0]);
    expect(state.counters).toBe(0);
  });

  it('never forgets what still counts, however its window is asked for', () => {
    const state = open();
    for (let start = 0; start < 61_000; start += 997) {
      const meter = sliding(`from ${start}`, 1);
      time += 997;
      state.take([{ meter, amount: 1 }]);
      for (let second = 0; second < 59; second++) {
        time += 1000;
        state.get('any');
      }
      time += 999;
      expect(state.read([meter])).toEqual([1]);
      expect(state.take([{ meter, amount: 1 }])).toEqual({ refused: { index: 0, value: 1, reserved: 1, retryAfterMs: 1 } });
    }
  });

  it('has bounded memory: keys that were asked for least begin anew, and the log says so', () => {
    const state = open({ maxKeys: 100 });
    const busy = sliding('busy', 1000, 3_600_000);
    for (let n = 0; n < 1000; n++) {
      state.take([{ meter: busy, amount: 1 }]);
      state.take([{ meter: sliding(`ip ${n}`, 1, 3_600_000), amount: 1 }]);
      expect(state.counters).toBeLessThanOrEqual(200);
    }
    expect(state.read([busy, sliding('ip 999', 1, 3_600_000), sliding('ip 0', 1, 3_600_000)])).toEqual([1000, 1, 0]);
    expect(said[0]).toMatch(/^warn a limit has more keys in one window than memory holds.*"keys":100/);
    expect(said.join()).not.toContain('ip ');
  });

  it('does not keep windows full when the clock is put back', () => {
    const state = open();
    const meter = sliding('a', 1);
    state.take([{ meter, amount: 1 }]);
    state.set('entry', 'text', 60_000);
    time -= 3_600_000;
    expect(state.take([{ meter, amount: 1 }])).toEqual({ refused: { index: 0, value: 1, reserved: 1, retryAfterMs: 60_000 } });
    time += 59_999;
    expect(state.take([{ meter, amount: 1 }])).toHaveProperty('refused');
    expect(state.get('entry')).toBe('text');
    time += 1;
    expect(state.take([{ meter, amount: 1 }])).toHaveProperty('ticket');
    expect(state.get('entry')).toBeUndefined();
  });

  it('keeps entries within its room', () => {
    const state = open({ cacheBytes: 80_000 });
    for (let n = 0; n < 100; n++) state.set(`${n}`, 'x'.repeat(2000), 1000);
    const kept = Array.from({ length: 100 }, (_, n) => n).filter((n) => state.get(`${n}`) !== undefined);
    expect(kept).toEqual(Array.from({ length: 19 }, (_, n) => n + 81));
  });

  it('settles no ticket of others', () => {
    const state = open();
    state.take([{ meter: held('a'), amount: 1 }]);
    state.settle({ uses: [{ meter: held('a'), amount: 1 }] }, [0]);
    expect(state.read([held('a')])).toEqual([1]);
  });

  it('keeps no process alive that has nothing else to do', async () => {
    const script = `const { MemoryState } = await import(${JSON.stringify(source)});
      let written = 0;
      const store = { get: async () => 1, set: async () => void written++, delete: async () => {} };
      const state = new MemoryState({ store, log: {} });
      await state.take([{ meter: { kind: 'period', key: 'a', limit: 5, until: Date.now() + 60_000 }, amount: 1 }]);
      process.on('exit', () => console.log('written', written));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [[text], [code]] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit')]);
    expect(code).toBe(0);
    // It did not wait for the second after which it writes.
    expect(String(text)).toBe('written 0\n');
  });
});
