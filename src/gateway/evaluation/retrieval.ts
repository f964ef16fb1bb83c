/** What was found for one question. */
export interface ToolResult {
  readonly query: string;
  readonly expected: readonly string[];
  /** Best first, as many as the greatest `top`, and ten at least. */
  readonly found: readonly { readonly name: string; readonly score: number; readonly words: readonly string[] }[];
  /** By `top`: tokens of the definitions of so many. */
  readonly offered: Readonly<Record<number, number>>;
}

/** Means over all questions, from 0 to 1 where they are no tokens. */
export interface RetrievalFigures {
  readonly queries: number;
  /** By `top`: the part of the expected tools that is among so many. */
  readonly recall: Readonly<Record<number, number>>;
  /** By `top`: the part of the questions with all expected tools among so many. */
  readonly all: Readonly<Record<number, number>>;
  /** By `top`: tokens of the definitions of so many. */
  readonly offered: Readonly<Record<number, number>>;
  /** nDCG of the first ten, every expected tool being worth the same. */
  readonly ndcg10: number;
  /** 1 by the rank of the first expected tool; 0 where none is found. */
  readonly mrr: number;
}

/** Ranks that nDCG looks at. */
const CUT = 10;

/** The figures of any number of results; all are 0 for none. */
export function retrievalFigures(results: readonly ToolResult[], tops: readonly number[]): RetrievalFigures {
  const ranked = results.map(({ expected, found }) => {
    const wanted = new Set(expected);
    return { wanted: wanted.size, ranks: found.flatMap(({ name }, at) => (wanted.has(name) ? [at + 1] : [])) };
  });
  const within = (ranks: readonly number[], top: number): number => ranks.filter((rank) => rank <= top).length;
  const byTop = (of: (top: number) => number): Record<number, number> => Object.fromEntries(tops.map((top) => [top, of(top)]));
  return {
    queries: results.length,
    recall: byTop((top) => mean(ranked.map(({ wanted, ranks }) => within(ranks, top) / wanted))),
    all: byTop((top) => mean(ranked.map(({ wanted, ranks }) => (within(ranks, top) === wanted ? 1 : 0)))),
    offered: byTop((top) => mean(results.map(({ offered }) => offered[top] ?? 0))),
    ndcg10: mean(ranked.map(({ wanted, ranks }) => gain(ranks.filter((rank) => rank <= CUT)) / gain(firstRanks(Math.min(wanted, CUT))))),
    mrr: mean(ranked.map(({ ranks: [first] }) => (first === undefined ? 0 : 1 / first))),
  };
}

/** Expected tools that are not among the first `top`. */
export function missedTools({ expected, found }: ToolResult, top: number): string[] {
  const names = new Set(found.slice(0, top).map(({ name }) => name));
  return [...new Set(expected)].filter((name) => !names.has(name));
}

function gain(ranks: readonly number[]): number {
  return ranks.reduce((sum, rank) => sum + 1 / Math.log2(rank + 1), 0);
}

function firstRanks(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
