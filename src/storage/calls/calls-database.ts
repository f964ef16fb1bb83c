import type { Database, Statement } from 'better-sqlite3';
import Sqlite from 'better-sqlite3';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CallQuery, CallRecord, UsageQuery, UsageRow } from '../../core/contracts/call-log.ts';
import { COLUMNS, fromRow, type CallRow, type Cell } from './call-row.ts';

const BUSY_MS = 5000;
const WAL_BYTES = 64 * 1024 * 1024;
/** Rows that one delete takes: writing waits for it. */
const PRUNED_AT_ONCE = 500;

/** A place in the order of the list: start of the call, then the order of writing. */
export type Position = readonly [startedAt: number, seq: number];
export interface Page {
  readonly items: readonly CallRecord[];
  /** Where the next page goes on; absent on the last. */
  readonly next?: Position;
}
export type PageQuery = Omit<CallQuery, 'cursor' | 'limit'> & { readonly limit: number; readonly after?: Position };

const columns = Object.entries(COLUMNS);
/** Steps from an empty file to the table, oldest first; `user_version` counts those done. A step that was released never changes. */
const MIGRATIONS: readonly string[] = [
  // "integer primary key" is the row's own number in SQLite: it costs no index.
  `create table call (seq integer primary key, ${columns.map((column) => column.join(' ')).join(', ')});
   create index call_started on call (started_at);
   create index call_consumer on call (consumer, started_at);`,
];
const INSERT = `insert into call (${columns.map(([name]) => name).join(', ')}) values (${columns.map(() => '?').join(', ')})`;
const FILTERS = { id: 'id', consumer: 'consumer', lane: 'lane', route: 'route', provider: 'provider', asked: 'asked' } as const;

/** The table of records in one SQLite file, opened and brought up to date. All of it blocks: it lives in a thread of its own. */
export class CallsDatabase {
  readonly #db: Database;
  readonly #insert: Statement;
  readonly #writeAll: (rows: readonly Cell[][]) => number;
  readonly #statements = new Map<string, Statement>();

  /** `path` is a file, made when it is not there, or `:memory:`. Throws SQLite's error, or Error for a file of a newer Hubgate. */
  constructor(path: string) {
    if (path !== ':memory:') makeFile(path);
    this.#db = new Sqlite(path, { timeout: BUSY_MS });
    try {
      this.#db.pragma('journal_mode = WAL');
      // A power cut may take the last records, never the file: it is the log of calls, not the configuration.
      this.#db.pragma('synchronous = NORMAL');
      this.#db.pragma(`journal_size_limit = ${WAL_BYTES}`);
      migrate(this.#db);
      this.#insert = this.#db.prepare(INSERT);
    } catch (error) {
      this.#db.close();
      throw error;
    }
    this.#writeAll = this.#db.transaction((rows: readonly Cell[][]) => rows.filter((row) => !this.#takes(row)).length);
  }

  /** All rows in one transaction. Returns how many the table does not take; they must not keep the others out. */
  write(rows: readonly Cell[][]): number {
    return this.#writeAll(rows);
  }

  list({ limit, after, outcome, from, to, ...named }: PageQuery): Page {
    const conditions: [sql: string, ...values: Cell[]][] = [];
    for (const [name, column] of Object.entries(FILTERS)) {
      const value = named[name as keyof typeof FILTERS];
      if (value !== undefined) conditions.push([`${column} = ?`, value]);
    }
    if (outcome === 'error') conditions.push([`outcome <> 'ok'`]);
    else if (outcome !== undefined) conditions.push(['outcome = ?', outcome]);
    conditions.push(...between(from, to));
    if (after !== undefined) conditions.push(['(started_at, seq) < (?, ?)', ...after]);
    const rows = this.#all(`select * from call ${where(conditions)} order by started_at desc, seq desc limit ?`, [
      ...conditions.flatMap(([, ...values]) => values),
      limit + 1,
    ]) as (CallRow & { seq: number })[];
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: shown.map(fromRow),
      ...(rows.length > limit && last !== undefined ? { next: [last.started_at as number, last.seq] } : {}),
    };
  }

  usage({ consumer, from, to }: UsageQuery): UsageRow[] {
    const conditions = between(from, to);
    if (consumer !== undefined) conditions.push(['consumer = ?', consumer]);
    const sum = (value: string, name: string): string => `coalesce(sum(${value}), 0) as "${name}"`;
    return this.#all(
      `select consumer, lane, coalesce(model_served, asked) as model, count(*) as requests, ${sum('input_tokens', 'inputTokens')},
       ${sum('output_tokens', 'outputTokens')},
       ${sum('coalesce(total_tokens, coalesce(input_tokens, 0) + coalesce(output_tokens, 0))', 'totalTokens')}, ${sum('cost', 'usd')}
       from call ${where(conditions)} group by 1, 2, 3 order by 1, 2, 3`,
      conditions.flatMap(([, ...values]) => values),
    ) as UsageRow[];
  }

  /** Deletes some of what is older than `before`, or more than the newest `rows`. False when nothing was left to delete. */
  prune(before: number, rows: number): boolean {
    const newest = this.#db.prepare('select max(seq) from call').pluck().get() as number | null;
    if (newest === null) return false;
    const old = this.#run(`delete from call where seq in (select seq from call where started_at < ? order by started_at limit ?)`, before);
    // Numbers rise by one with each row, so this counts no more than there are without looking at them.
    const excess = this.#run(`delete from call where seq in (select seq from call where seq <= ? order by seq limit ?)`, newest - rows);
    return old + excess > 0;
  }

  close(): void {
    this.#db.close();
  }

  #takes(row: readonly Cell[]): boolean {
    try {
      this.#insert.run(row);
      return true;
    } catch (error) {
      if (String((error as { code?: unknown }).code).startsWith('SQLITE_CONSTRAINT')) return false;
      throw error;
    }
  }

  #run(sql: string, value: number): number {
    return this.#prepare(sql).run(value, PRUNED_AT_ONCE).changes;
  }

  #all(sql: string, values: readonly Cell[]): unknown[] {
    return this.#prepare(sql).all(values);
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}

function between(from: number | undefined, to: number | undefined): [sql: string, ...values: Cell[]][] {
  return [
    ...(from === undefined ? [] : [['started_at >= ?', from] as [string, number]]),
    ...(to === undefined ? [] : [['started_at < ?', to] as [string, number]]),
  ];
}

function where(conditions: readonly (readonly [sql: string, ...values: Cell[]])[]): string {
  return conditions.length === 0 ? '' : `where ${conditions.map(([sql]) => sql).join(' and ')}`;
}

/** Readable for its owner alone; SQLite gives the files beside it the same mode. */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
}

/** In one transaction that takes the lock first, so that two processes that start together do it once. */
function migrate(db: Database): void {
  db.transaction(() => {
    const done = db.pragma('user_version', { simple: true }) as number;
    if (done > MIGRATIONS.length)
      throw new Error('The records of calls were written by a newer Hubgate. Start that version, or use another data folder.');
    for (const sql of MIGRATIONS.slice(done)) db.exec(sql);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
  }).immediate();
}
