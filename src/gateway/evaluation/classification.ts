/** What the intent of one text was found to be. `null` is none of them. */
export interface RouteResult {
  readonly text: string;
  readonly expected: string | null;
  readonly given: string | null;
  /** Best first, with the least that each has to have. */
  readonly scores: readonly { readonly name: string; readonly score: number; readonly threshold: number }[];
}

export interface ClassFigures {
  readonly name: string;
  /** Texts that are about it. */
  readonly texts: number;
  /** The part of the texts that were taken for it and are about it; absent when none was. */
  readonly precision?: number;
  /** The part of its texts that were taken for it; absent when there are none. */
  readonly recall?: number;
  /** The least score at which a text is about it; absent when it was never near. */
  readonly threshold?: number;
}

export interface RoutingFigures {
  readonly texts: number;
  /** The part of all texts that were taken for what they are. */
  readonly accuracy: number;
  /** The same for texts that are about an intent, and for those that are about none; absent when there are none of them. */
  readonly inScope?: number;
  readonly none?: number;
  /** By name. */
  readonly classes: readonly ClassFigures[];
  /** Pairs that were taken for one another, most often first. */
  readonly confused: readonly { readonly expected: string | null; readonly given: string | null; readonly count: number }[];
}

/** The figures of any number of results. `intents` are all that there are. */
export function routingFigures(results: readonly RouteResult[], intents: readonly string[]): RoutingFigures {
  const right = (some: readonly RouteResult[]): number | undefined =>
    some.length === 0 ? undefined : some.filter(({ expected, given }) => expected === given).length / some.length;
  const named = results.flatMap(({ expected, given }) => [expected, given]).filter((name) => name !== null);
  const names = [...new Set([...intents, ...named])].toSorted();
  const thresholds = new Map(results.flatMap(({ scores }) => scores.map(({ name, threshold }) => [name, threshold])));
  const inScope = right(results.filter(({ expected }) => expected !== null));
  const none = right(results.filter(({ expected }) => expected === null));
  return {
    texts: results.length,
    accuracy: right(results) ?? 0,
    ...(inScope === undefined ? {} : { inScope }),
    ...(none === undefined ? {} : { none }),
    classes: names.map((name): ClassFigures => {
      const own = results.filter(({ expected }) => expected === name);
      const precision = right(results.filter(({ given }) => given === name));
      const recall = right(own);
      const threshold = thresholds.get(name);
      return {
        name,
        texts: own.length,
        ...(precision === undefined ? {} : { precision }),
        ...(recall === undefined ? {} : { recall }),
        ...(threshold === undefined ? {} : { threshold }),
      };
    }),
    confused: confusions(results),
  };
}

function confusions(results: readonly RouteResult[]): RoutingFigures['confused'] {
  const wrong = results.filter(({ expected, given }) => expected !== given);
  return [...Map.groupBy(wrong, ({ expected, given }) => JSON.stringify([expected, given])).values()]
    .map((group) => ({ expected: group[0]!.expected, given: group[0]!.given, count: group.length }))
    .toSorted((a, b) => b.count - a.count);
}
