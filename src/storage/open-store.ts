import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Kysely } from 'kysely';
import type { Store } from '../core/contracts/store.ts';
import type { SqlStoreOptions } from './sql-store.ts';
import { createSqlStore } from './sql-store.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { SqliteThread } from './sqlite-thread.ts';

const MEMORY = ':memory:';

export interface StoreOptions extends SqlStoreOptions {
  readonly dataDir: string;
}

/**
 * Opens the store, making it when it is not there: `sqlite:` is hubgate.db in the data folder, `sqlite:PATH` a file, `sqlite::memory:` one that
 * is gone with the process.
 * @throws Error that says what is wrong and what to do.
 */
export async function openStore(url: string, { dataDir, ...options }: StoreOptions): Promise<Store> {
  const [scheme] = url.split(':', 1);
  // Only the scheme is shown: what follows may hold a password.
  if (scheme === 'postgres' || scheme === 'postgresql') throw new Error('HUBGATE_STORE: PostgreSQL is not built yet. Use sqlite: for now.');
  if (scheme !== 'sqlite' || !url.includes(':')) throw new Error('HUBGATE_STORE: the store is sqlite: or sqlite:PATH.');
  const named = url.slice('sqlite:'.length);
  const path = named === MEMORY ? MEMORY : named === '' ? join(dataDir, 'hubgate.db') : resolve(named);
  try {
    if (path !== MEMORY) makeFile(path);
    const db = new Kysely<never>({ dialect: sqliteDialect(new SqliteThread(path)) });
    return await createSqlStore(db, options).catch(async (error: unknown) => {
      await db.destroy();
      throw error;
    });
  } catch (error) {
    throw new Error(`The store ${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Readable for its owner alone; SQLite gives the files beside it the same mode. */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
}
