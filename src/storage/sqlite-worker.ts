import type { Database, Statement } from 'better-sqlite3';
import Sqlite from 'better-sqlite3';
import { parentPort, workerData } from 'node:worker_threads';

/** What the thread is asked, and what it answers. Requests are answered in their order. */
export interface SqliteRequest {
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}
export type SqliteAnswer =
  | { readonly id: number; readonly rows: readonly unknown[]; readonly changes: number }
  | { readonly id: number; readonly error: string; readonly code: string };

const BUSY_MS = 5000;

/** Commits reach the disk before they are answered: this is the configuration, and there is not much of it. */
function open(path: string): Database {
  const database = new Sqlite(path, { timeout: BUSY_MS });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  return database;
}

const port = parentPort!;
let database: Database | undefined;
const statements = new Map<string, Statement>();

function run({ id, sql, parameters }: SqliteRequest): SqliteAnswer {
  database ??= open(workerData as string);
  // SQLite ends a transaction by itself when the disk is full.
  if (sql === 'rollback' && !database.inTransaction) return { id, rows: [], changes: 0 };
  let statement = statements.get(sql);
  if (!statement) {
    statement = database.prepare(sql);
    statements.set(sql, statement);
  }
  if (statement.reader) return { id, rows: statement.all(parameters), changes: 0 };
  return { id, rows: [], changes: statement.run(parameters).changes };
}

port.on('message', (request: SqliteRequest) => {
  if (request.sql === 'close') {
    database?.close();
    port.close();
    return;
  }
  try {
    port.postMessage(run(request));
  } catch (error) {
    const { message, code = '' } = error as Error & { code?: string };
    port.postMessage({ id: request.id, error: message, code } satisfies SqliteAnswer);
  }
});
