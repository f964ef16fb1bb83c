import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bestTexts } from '../../../../src/embedding/index/best-texts.ts';

const all = () => true;

it('are the same whatever number is asked for: each the beginning of the next', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 60 }), fc.integer({ min: 1, max: 60 }), (numbers, top) => {
      const scores = Float32Array.from(numbers);
      const even = (text: number): boolean => scores[text]! % 2 === 0;
      const before = (one: number, other: number): number => (one % 3) - (other % 3);
      expect(bestTexts(scores, top, even, before)).toEqual(bestTexts(scores, 1_000, even, before).slice(0, top));
    }),
  );
});

it('all of very many take no longer than to sort them', () => {
  // Each better than the one before: inserted one by one, they take half a minute.
  const scores = Float32Array.from({ length: 300_000 }, (_, at) => at);
  const began = performance.now();
  expect(bestTexts(scores, scores.length, all, () => 0)[0]).toBe(scores.length - 1);
  expect(performance.now() - began).toBeLessThan(4_000);
});
