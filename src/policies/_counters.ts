import type { Meter, Use } from '../core/contracts/state.ts';
import { periodAt, windowOf, type Period, type Span } from '../core/units/rate.ts';
import type { Cap } from './_caps.ts';
import { createTable, type Row, type Subject, type Table } from './_dimensions.ts';

/** One cap of one subject; in one period of the calendar, where it has periods. */
export interface Counter {
  readonly cap: Cap;
  readonly subject: Subject;
  readonly meter: Meter;
  readonly period: Period | undefined;
  /** It stands right behind another, counts what that one settles and nothing that is reserved, and is never full. */
  readonly follows: boolean;
  /** Uses that need no other amount, made once. `idle` reserves nothing and is never refused, so that something can be settled. */
  readonly one: Use;
  readonly idle: Use;
}

export interface CounterTable extends Table<Row & { readonly counters: readonly Counter[] }> {
  /** What every subject has; empty where each has its own. */
  readonly caps: readonly Cap[];
}

export interface Capped {
  readonly by: string | readonly string[] | undefined;
  readonly caps: readonly Cap[];
  /** What single consumers have. */
  readonly own: ReadonlyMap<string, readonly Cap[]>;
  /** Adds a counter that follows to each. */
  readonly followed: boolean;
}

/** The counters of one use of a policy. Their keys tell its caps apart; those of other places have another part of the state. */
export function counterTables({ by, caps, own, followed }: Capped): readonly CounterTable[] {
  const make = (dimensions: Capped['by'], capsOf: (subject: Subject) => readonly Cap[], prefix: string): Omit<CounterTable, 'caps'> =>
    createTable(dimensions, (subject, now) => {
      const counters = capsOf(subject).flatMap((cap) => [
        counterOf(cap, subject, prefix, now),
        ...(followed ? [counterOf(cap, subject, `${prefix}settled/`, now, true)] : []),
      ]);
      return { counters, until: Math.min(Infinity, ...counters.map(({ period }) => period?.until ?? Infinity)) };
    });
  const tables: CounterTable[] = [];
  if (caps.length > 0) tables.push({ ...make(by, () => caps, ''), caps });
  if (own.size > 0) tables.push({ ...make('consumer', ({ fields }) => own.get(fields['consumer'] ?? '') ?? [], 'own/'), caps: [] });
  return tables;
}

const UNLIMITED = Number.MAX_SAFE_INTEGER;

function counterOf(cap: Cap, subject: Subject, prefix: string, now: number, follows = false): Counter {
  const { unit, limit, per } = cap;
  const period = per !== undefined && cap.calendar ? periodAt(per, now) : undefined;
  const time = period === undefined ? (per ?? 'now') : `${per}/${new Date(period.from).toISOString()}`;
  const meter = meterOf(`${prefix}${unit}/${time}/${subject.key}`, limit, period?.until, per);
  const open: Meter = { ...meter, limit: UNLIMITED };
  return { cap, subject, meter, period, follows, one: { meter, amount: 1 }, idle: { meter: open, amount: 0 } };
}

function meterOf(key: string, limit: number, until: number | undefined, per: Span | undefined): Meter {
  if (until !== undefined) return { kind: 'period', key, limit, until };
  const windowMs = per === undefined ? undefined : windowOf(per);
  return windowMs === undefined ? { kind: 'held', key, limit } : { kind: 'sliding', key, limit, windowMs };
}
