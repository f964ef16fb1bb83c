export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The value below which a part `q` of the values lies. `sorted` ascends; NaN when it is empty. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}

/** The middle value, or the mean of the two middle ones; NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return Number.isInteger(half) ? ((sorted[half - 1] ?? Number.NaN) + (sorted[half] ?? Number.NaN)) / 2 : sorted[Math.floor(half)]!;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Value by value within a round, so that what disturbs a whole round falls out of the ratio. */
export function ratios(values: readonly number[], baseline: readonly number[]): Spread {
  return spread(values.slice(0, baseline.length).map((value, round) => value / baseline[round]!));
}
