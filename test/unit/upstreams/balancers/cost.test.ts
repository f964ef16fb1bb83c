import { expect, it } from 'vitest';
import cost from '../../../../src/upstreams/balancers/cost.ts';
import { picked, sampleTarget } from '../../../contracts/balancer.ts';
import { made } from './made.ts';

it('picks the cheapest', () => {
  const targets = [sampleTarget('a', { price: 3 }), sampleTarget('b', { price: 0.5 }), sampleTarget('c', { price: 12 })];
  expect(picked(made(cost), 100, targets)).toEqual({ b: 100 });
});

it('takes one that is free before one that costs, and one without a known price last', () => {
  const [unknown, free, dear] = [sampleTarget('unknown'), sampleTarget('free', { price: 0 }), sampleTarget('dear', { price: 900 })];
  expect(picked(made(cost), 10, [unknown, dear, free])).toEqual({ free: 10 });
  expect(picked(made(cost), 10, [unknown, dear])).toEqual({ dear: 10 });
});

it('takes equal ones in turn, by weight, those of unknown price too', () => {
  const priced = [sampleTarget('a', { price: 1, weight: 3 }), sampleTarget('b', { price: 1 }), sampleTarget('c', { price: 2 })];
  expect(picked(made(cost), 400, priced)).toEqual({ a: 300, b: 100 });
  expect(picked(made(cost), 10, [sampleTarget('a'), sampleTarget('b')])).toEqual({ a: 5, b: 5 });
});

it.each([
  [3.2, '$3.2 a million tokens'],
  [0.1 + 0.2, '$0.3 a million tokens'],
  [0.0375, '$0.0375 a million tokens'],
  [1_234.5, '$1234.5 a million tokens'],
  [0, '$0 a million tokens'],
  [undefined, 'no known price'],
])('says %s as %s', (price, figure) => {
  expect(made(cost).figure(sampleTarget('a', price === undefined ? {} : { price }))).toBe(figure);
});
