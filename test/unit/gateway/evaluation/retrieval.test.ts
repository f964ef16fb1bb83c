import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missedTools, retrievalFigures, type ToolResult } from '../../../../src/gateway/evaluation/retrieval.ts';

const result = (expected: string, found: string, offered: ToolResult['offered'] = {}): ToolResult => ({
  query: 'q',
  expected: expected.split(''),
  found: found.split('').map((name) => ({ name, score: 0.5, words: [] })),
  offered,
});

describe('retrievalFigures', () => {
  it('are those that one works out by hand', () => {
    const figures = retrievalFigures(
      [result('a', 'xa', { 1: 10, 5: 30 }), result('ab', 'bxxxxa', { 1: 20, 5: 50 }), result('z', 'xy')],
      [1, 5],
    );
    expect(figures).toMatchObject({ queries: 3, offered: { 1: 10, 5: 80 / 3 } });
    expect(figures.recall[1]).toBeCloseTo((0 + 1 / 2 + 0) / 3, 12);
    expect(figures.recall[5]).toBeCloseTo((1 + 1 / 2 + 0) / 3, 12);
    expect(figures.all[5]).toBeCloseTo(1 / 3, 12);
    expect(figures.mrr).toBeCloseTo((1 / 2 + 1 + 0) / 3, 12);
    const second = 1 / Math.log2(3);
    expect(figures.ndcg10).toBeCloseTo((second + (1 + 1 / Math.log2(7)) / (1 + second)) / 3, 12);
  });

  it('are 0 for nothing, and count a name that is expected twice once', () => {
    expect(retrievalFigures([], [1])).toEqual({ queries: 0, recall: { 1: 0 }, all: { 1: 0 }, offered: { 1: 0 }, ndcg10: 0, mrr: 0 });
    expect(retrievalFigures([result('aa', 'a')], [1])).toMatchObject({ recall: { 1: 1 }, all: { 1: 1 }, ndcg10: 1, mrr: 1 });
  });

  it('look no further than ten for nDCG', () => {
    expect(retrievalFigures([result('a', 'bcdefghijka')], [20])).toMatchObject({ recall: { 20: 1 }, ndcg10: 0, mrr: 1 / 11 });
    expect(retrievalFigures([result('abcdefghijkl', 'abcdefghijkl')], [20]).ndcg10).toBeCloseTo(1, 12);
  });

  it('keep their bounds and order whatever is found', () => {
    const names = fc.uniqueArray(fc.constantFrom(...'abcdefghijklmnop'), { minLength: 1 });
    const results = fc.array(
      fc.record({ expected: names, found: names }).map(({ expected, found }) => result(expected.join(''), found.join(''))),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(results, (some) => {
        const { recall, all, ndcg10, mrr } = retrievalFigures(some, [1, 5, 20]);
        for (const value of [...Object.values(recall), ...Object.values(all), ndcg10, mrr]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1 + 1e-12);
        }
        expect(recall[1]! <= recall[5]! && recall[5]! <= recall[20]!).toBe(true);
        for (const top of [1, 5, 20]) expect(all[top]).toBeLessThanOrEqual(recall[top]! + 1e-12);
        const missed = some.filter((one) => missedTools(one, 5).length > 0).length;
        expect(all[5]).toBeCloseTo(1 - missed / some.length, 12);
        const better = some.map((one) => ({
          ...one,
          found: one.found.toSorted((a, b) => Number(one.expected.includes(b.name)) - Number(one.expected.includes(a.name))),
        }));
        expect(retrievalFigures(better, [5]).ndcg10).toBeGreaterThanOrEqual(ndcg10 - 1e-12);
      }),
    );
  });
});
