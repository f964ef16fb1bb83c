import { type Count, isHard, loaded, percent, sum } from './counts.ts';
import type { Verdict } from './judge.ts';

interface Goal {
  readonly what: string;
  /** Percent. */
  readonly least: number;
  readonly part: Count;
  readonly whole: Count;
  /** The documents it is about; without it all. */
  readonly of?: (verdict: Verdict) => boolean;
}

const DOCUMENTS_LOADED = 99;
const GOALS: readonly Goal[] = [
  { what: 'operations valid', least: 99.5, part: 'valid', whole: 'declared' },
  { what: 'operations valid and complete', least: 99, part: 'complete', whole: 'declared' },
  { what: 'operations right, real documents', least: 99, part: 'right', whole: 'compared', of: (one) => !isHard(one) },
  { what: 'operations right, hard documents', least: 95, part: 'right', whole: 'compared', of: isHard },
  { what: 'operations right, Stripe', least: 97, part: 'right', whole: 'compared', of: ({ id }) => id === 'real/stripe' },
  { what: 'operations right, Docker', least: 98, part: 'right', whole: 'compared', of: ({ id }) => id === 'real/docker-engine' },
  { what: 'sets of valid arguments taken', least: 99.5, part: 'taken', whole: 'sets' },
  { what: 'sets with a wrong value refused', least: 100, part: 'caught', whole: 'spoiled', of: ({ spoiled }) => spoiled > 0 },
  { what: 'requests that Prism accepts', least: 97, part: 'accepted', whole: 'asked', of: ({ forPrism }) => forPrism },
];

/** A line for each goal that is missed, also when nothing was counted for it. `isPart`: goals about documents that are not there are left out. */
export function missedGoals(verdicts: readonly Verdict[], isPart: boolean): string[] {
  const missed: string[] = [];
  const check = (what: string, part: number, whole: number, least: number): void => {
    if (whole === 0) missed.push(`${what}: there was nothing to look at`);
    else if (part * 100 < whole * least) missed.push(`${what}: ${part} of ${whole} (${percent(part, whole)}), wanted are ${least} %`);
  };
  check('documents loaded', loaded(verdicts), verdicts.length, DOCUMENTS_LOADED);
  for (const { what, least, part, whole, of } of GOALS) {
    const members = of === undefined ? verdicts : verdicts.filter(of);
    if (isPart && members.length === 0) continue;
    check(what, sum(members, part), sum(members, whole), least);
  }
  return missed;
}
