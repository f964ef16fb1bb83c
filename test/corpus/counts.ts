import type { Verdict } from './judge.ts';

/** What a verdict counts. */
export type Count =
  | 'declared'
  | 'valid'
  | 'complete'
  | 'compared'
  | 'right'
  | 'sets'
  | 'taken'
  | 'setsRight'
  | 'setsUnjudged'
  | 'undrawn'
  | 'spoiled'
  | 'caught'
  | 'asked'
  | 'accepted';

export function sum(verdicts: readonly Verdict[], key: Count): number {
  return verdicts.reduce((total, one) => total + one[key], 0);
}

export function loaded(verdicts: readonly Verdict[]): number {
  return verdicts.filter(({ refused }) => refused === undefined).length;
}

/** Real documents are `real`; all others were written to be hard. */
export function isHard({ group }: Verdict): boolean {
  return group !== 'real';
}

/** Never rounded up to 100. */
export function percent(part: number, whole: number): string {
  return `${part === whole ? '100' : (Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;
}
