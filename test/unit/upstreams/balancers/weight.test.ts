import fc from 'fast-check';
import { expect, it } from 'vitest';
import weight from '../../../../src/upstreams/balancers/weight.ts';
import { CALLS, picked, sampleTarget } from '../../../contracts/balancer.ts';
import { made } from './made.ts';

it('shares 90 to 10 out exactly, in each ten calls', () => {
  const targets = [sampleTarget('a', { weight: 90 }), sampleTarget('b', { weight: 10 })];
  const balancer = made(weight);
  for (let ten = 0; ten < 1_000; ten++) expect(picked(balancer, 10, targets)).toEqual({ a: 9, b: 1 });
});

it('goes by nothing but weight', () => {
  const targets = [
    sampleTarget('a', { weight: 1, inFlight: 100, latencyMs: 9_000, failureRate: 1, price: 9 }),
    sampleTarget('b', { weight: 1 }),
  ];
  expect(picked(made(weight), 100, targets)).toEqual({ a: 50, b: 50 });
});

it('mixes them instead of sending bursts', () => {
  const targets = [sampleTarget('a', { weight: 5 }), sampleTarget('b', { weight: 1 }), sampleTarget('c', { weight: 1 })];
  const balancer = made(weight);
  const row = Array.from({ length: 7 }, () => targets[balancer.pick(targets, CALLS.whole)]!.target.name);
  expect(row.join('')).toBe('aabacaa');
});

it('stays close to the shares for any weights', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(weights, (weights) => {
      const targets = weights.map((one, index) => sampleTarget(String(index), { weight: one }));
      const counts = picked(made(weight), 1_000, targets);
      const total = weights.reduce((sum, one) => sum + one, 0);
      for (const [index, one] of weights.entries()) expect(Math.abs((counts[index] ?? 0) - (1_000 * one) / total)).toBeLessThan(2);
    }),
  );
});

it('stays close to the shares when the targets that are there change from pick to pick', () => {
  const target = fc.record({ weight: fc.integer({ min: 1, max: 50 }) });
  const pools = fc.tuple(fc.array(target, { minLength: 3, maxLength: 5 }), fc.array(fc.nat(), { minLength: 1, maxLength: 300 }));
  fc.assert(
    fc.property(pools, ([weights, outs]) => {
      const all = weights.map((one, index) => sampleTarget(String(index), one));
      const due = all.map(() => 0);
      const counts = picked(made(weight), outs.length, (pick) => {
        const there = all.filter((_, index) => index !== outs[pick]! % (all.length + 1));
        const total = there.reduce((sum, one) => sum + one.weight, 0);
        for (const one of there) due[Number(one.target.name)]! += one.weight / total;
        return there;
      });
      for (const [index, expected] of due.entries()) expect(Math.abs((counts[index] ?? 0) - expected)).toBeLessThan(3);
    }),
  );
});

it('says the weight', () => {
  expect(made(weight).figure(sampleTarget('a', { weight: 90 }))).toBe('weight 90');
});
