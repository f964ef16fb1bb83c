import { expect, it } from 'vitest';
import { AskedBefore } from '../../../src/policies/_cache-asked.ts';
import { wordingOf } from '../../../src/policies/_cache-wording.ts';

const asked = (key: string, text = key, until = 100) => ({ key, wording: wordingOf(text), until });
const keys = (before: AskedBefore, group: string, now = 0): string[] => before.of(group, now).map(({ key }) => key);

it('keeps what is asked for, latest first, up to the limit of a group', () => {
  const before = new AskedBefore();
  for (const key of ['one', 'two', 'three']) before.add('g', asked(key), 2);
  expect(keys(before, 'g')).toEqual(['three', 'two']);
  before.touch('g', 'two');
  before.add('g', asked('four'), 2);
  expect(keys(before, 'g')).toEqual(['four', 'two']);
  expect([keys(before, 'h'), before.size]).toEqual([[], 2]);
});

it('forgets what is over, what is dropped, and what another says the same as', () => {
  const before = new AskedBefore();
  before.add('g', asked('early', 'early', 10), 9);
  before.add('g', asked('late'), 9);
  expect(keys(before, 'g', 10)).toEqual(['late']);
  before.add('g', asked('old', 'How do I boil an egg?'), 9);
  before.add('g', asked('new', 'How can I boil an egg?'), 9);
  expect(keys(before, 'g')).toEqual(['new', 'late']);
  for (const key of ['new', 'late', 'none']) before.drop('g', key);
  expect([keys(before, 'g'), before.size]).toEqual([[], 0]);
});

it('has at most 10,000 of all groups: those go first whose group was not asked for longest', () => {
  const before = new AskedBefore();
  for (let group = 0; group < 10_000; group++) before.add(`g${group}`, asked('key'), 9);
  before.of('g0', 0);
  before.add('g10000', asked('key'), 9);
  expect([before.size, keys(before, 'g0'), keys(before, 'g1'), keys(before, 'g10000')]).toEqual([10_000, ['key'], [], ['key']]);
});

it('looks at no other question to add one', () => {
  const before = new AskedBefore();
  let looks = 0;
  const watched = (key: string) => ({
    key,
    until: 100,
    get wording() {
      looks += 1;
      return wordingOf(key);
    },
  });
  for (let at = 0; at < 100; at++) before.add('g', watched(`question ${at}`), 1_000);
  expect([before.size, looks]).toEqual([100, 100]);
});
