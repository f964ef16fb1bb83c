import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../core/errors.ts';
import type { SqliteAnswer, SqliteRequest } from './sqlite-worker.ts';

interface Pending {
  resolve(answer: { rows: unknown[]; changes: number }): void;
  reject(error: Error): void;
}

/** Codes of SQLite that say that the disk or another process is in the way: the same request may work later. */
const TRANSIENT = /^SQLITE_(FULL|BUSY|LOCKED|IOERR|READONLY|CANTOPEN)/;

/** One SQLite database in a thread of its own, so that a slow disk stops nobody's call. */
export class SqliteThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  /** Its end is waited for: an answer that comes before must not let the process end. */
  #closing = false;
  #ended: GatewayError | undefined;

  /** `path` is a file, or `:memory:`. It is opened by the first request. */
  constructor(path: string) {
    // Beside this file is the worker in the same form: .ts in the sources, .js in a package.
    this.#worker = new Worker(new URL(`./sqlite-worker${extname(import.meta.url)}`, import.meta.url), { workerData: path, execArgv: [] });
    this.#worker.unref();
    this.#worker.on('message', (answer: SqliteAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('The thread of the store has ended.')));
  }

  /** @throws GatewayError `unavailable` when the disk is full, locked or gone; Error with SQLite's `code` otherwise. */
  execute(sql: string, parameters: readonly unknown[]): Promise<{ rows: unknown[]; changes: number }> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      if (this.#pending.size === 0) this.#worker.ref();
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, sql, parameters } satisfies SqliteRequest);
    });
  }

  /** Resolves when what was asked before is answered and the file is closed. */
  close(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    this.#closing = true;
    this.#worker.ref();
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.postMessage({ id: 0, sql: 'close', parameters: [] } satisfies SqliteRequest);
    return ended;
  }

  #settle(answer: SqliteAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0 && !this.#closing) this.#worker.unref();
    if ('error' in answer) pending?.reject(asError(answer.error, answer.code));
    else pending?.resolve({ rows: answer.rows as unknown[], changes: answer.changes });
  }

  #end(error: Error): void {
    this.#ended ??= new GatewayError('unavailable', 'The store is closed.', { detail: error.message });
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }
}

function asError(message: string, code: string): Error {
  if (TRANSIENT.test(code)) {
    return new GatewayError('unavailable', 'The store cannot be read or written now. Look at the disk of the data folder.', {
      detail: `${code}: ${message}`,
    });
  }
  return Object.assign(new Error(message), { code });
}
