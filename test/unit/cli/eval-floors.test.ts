import { describe, expect, it } from 'vitest';
import { floorText, judgeFloors, readFloors } from '../../../src/cli/eval-floors.ts';

const NAMES = ['R@5', 'nDCG@10', 'MRR'];

describe('floors', () => {
  it('are read as numbers and percent, in any case of letters', () => {
    expect(readFloors(['R@5=0.8', 'ndcg@10=75%', 'mrr=.5', 'R@5=1'], NAMES)).toEqual([
      { name: 'R@5', least: 0.8 },
      { name: 'nDCG@10', least: 0.75 },
      { name: 'MRR', least: 0.5 },
      { name: 'R@5', least: 1 },
    ]);
  });

  it.each([
    ['R@5', 'such as R@5=0.8'],
    ['R@5=', 'such as R@5=0.8'],
    ['R@5=80', 'from 0 to 1'],
    ['R@5=-1', 'from 0 to 1'],
    ['R@10=0.8', 'There are R@5, nDCG@10, MRR.'],
    ['nDGC@10=0.8', 'Did you mean "nDCG@10"?'],
  ])('%s is refused', (text, told) => {
    expect(() => readFloors([text], NAMES)).toThrow(told);
  });

  it('are reached at what they say, and not by what was not measured', () => {
    const judge = (value: number | undefined) =>
      judgeFloors([{ name: 'MRR', least: 1 / 3 + 1 / 3 + 1 / 3 }], new Map([['MRR', value]]))[0]!;
    expect(judge(1)).toEqual({ name: 'MRR', least: 1, value: 1, ok: true });
    expect(floorText(judge(0.999))).toBe('floor MRR=1 is not reached: 0.999');
    expect(judge(undefined)).toEqual({ name: 'MRR', least: 1, ok: false });
    expect(floorText(judge(undefined))).toContain('nothing that it could be measured by');
  });
});
