import { describe, expect, it } from 'vitest';
import { qualityOf, retrievalSet } from '../../../../bench/retrieval-sets.ts';
import { staticSemantics, wordsAlone } from '../../../support/static-semantics.ts';

// Two public sets of docs/retrieval.md, a little below what is measured there; all five run in the bench.
describe.each([
  { id: 'restbench-tmdb', meaning: [47.5, 64, 53], words: 45 },
  { id: 'toolalpaca', meaning: [94.4, 98, 90], words: 87 },
])('search over $id', ({ id, meaning, words }) => {
  const set = retrievalSet(id);

  it('finds with the bundled model what it is measured to find', async () => {
    const semantics = staticSemantics();
    await semantics.settled();
    const { recall5, recall10, ndcg10 } = await qualityOf(set, semantics.index(set.tools));
    await semantics.close();
    expect(recall5).toBeGreaterThanOrEqual(meaning[0]!);
    expect(recall10).toBeGreaterThanOrEqual(meaning[1]!);
    expect(ndcg10).toBeGreaterThanOrEqual(meaning[2]!);
  });

  it('finds by words alone not much less', async () => {
    const semantics = wordsAlone();
    const { ndcg10 } = await qualityOf(set, semantics.index(set.tools));
    await semantics.close();
    expect(ndcg10).toBeGreaterThanOrEqual(words);
  });
});
