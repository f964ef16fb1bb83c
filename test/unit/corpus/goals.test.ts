import { expect, it } from 'vitest';
import { missedGoals } from '../../corpus/goals.ts';
import type { Verdict } from '../../corpus/judge.ts';

const verdict = (rest: Partial<Verdict> = {}): Verdict => ({
  id: 'real/shop',
  group: 'real',
  declared: 2,
  valid: 2,
  complete: 2,
  compared: 2,
  right: 2,
  sets: 6,
  undrawn: 0,
  taken: 6,
  setsRight: 6,
  setsUnjudged: 0,
  spoiled: 2,
  caught: 2,
  forPrism: true,
  asked: 6,
  accepted: 6,
  disputes: new Map(),
  unjudged: new Map(),
  unread: new Map(),
  faults: [],
  rejections: [],
  ...rest,
});

it('are missed when nothing was looked at', () => {
  expect(missedGoals([], true)).toEqual(['documents loaded: there was nothing to look at']);
  expect(missedGoals([verdict()], true)).toEqual([]);
  expect(missedGoals([verdict({ asked: 0, accepted: 0 })], true)).toEqual(['requests that Prism accepts: there was nothing to look at']);
  expect(missedGoals([verdict({ compared: 0, right: 0, sets: 0, taken: 0 })], true)).toEqual([
    'operations right, real documents: there was nothing to look at',
    'sets of valid arguments taken: there was nothing to look at',
  ]);
});

it('about documents that are not there are missed only of the whole corpus', () => {
  expect(missedGoals([verdict({ forPrism: false, asked: 0, accepted: 0 })], true)).toEqual([]);
  expect(missedGoals([verdict()], false).map((line) => line.split(':')[0])).toEqual([
    'operations right, hard documents',
    'operations right, Stripe',
    'operations right, Docker',
  ]);
});

it('a wrong value that is taken misses one', () => {
  expect(missedGoals([verdict({ caught: 1 })], true)).toEqual(['sets with a wrong value refused: 1 of 2 (50.0 %), wanted are 100 %']);
});
