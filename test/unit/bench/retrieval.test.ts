import { expect, it } from 'vitest';
import { qualityOf } from '../../../bench/retrieval-sets.ts';

it('measures of retrieval are means over the queries', async () => {
  const tools = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => ({ name, description: '' }));
  const queries = [
    { q: 'fgabcde', gold: ['f'] },
    { q: 'abcdefg', gold: ['b', 'f', 'x'] },
  ];
  const find = async (query: string, top: number) => ({
    hits: [...query].slice(0, top).map((name) => ({
      index: tools.findIndex((tool) => tool.name === name),
      score: 1,
      words: [],
      lexical: 0,
    })),
  });
  const quality = await qualityOf({ id: 'test', tools, queries }, { size: 7, find });
  const ideal = 1 + 1 / Math.log2(3) + 1 / 2;
  expect(quality.recall5).toBeCloseTo((100 * (1 + 1 / 3)) / 2);
  expect(quality.recall10).toBeCloseTo((100 * (1 + 2 / 3)) / 2);
  expect(quality.complete10).toBe(50);
  expect(quality.mrr).toBeCloseTo((100 * (1 + 1 / 2)) / 2);
  expect(quality.ndcg10).toBeCloseTo((100 * (1 + (1 / Math.log2(3) + 1 / Math.log2(7)) / ideal)) / 2);
});
