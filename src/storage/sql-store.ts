import { randomBytes } from 'node:crypto';
import type { Store, ToolNameStore } from '../core/contracts/store.ts';
import { Seal } from '../core/seal.ts';
import { createConsumerKeys } from './consumer-keys.ts';
import { createExpiring } from './expiring.ts';
import { createResources } from './resources.ts';
import type { Database } from './tables.ts';
import { migrate } from './tables.ts';
import { createTasks } from './tasks.ts';
import { createVectors } from './vectors.ts';

const PEPPER = 'pepper';

export interface SqlStoreOptions {
  /** The hub's, 32 bytes; secrets and pepper are encrypted under a key derived from it. */
  readonly secretKey: Buffer;
  readonly now?: () => number;
}

/**
 * The store over any database that Kysely speaks to.
 * @throws Error when the tables belong to a newer Hubgate, or were made with another secret key.
 */
export async function createSqlStore(db: Database, { secretKey, now = Date.now }: SqlStoreOptions): Promise<Store> {
  const seal = new Seal(secretKey, 'store');
  await migrate(db);
  const pepper = await readPepper(db, seal);
  return {
    resources: createResources(db, seal, now),
    keys: createConsumerKeys(db, now),
    toolNames: createToolNames(db),
    ...createExpiring(db, now),
    tasks: createTasks(db, seal),
    vectors: createVectors(db, now),
    pepper: () => pepper,
    close: () => db.destroy(),
  };
}

/** The pepper is the first thing that was sealed, so it tells whether the key is the right one before anything is lost. */
async function readPepper(db: Database, seal: Seal): Promise<Buffer> {
  const select = db.selectFrom('setting').select('value').where('name', '=', PEPPER);
  let row = await select.executeTakeFirst();
  if (row === undefined) {
    const value = seal.seal(randomBytes(32).toString('base64url'), PEPPER);
    await db
      .insertInto('setting')
      .values({ name: PEPPER, value })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
    row = await select.executeTakeFirstOrThrow();
  }
  const opened = seal.open(row.value, PEPPER);
  if (opened !== undefined) return Buffer.from(opened, 'base64url');
  throw new Error('it was made with another secret key. Set HUBGATE_SECRET_KEY to the key it was made with, or use another data folder.');
}

function createToolNames(db: Database): ToolNameStore {
  return {
    async get(service) {
      const row = await db.selectFrom('tool_names').select('names').where('service', '=', service).executeTakeFirst();
      return new Map(row === undefined ? [] : (JSON.parse(row.names) as [string, string][]));
    },
    async put(service, map) {
      const names = JSON.stringify([...map]);
      await db
        .insertInto('tool_names')
        .values({ service, names })
        .onConflict((conflict) => conflict.column('service').doUpdateSet({ names }))
        .execute();
    },
  };
}
