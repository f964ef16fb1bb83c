import type { Database, Statement } from 'better-sqlite3';
import Sqlite from 'better-sqlite3';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CallQuery, CallRecord, UsageQuery, UsageRow } from '../../core/contracts/call-log.ts';
import { COLUMNS, fromRow, type CallRow, type Cell, type WrittenRow } from './call-row.ts';

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

/** Steps from an empty file to the table, oldest first; `user_version` counts those done. A step that was released never changes. */
const MIGRATIONS: readonly string[] = [
  // "integer primary key" is the row's own number in SQLite: it costs no index.
  `create table call (seq integer primary key, id text not null, started_at bigint not null, lane text not null, operation text not null,
   consumer text not null, route text not null, asked text not null, target text, provider text, model_served text, outcome text not null,
   status integer not null, streamed integer not null, attempts integer not null, duration_ms double precision not null,
   first_byte_ms double precision, input_tokens bigint, output_tokens bigint, total_tokens bigint, cache_read_tokens bigint,
   cache_write_tokens bigint, cache_write_long_tokens bigint, reasoning_tokens bigint, input_audio_tokens bigint, output_audio_tokens bigint,
   estimated integer not null, cost double precision, unpriced integer not null, events text not null);
   create index call_started on call (started_at);
   create index call_consumer on call (consumer, started_at);`,
  // A record is written as one list of cells: binding 29 values cost as much as all else in writing them. `call` becomes a view, made below.
  `create table record (seq integer primary key, started_at bigint not null, consumer text not null, cells text not null);
   insert into record select seq, started_at, consumer, json_array(id, started_at, lane, operation, consumer, route, asked, target, provider,
   model_served, outcome, status, streamed, attempts, duration_ms, first_byte_ms, input_tokens, output_tokens, total_tokens, cache_read_tokens,
   cache_write_tokens, cache_write_long_tokens, reasoning_tokens, input_audio_tokens, output_audio_tokens, estimated, cost, unpriced,
   json(events)) from call order by seq;
   drop table call;
   create index record_started on record (started_at);
   create index record_consumer on record (consumer, started_at);`,
];
/** What is read, also by other programs. Made anew after every step. */
const VIEW = `drop view if exists call; create view call as select seq, ${COLUMNS.map(viewed).join(', ')} from record;`;

function viewed(name: string, at: number): string {
  return name === 'started_at' || name === 'consumer' ? name : `cells ->> ${at} as ${name}`;
}

/** Rows of one statement: calling it costs about as much as a row does. */
const ROWS_AT_ONCE = 20;
const insert = (rows: number): string =>
  `insert into record (started_at, consumer, cells) values ${Array(rows).fill('(?, ?, ?)').join(', ')}`;
const FILTERS = { id: 'id', consumer: 'consumer', lane: 'lane', route: 'route', provider: 'provider', asked: 'asked' } as const;

/** The records in one SQLite file, opened and brought up to date. All of it blocks: it lives in a thread of its own. */
export class CallsDatabase {
  readonly #db: Database;
  readonly #insertOne: Statement;
  readonly #insertSome: Statement;
  readonly #writeAll: (rows: readonly WrittenRow[]) => number;
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
      this.#insertOne = this.#db.prepare(insert(1));
      this.#insertSome = this.#db.prepare(insert(ROWS_AT_ONCE));
    } catch (error) {
      this.#db.close();
      throw error;
    }
    this.#writeAll = this.#db.transaction((rows: readonly WrittenRow[]) => {
      let refused = 0;
      for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) refused += this.#writeSome(rows.slice(at, at + ROWS_AT_ONCE));
      return refused;
    });
  }

  /** All rows in one transaction. Returns how many the table does not take; they must not keep the others out. */
  write(rows: readonly WrittenRow[]): number {
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
    const newest = this.#db.prepare('select max(seq) from record').pluck().get() as number | null;
    if (newest === null) return false;
    const old = this.#run(
      `delete from record where seq in (select seq from record where started_at < ? order by started_at limit ?)`,
      before,
    );
    // Numbers rise by one with each row, so this counts no more than there are without looking at them.
    const excess = this.#run(`delete from record where seq in (select seq from record where seq <= ? order by seq limit ?)`, newest - rows);
    return old + excess > 0;
  }

  close(): void {
    this.#db.close();
  }

  /** A statement that fails has written nothing. */
  #writeSome(rows: readonly WrittenRow[]): number {
    if (rows.length === ROWS_AT_ONCE && this.#takes(this.#insertSome, rows.flat())) return 0;
    return rows.filter((row) => !this.#takes(this.#insertOne, row)).length;
  }

  #takes(statement: Statement, cells: readonly Cell[]): boolean {
    try {
      // Spread: reading them from an array costs the binding more than all else it does.
      statement.run(...cells);
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
    if (done === MIGRATIONS.length) return;
    for (const sql of MIGRATIONS.slice(done)) db.exec(sql);
    db.exec(VIEW);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
  }).immediate();
}
