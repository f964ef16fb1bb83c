import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import latency from '../../../../src/upstreams/balancers/latency.ts';
import { Gauge } from '../../../../src/upstreams/health/gauge.ts';
import { CALLS, picked, sampleTarget } from '../../../contracts/balancer.ts';
import { made } from './made.ts';
import { seedRandom } from './seeded-random.ts';

const PICKS = 10_000;

beforeEach(() => seedRandom(6));
afterEach(() => void vi.restoreAllMocks());

/** Shares of a long row of picks, from 0 to 1. */
function shares(...[targets, call]: [Parameters<typeof picked>[2], Parameters<typeof picked>[3]?]): (name: string) => number {
  const counts = picked(made(latency), PICKS, targets, call);
  return (name) => (counts[name] ?? 0) / PICKS;
}

describe('latency', () => {
  it('goes to the quicker of two but for the few that measure the other', () => {
    const share = shares([sampleTarget('quick', { latencyMs: 100 }), sampleTarget('slow', { latencyMs: 110 })]);
    expect(share('quick')).toBeCloseTo(0.99, 2);
    expect(share('slow')).toBeGreaterThan(0.005);
  });

  it('prefers the quicker ones of many, and never the slowest', () => {
    const targets = [100, 200, 300, 400].map((latencyMs) => sampleTarget(String(latencyMs), { latencyMs }));
    const share = shares(targets);
    // Of six pairs the best is in three, the next is the better one of two.
    for (const [name, part] of Object.entries({ 100: 3 / 6, 200: 2 / 6, 300: 1 / 6, 400: 0 }))
      expect(Math.abs(share(name) - part)).toBeLessThan(0.03);
  });

  it('reckons in what is on its way, and weight', () => {
    const busy = [sampleTarget('quick', { latencyMs: 100, inFlight: 3 }), sampleTarget('idle', { latencyMs: 300 })];
    expect(shares(busy)('idle')).toBeGreaterThan(0.95);
    const weighted = [sampleTarget('quick', { latencyMs: 100 }), sampleTarget('heavy', { latencyMs: 300, weight: 4 })];
    expect(shares(weighted)('heavy')).toBeGreaterThan(0.95);
  });

  it('goes by the first chunk for streams, by the whole answer else', () => {
    const targets = [
      sampleTarget('talks soon', { firstChunkMs: 20, latencyMs: 9_000 }),
      sampleTarget('done soon', { firstChunkMs: 300, latencyMs: 500 }),
    ];
    expect(shares(targets, CALLS.stream)('talks soon')).toBeGreaterThan(0.95);
    for (const call of [CALLS.whole, CALLS.tool, CALLS.agent]) expect(shares(targets, call)('done soon')).toBeGreaterThan(0.95);
  });

  it('gives one call in ten to those it knows too little of', () => {
    const known = sampleTarget('known', { latencyMs: 100 });
    const share = shares([known, sampleTarget('new', { samples: 4, latencyMs: 1 }), sampleTarget('newer', { samples: 0 })]);
    // Every fiftieth goes to any of the three.
    expect(share('known')).toBeCloseTo(0.9 + 0.02 / 3, 2);
    expect(share('new')).toBeCloseTo(0.05, 2);
    expect(share('newer')).toBeCloseTo(0.05, 2);
  });

  it('does not know how quick a stream begins from answers that were whole', () => {
    const gauge = new Gauge();
    for (let time = 0; time < 20; time++) gauge.begin(0).ended(5, 'ok');
    const unstreamed = { target: { name: 'whole only', upstream: 'u' }, weight: 1, figures: gauge };
    const targets = [unstreamed, sampleTarget('both', { latencyMs: 500, firstChunkMs: 500 })];
    expect(shares(targets, CALLS.stream)('both')).toBeGreaterThan(0.85);
    expect(shares(targets, CALLS.whole)('whole only')).toBeGreaterThan(0.95);
  });

  it('comes back to one that was slow once and is quick now', () => {
    const ms = [400, 100];
    const gauges = ms.map(() => new Gauge());
    const targets = gauges.map((figures, index) => ({ target: { name: String(index), upstream: 'u' }, weight: 1, figures }));
    const balancer = made(latency);
    const calls = (times: number): number => {
      let first = 0;
      for (let call = 0; call < times; call++) {
        const index = balancer.pick(targets, CALLS.whole);
        if (index === 0) first += 1;
        gauges[index]!.begin(0).ended(ms[index]!, 'ok');
      }
      return first / times;
    };
    calls(100);
    expect(calls(1_000)).toBeLessThan(0.05);
    ms[0] = 10;
    calls(3_000);
    expect(calls(1_000)).toBeGreaterThan(0.95);
  });

  it('says the time that counts for the call', () => {
    const target = sampleTarget('a', { latencyMs: 181.6, firstChunkMs: 40.2 });
    const { figure } = made(latency);
    expect([figure(target), figure(target, CALLS.tool), figure(target, CALLS.stream)]).toEqual(['182 ms', '182 ms', '40 ms']);
    const { latencyMs: _, ...cold } = target.figures;
    expect(figure({ ...target, figures: cold })).toBe('not measured yet');
  });
});
