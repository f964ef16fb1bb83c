import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Gauge } from '../../../../src/upstreams/health/gauge.ts';
import type { Ending } from '../../../../src/upstreams/health/breaker.ts';

const START = Date.UTC(2026, 10, 21);

function call(gauge: Gauge, now: number, how: Ending, ms = 0): void {
  gauge.begin(now).ended(now + ms, how);
}

function failing(gauge: Gauge, now: number, times: number): void {
  for (let time = 0; time < times; time++) call(gauge, now, 'failed');
}

describe('figures', () => {
  it('know nothing at first', () => {
    const figures = new Gauge();
    expect(figures).toMatchObject({ inFlight: 0, samples: 0, failureRate: 0 });
    expect([figures.latencyMs, figures.firstChunkMs]).toEqual([undefined, undefined]);
  });

  it('count what is on its way, and each end once', () => {
    const gauge = new Gauge();
    const [one, other] = [gauge.begin(START), gauge.begin(START)];
    expect(gauge.inFlight).toBe(2);
    one.ended(START + 10, 'ok');
    one.ended(START + 20, 'failed');
    expect(gauge).toMatchObject({ inFlight: 1, samples: 1, failureRate: 0, latencyMs: 10 });
    other.ended(START + 10, 'neutral');
    expect(gauge).toMatchObject({ inFlight: 0, samples: 1 });
  });

  it('are the mean of the first ten, then go along with what comes', () => {
    const gauge = new Gauge();
    for (let ms = 1; ms <= 10; ms++) call(gauge, START, 'ok', ms);
    expect(gauge.latencyMs).toBeCloseTo(5.5, 9);
    call(gauge, START, 'ok', 105.5);
    expect(gauge.latencyMs).toBeCloseTo(15.5, 9);
    for (let time = 0; time < 100; time++) call(gauge, START, 'ok', 40);
    expect(gauge.latencyMs).toBeCloseTo(40, 1);
  });

  it('take the latency of good answers only, and of failures the rate', () => {
    const gauge = new Gauge();
    call(gauge, START, 'ok', 100);
    call(gauge, START, 'failed', 9_000);
    call(gauge, START, 'neutral', 9_000);
    expect(gauge).toMatchObject({ latencyMs: 100, failureRate: 0.5, samples: 2 });
  });

  it('take the first chunk of each stream once, and none after its end', () => {
    const gauge = new Gauge();
    const run = gauge.begin(START);
    run.firstChunk(START + 30);
    run.firstChunk(START + 60);
    run.ended(START + 500, 'ok');
    const cut = gauge.begin(START);
    cut.ended(START + 5, 'failed');
    cut.firstChunk(START + 99);
    expect(gauge).toMatchObject({ firstChunkMs: 30, latencyMs: 500 });
  });

  it('stay within what was seen, and end with nothing on its way', () => {
    const run = fc.record({ ms: fc.nat(10_000), how: fc.constantFrom<Ending>('ok', 'failed', 'neutral') });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1 }), (all) => {
        const gauge = new Gauge();
        const runs = all.map(() => gauge.begin(START));
        for (const [index, { ms, how }] of all.entries()) runs[index]!.ended(START + ms, how);
        const good = all.filter(({ how }) => how === 'ok').map(({ ms }) => ms);
        expect(gauge.inFlight).toBe(0);
        expect(gauge.latencyMs === undefined).toBe(good.length === 0);
        expect(gauge.latencyMs ?? 0).toBeGreaterThanOrEqual(Math.min(0, ...good) - 1e-6);
        expect(gauge.latencyMs ?? 0).toBeLessThanOrEqual(Math.max(0, ...good) + 1e-6);
        expect(gauge.failureRate).toBeGreaterThanOrEqual(0);
        expect(gauge.failureRate).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('a rest', () => {
  it.each([
    [undefined, 5_000],
    [250, 250],
    [3_600_000, 60_000],
    [0, 0],
  ])('of %s ms is one of %d', (asked, ms) => {
    const gauge = new Gauge();
    gauge.rest(START, asked);
    expect(gauge.retryAt(START)).toBe(START + ms);
    expect(gauge.available(START + ms)).toBe(true);
    expect(gauge.available(START)).toBe(ms === 0);
    expect(gauge.available(START + Math.max(0, ms - 1))).toBe(ms === 0);
  });

  it('is not made shorter by another', () => {
    const gauge = new Gauge();
    gauge.rest(START, 20_000);
    gauge.rest(START + 1, 10);
    expect(gauge.retryAt(START + 1)).toBe(START + 20_000);
  });
});

describe('the breaker of a gauge', () => {
  it('opens on failures, probes with one call, and closes', () => {
    const gauge = new Gauge();
    failing(gauge, START, 5);
    expect([gauge.available(START), gauge.retryAt(START)]).toEqual([false, START + 10_000]);
    const then = START + 10_000;
    expect(gauge.available(then)).toBe(true);
    const probe = gauge.begin(then);
    expect(gauge.available(then)).toBe(false);
    probe.ended(then + 100, 'ok');
    expect(gauge.available(then + 100)).toBe(true);
  });

  it('is not told of what says nothing about the target, which frees the place of a probe', () => {
    const gauge = new Gauge();
    failing(gauge, START, 4);
    for (let time = 0; time < 30; time++) call(gauge, START, 'neutral');
    expect(gauge.available(START)).toBe(true);
    failing(gauge, START, 1);
    const probe = gauge.begin(START + 10_000);
    expect(gauge.available(START + 10_000)).toBe(false);
    probe.ended(START + 10_001, 'neutral');
    expect(gauge.available(START + 10_001)).toBe(true);
  });

  it('takes the settings of the gauge, and new ones later', () => {
    const gauge = new Gauge({ breaker: { failures: 1, open: 2_000 } });
    failing(gauge, START, 1);
    expect(gauge.retryAt(START)).toBe(START + 2_000);
    call(gauge, START + 2_000, 'ok');
    gauge.configure({});
    failing(gauge, START + 2_000, 4);
    expect(gauge.available(START + 2_000)).toBe(true);
  });
});

describe('active checks', () => {
  it('take three failures in a row to take it out, and one good one to bring it back', () => {
    const gauge = new Gauge();
    const check = (...results: boolean[]): boolean => {
      for (const ok of results) gauge.checked(ok);
      return gauge.available(START);
    };
    expect(check(false, false, true, false, false)).toBe(true);
    expect(check(false)).toBe(false);
    expect(gauge.retryAt(START)).toBeGreaterThan(START);
    expect(check(false, false)).toBe(false);
    expect(check(true)).toBe(true);
    expect(check(false, false)).toBe(true);
  });

  it('take as many as is said', () => {
    const gauge = new Gauge({ unhealthyAfter: 1, healthyAfter: 2 });
    gauge.checked(false);
    expect(gauge.available(START)).toBe(false);
    gauge.checked(true);
    gauge.checked(false);
    gauge.checked(true);
    expect(gauge.available(START)).toBe(false);
    gauge.checked(true);
    expect(gauge.available(START)).toBe(true);
  });
});

describe('status', () => {
  it('shows a new target', () => {
    expect(new Gauge().status(START)).toEqual({ health: 'healthy', breaker: 'closed', inFlight: 0, errorRate: 0, samples: 0 });
  });

  it('rounds what was seen', () => {
    const gauge = new Gauge();
    const run = gauge.begin(START);
    run.firstChunk(START + 20.4);
    run.ended(START + 100.6, 'ok');
    call(gauge, START, 'ok', 100.6);
    call(gauge, START, 'failed');
    gauge.begin(START);
    expect(gauge.status(START)).toEqual({
      health: 'healthy',
      breaker: 'closed',
      inFlight: 1,
      latencyMs: 101,
      firstChunkMs: 20,
      errorRate: 0.333,
      samples: 3,
    });
  });

  it('says why it is not tried, the longest reason first, and when it will be', () => {
    const gauge = new Gauge();
    gauge.rest(START, 1_000);
    expect(gauge.status(START)).toMatchObject({ health: 'resting', breaker: 'closed', retryAt: START + 1_000 });
    failing(gauge, START, 5);
    expect(gauge.status(START)).toMatchObject({ health: 'open', breaker: 'open', retryAt: START + 10_000 });
    const then = START + 10_000;
    expect(gauge.status(then)).toMatchObject({ health: 'probing', breaker: 'half-open' });
    expect(gauge.status(then)).not.toHaveProperty('retryAt');
    gauge.begin(then);
    expect(gauge.status(then)).toMatchObject({ health: 'probing', inFlight: 1, retryAt: then + 1_000 });
    for (let time = 0; time < 3; time++) gauge.checked(false);
    expect(gauge.status(then)).toMatchObject({ health: 'unhealthy', breaker: 'half-open' });
  });
});
