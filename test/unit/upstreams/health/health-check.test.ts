import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startHealthCheck } from '../../../../src/upstreams/health/health-check.ts';

const INTERVAL = 10_000;
const TIMEOUT = 2_000;

let said: boolean[];
let stop: (() => void) | undefined;

function start(check: (signal: AbortSignal) => Promise<void>): void {
  stop = startHealthCheck({ intervalMs: INTERVAL, timeoutMs: TIMEOUT, check, gauge: { checked: (ok) => void said.push(ok) } });
}

beforeEach(() => {
  said = [];
  vi.useFakeTimers();
});
afterEach(() => {
  stop?.();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a health check', () => {
  it('asks soon, and again each interval, give or take a tenth', async () => {
    for (const [random, first, between] of [
      [0, 0, 9_000],
      [0.5, 500, 10_000],
      [0.999, 999, 11_000],
    ] as const) {
      vi.spyOn(Math, 'random').mockReturnValue(random);
      const began = Date.now();
      const asked: number[] = [];
      start(async () => void asked.push(Date.now() - began));
      await vi.advanceTimersByTimeAsync(35_000);
      stop!();
      expect(asked[0]).toBeCloseTo(first, -1);
      for (const [index, at] of asked.slice(1).entries()) expect(Math.abs(at - asked[index]! - between)).toBeLessThan(10);
      expect(asked.length).toBeGreaterThanOrEqual(4);
    }
  });

  it('tells the gauge what came of it', async () => {
    let well = true;
    let calledOff = 0;
    start(async (signal) => {
      signal.addEventListener('abort', () => (calledOff += 1));
      if (!well) throw new Error('down');
    });
    await vi.advanceTimersByTimeAsync(INTERVAL * 0.1 + TIMEOUT);
    expect([said, calledOff]).toEqual([[true], 0]);
    well = false;
    await vi.advanceTimersByTimeAsync(INTERVAL * 1.1);
    expect(said).toEqual([true, false]);
  });

  it('one that takes too long has failed, is called off, and counts once', async () => {
    const reasons: unknown[] = [];
    start(
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason);
            reject(signal.reason as Error);
          });
        }),
    );
    await vi.advanceTimersByTimeAsync(INTERVAL * 0.1 + TIMEOUT);
    expect(said).toEqual([false]);
    expect(reasons).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(INTERVAL * 1.1);
    expect(said).toEqual([false, false]);
  });

  it('never asks twice at once, even one that does not heed its signal', async () => {
    let asked = 0;
    let answer = (): void => {};
    start(() => {
      asked += 1;
      return new Promise((resolve) => {
        answer = resolve;
      });
    });
    await vi.advanceTimersByTimeAsync(INTERVAL * 3.5);
    expect(asked).toBe(1);
    expect(said.length).toBeGreaterThanOrEqual(3);
    expect(said).not.toContain(true);
    // A late answer is no answer.
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(said).not.toContain(true);
    await vi.advanceTimersByTimeAsync(INTERVAL * 1.1);
    expect(asked).toBe(2);
  });

  it('takes a check that throws at once for a failure', async () => {
    start(() => {
      throw new Error('no address');
    });
    await vi.advanceTimersByTimeAsync(INTERVAL * 2.5);
    expect(said.length).toBeGreaterThanOrEqual(2);
    expect(said).not.toContain(true);
  });

  it('says nothing once it is stopped, and calls off what is on its way', async () => {
    let signal: AbortSignal | undefined;
    start((given) => {
      signal = given;
      return new Promise((_, reject) => {
        given.addEventListener('abort', () => reject(given.reason as Error));
      });
    });
    await vi.advanceTimersByTimeAsync(INTERVAL * 0.1);
    expect(signal?.aborted).toBe(false);
    stop!();
    expect(signal?.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(INTERVAL * 5);
    expect(said).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not keep the process alive', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    start(() => new Promise(() => {}));
    await vi.advanceTimersByTimeAsync(INTERVAL * 0.1);
    const made = timers.mock.results.map(({ value }) => value as NodeJS.Timeout);
    // The first beat, the next, and the end of patience.
    expect(made.map((timer) => timer.hasRef())).toEqual([false, false, false]);
  });
});
