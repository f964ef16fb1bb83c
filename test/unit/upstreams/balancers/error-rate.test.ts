import { describe, expect, it } from 'vitest';
import errorRate from '../../../../src/upstreams/balancers/error-rate.ts';
import { Gauge } from '../../../../src/upstreams/health/gauge.ts';
import { CALLS, picked, sampleTarget } from '../../../contracts/balancer.ts';
import { made } from './made.ts';

describe('error-rate', () => {
  it('sends all but one call in twenty to the one that fails least', () => {
    const targets = [
      sampleTarget('a', { failureRate: 0.4 }),
      sampleTarget('b', { failureRate: 0.06 }),
      sampleTarget('c', { failureRate: 0.9 }),
    ];
    expect(picked(made(errorRate), 1_000, targets)).toEqual({ b: 950, a: 25, c: 25 });
  });

  it('takes those that differ by less than a step in turn, by weight', () => {
    const targets = [sampleTarget('a', { failureRate: 0.04, weight: 3 }), sampleTarget('b', { failureRate: 0 })];
    expect(picked(made(errorRate), 400, targets)).toEqual({ a: 300, b: 100 });
  });

  it('finds out that one is well again, and shares out evenly then', () => {
    const gauges = [new Gauge(), new Gauge()];
    const targets = gauges.map((figures, index) => ({ target: { name: String(index), upstream: 'u' }, weight: 1, figures }));
    const balancer = made(errorRate);
    for (let time = 0; time < 4; time++) gauges[0]!.begin(0).ended(1, 'failed');
    const counts = [0, 0];
    const calls = (times: number): void => {
      counts.fill(0);
      for (let call = 0; call < times; call++) {
        const index = balancer.pick(targets, CALLS.whole);
        counts[index]! += 1;
        gauges[index]!.begin(0).ended(1, 'ok');
      }
    };
    calls(100);
    expect(counts[1]).toBe(95);
    calls(1_000);
    calls(100);
    expect(counts).toEqual([50, 50]);
  });

  it('says the rate', () => {
    expect(made(errorRate).figure(sampleTarget('a', { failureRate: 0.042 }))).toBe('4 % failed');
  });
});
