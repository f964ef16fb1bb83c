import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Gauge } from '../../../../src/upstreams/health/gauge.ts';
import { watchTarget } from '../../../../src/upstreams/health/watch-target.ts';

const stops: (() => void)[] = [];
const watch = (...args: Parameters<typeof watchTarget>): (() => void) => {
  const stop = watchTarget(...args);
  stops.push(stop);
  return stop;
};
beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  // A check that is called off ends a turn later.
  await vi.advanceTimersByTimeAsync(0);
  expect(vi.getTimerCount(), 'a timer was left behind').toBe(0);
  vi.useRealTimers();
  vi.restoreAllMocks();
});
const down = (): Promise<void> => Promise.reject(new Error('down'));

describe('watchTarget', () => {
  it('gives all gauges their settings', () => {
    const gauges = [new Gauge(), new Gauge()];
    watch(gauges, { breaker: { failures: 1 } }, down);
    for (const gauge of gauges) {
      gauge.begin(0).ended(0, 'failed');
      expect(gauge.status(0).health).toBe('open');
    }
  });

  it('takes settings back that are not there any more', () => {
    const gauge = new Gauge();
    watch([gauge], { breaker: { failures: 1 } }, down);
    watch([gauge], {}, down);
    gauge.begin(0).ended(0, 'failed');
    expect(gauge.status(0).health).toBe('healthy');
  });

  it('asks each interval and tells every gauge, once for each check', async () => {
    const gauges = [new Gauge(), new Gauge()];
    let asked = 0;
    let isWell = false;
    const check = (): Promise<void> => ((asked += 1), isWell ? Promise.resolve() : down());
    const health = (): string[] => gauges.map((gauge) => gauge.status(0).health);
    watch([...gauges, gauges[0]!], { health: { interval: 10_000, unhealthyAfter: 2, healthyAfter: 2 } }, check);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([asked, health()]).toEqual([1, ['healthy', 'healthy']]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([asked, health()]).toEqual([2, ['unhealthy', 'unhealthy']]);
    isWell = true;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(health()).toEqual(['unhealthy', 'unhealthy']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([asked, health()]).toEqual([4, ['healthy', 'healthy']]);
  });

  it('asks every 30 seconds, and waits 5 for an answer', async () => {
    const gauge = new Gauge();
    const calledOff: number[] = [];
    let asked = 0;
    const began = Date.now();
    const check = (signal: AbortSignal): Promise<void> => {
      asked += 1;
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          calledOff.push(Date.now() - began);
          reject(new Error('late'));
        });
      });
    };
    watch([gauge], { health: { unhealthyAfter: 1 } }, check);
    await vi.advanceTimersByTimeAsync(1_500);
    expect([asked, gauge.status(0).health]).toEqual([1, 'healthy']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([calledOff, gauge.status(0).health]).toEqual([[6_500], 'unhealthy']);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(asked).toBe(2);
  });

  it('stops when told so', async () => {
    let asked = 0;
    const stop = watch([new Gauge()], { health: { interval: 1_000 } }, async () => void (asked += 1));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toBeGreaterThan(0);
    const before = asked;
    stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toBe(before);
  });

  it('without checks nobody asks, and what earlier ones said counts no more', async () => {
    const gauge = new Gauge();
    gauge.configure({ unhealthyAfter: 1 });
    gauge.checked(false);
    expect(gauge.status(0).health).toBe('unhealthy');
    watch([gauge], {}, () => expect.unreachable());
    expect([gauge.status(0).health, vi.getTimerCount()]).toEqual(['healthy', 0]);
  });
});
