/** The spans of time that limits and budgets know. */
export type Span = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month';

/** An amount in a span of time, as `600/min` says it. */
export interface Rate {
  readonly amount: number;
  readonly per: Span;
}

/** Milliseconds since the epoch: from inclusive, until exclusive. */
export interface Period {
  readonly from: number;
  readonly until: number;
}

const SPANS: Readonly<Record<string, Span>> = {
  s: 'second',
  second: 'second',
  min: 'minute',
  minute: 'minute',
  h: 'hour',
  hour: 'hour',
  day: 'day',
  week: 'week',
  month: 'month',
};
const FACTORS: Readonly<Record<string, number>> = { k: 1000, M: 1_000_000 };
const DAY_MS = 86_400_000;
const MILLISECONDS = { second: 1000, minute: 60_000, hour: 3_600_000, day: DAY_MS, week: 7 * DAY_MS } as const;
/** The first Monday of the epoch, which began on a Thursday. */
const FIRST_MONDAY = 4 * DAY_MS;

/** `600/min`, `200k/min`, `50/month`. */
export function parseRate(text: string): Rate | undefined {
  const [, amount, factor = '', span = ''] = /^(\d+(?:\.\d+)?)([kM])?\/(s|second|min|minute|h|hour|day|week|month)$/.exec(text) ?? [];
  const per = SPANS[span];
  if (amount === undefined || per === undefined) return undefined;
  // 4.1 times a million is not 4,100,000 in binary.
  return { amount: Number((Number(amount) * (FACTORS[factor] ?? 1)).toPrecision(15)), per };
}

/** A text that is read as this rate. */
export function formatRate({ amount, per }: Rate): string {
  return `${amount}/${per}`;
}

/** Milliseconds of a window that slides; undefined for spans that only the calendar has. */
export function windowOf(span: Span): number | undefined {
  return span === 'week' || span === 'month' ? undefined : MILLISECONDS[span];
}

/** The period of the calendar that a moment is in. UTC; weeks begin on Monday. */
export function periodAt(span: Span, at: number): Period {
  if (span === 'month') {
    const date = new Date(at);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    return { from: Date.UTC(year, month), until: Date.UTC(year, month + 1) };
  }
  const length = MILLISECONDS[span];
  const offset = span === 'week' ? FIRST_MONDAY : 0;
  const from = Math.floor((at - offset) / length) * length + offset;
  return { from, until: from + length };
}
