import { expect, it } from 'vitest';
import type { BalancedTarget } from '../../../../src/core/contracts/balancer.ts';
import leastBusy from '../../../../src/upstreams/balancers/least-busy.ts';
import { CALLS, picked, sampleTarget } from '../../../contracts/balancer.ts';
import { made } from './made.ts';

it('picks the one with the fewest calls on their way', () => {
  const targets = [sampleTarget('a', { inFlight: 3 }), sampleTarget('b', { inFlight: 2 }), sampleTarget('c', { inFlight: 4 })];
  expect(picked(made(leastBusy), 100, targets)).toEqual({ b: 100 });
});

it('reckons the weight in', () => {
  const targets = [sampleTarget('a', { inFlight: 8, weight: 9 }), sampleTarget('b', { inFlight: 1, weight: 1 })];
  expect(picked(made(leastBusy), 100, targets)).toEqual({ a: 100 });
});

it('takes equal ones in turn, by weight', () => {
  const targets = [sampleTarget('a', { weight: 3 }), sampleTarget('b', { weight: 1 }), sampleTarget('busy', { weight: 4, inFlight: 1 })];
  expect(picked(made(leastBusy), 400, targets)).toEqual({ a: 300, b: 100 });
});

it('fills targets evenly when calls only come', () => {
  const balancer = made(leastBusy);
  const inFlight = [0, 0, 0];
  const weights = [4, 2, 1];
  for (let call = 0; call < 700; call++) {
    const targets = weights.map((weight, index): BalancedTarget => sampleTarget(String(index), { weight, inFlight: inFlight[index]! }));
    inFlight[balancer.pick(targets, CALLS.whole)]! += 1;
  }
  expect(inFlight).toEqual([400, 200, 100]);
});

it('says how many are in flight', () => {
  expect(made(leastBusy).figure(sampleTarget('a', { inFlight: 2 }))).toBe('2 in flight');
});
