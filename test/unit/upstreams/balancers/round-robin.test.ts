import { expect, it } from 'vitest';
import roundRobin from '../../../../src/upstreams/balancers/round-robin.ts';
import { CALLS, picked, sampleTarget } from '../../../contracts/balancer.ts';
import { made } from './made.ts';

const TARGETS = ['a', 'b', 'c'].map((name, index) => sampleTarget(name, { weight: 10 ** index, inFlight: index }));

it('takes one after the other, whatever their weights', () => {
  const balancer = made(roundRobin);
  const row = Array.from({ length: 9 }, () => TARGETS[balancer.pick(TARGETS, CALLS.whole)]!.target.name);
  expect(row.join('')).toBe('abcabcabc');
});

it('stays even when one is missing in every second pick', () => {
  const counts = picked(made(roundRobin), 600, (pick) => (pick % 2 === 0 ? TARGETS : TARGETS.slice(0, 2)));
  // 300 × 1/3 + 300 × 1/2 for those that are always there.
  for (const [name, due] of Object.entries({ a: 250, b: 250, c: 100 })) expect(Math.abs(counts[name]! - due)).toBeLessThanOrEqual(1);
});

it('says that it goes by nothing else', () => {
  expect(made(roundRobin).figure(TARGETS[0]!)).toBe('in turn');
});
