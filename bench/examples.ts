import type { Semantics } from '../src/core/contracts/semantics.ts';
import { staticSemantics, wordsAlone } from '../test/support/static-semantics.ts';
import { qualityOf, retrievalSets, type RetrievalSet } from './retrieval-sets.ts';

/** Examples that a tool has at most. */
const EXAMPLES = [0, 1, 3, 10] as const;
const FIGURES = ['recall5', 'recall10', 'ndcg10'] as const;

type Queries = RetrievalSet['queries'];

/**
 * How much better tools are found with example requests: half of the queries of a set are given to the tools that they need, as examples, the other
 * half is asked, and then the other way about. They come from one hand, so this is the most that examples can bring.
 */
export async function* measureExamples(): AsyncGenerator<string> {
  yield 'examples: R@5, R@10 and nDCG@10 in percent, by the examples that a tool has at most; known: the part of the asked tools that has any';
  yield `${'set'.padEnd(17)}${'model'.padEnd(8)}${'known'.padStart(6)}${EXAMPLES.map((most) => String(most).padStart(20)).join('')}`;
  const models = { static: staticSemantics(), words: wordsAlone() };
  for (const [model, semantics] of Object.entries(models)) {
    await semantics.settled();
    for (const set of retrievalSets()) {
      const halves = halvesOf(set);
      let line = `${set.id.padEnd(17)}${model.padEnd(8)}${known(halves).toFixed(0).padStart(6)}`;
      for (const most of EXAMPLES) {
        const figures = await measure(set, halves, most, semantics);
        line += `  ${figures.map((figure) => figure.toFixed(1).padStart(6)).join('')}`;
      }
      yield line;
    }
    await semantics.close();
  }
}

interface Half {
  /** By tool, the requests that need it. */
  readonly examples: ReadonlyMap<string, readonly string[]>;
  readonly asked: Queries;
}

function halvesOf({ queries }: RetrievalSet): Half[] {
  const even = queries.filter((_, at) => at % 2 === 0);
  const odd = queries.filter((_, at) => at % 2 === 1);
  return [
    { examples: examplesOf(even), asked: odd },
    { examples: examplesOf(odd), asked: even },
  ];
}

/** A request that needs the fewest tools says most about each. */
function examplesOf(queries: Queries): Map<string, string[]> {
  const examples = new Map<string, string[]>();
  for (const { q, gold } of queries.toSorted((a, b) => a.gold.length - b.gold.length))
    for (const name of gold) examples.set(name, [...(examples.get(name) ?? []), q]);
  return examples;
}

async function measure({ id, tools }: RetrievalSet, halves: readonly Half[], most: number, semantics: Semantics): Promise<number[]> {
  const total = halves.reduce((sum, { asked }) => sum + asked.length, 0);
  const means = FIGURES.map(() => 0);
  for (const { examples, asked } of halves) {
    const taught = tools.map((tool) => ({ ...tool, examples: examples.get(tool.name)?.slice(0, most) ?? [] }));
    const quality = await qualityOf({ id, tools: taught, queries: asked }, semantics.index(taught));
    for (const [at, figure] of FIGURES.entries()) means[at]! += (quality[figure] * asked.length) / total;
  }
  return means;
}

function known(halves: readonly Half[]): number {
  const needed = halves.flatMap(({ examples, asked }) => asked.flatMap(({ gold }) => gold.map((name) => examples.has(name))));
  return (100 * needed.filter(Boolean).length) / needed.length;
}
