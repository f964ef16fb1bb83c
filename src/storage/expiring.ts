import type { KeyValueStore } from '../core/contracts/extension.ts';
import type { EndedSessionStore } from '../core/contracts/store.ts';
import type { Database } from './tables.ts';

const SWEEP_MS = 60_000;

/** What forgets by itself. Entries past their time are never seen; they leave the disk when the next one is written, once a minute at most. */
export interface Expiring {
  keyValue(namespace: string): KeyValueStore;
  readonly endedSessions: EndedSessionStore;
}

export function createExpiring(db: Database, now: () => number): Expiring {
  let swept = Number.NEGATIVE_INFINITY;
  const sweep = async (): Promise<void> => {
    if (now() - swept < SWEEP_MS) return;
    swept = now();
    await db.deleteFrom('key_value').where('expires_at', '<=', now()).execute();
    await db.deleteFrom('ended_session').where('until', '<=', now()).execute();
  };
  return {
    keyValue: (namespace) => ({
      async get(key) {
        const row = await db
          .selectFrom('key_value')
          .select('value')
          .where('namespace', '=', namespace)
          .where('key', '=', key)
          .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now())]))
          .executeTakeFirst();
        return row === undefined ? undefined : (JSON.parse(row.value) as unknown);
      },

      async set(key, value, { ttlMs } = {}) {
        const json = JSON.stringify(value) as string | undefined;
        if (json === undefined) throw new TypeError(`The value of "${key}" is not JSON. Use delete() to forget it.`);
        const row = { namespace, key, value: json, expires_at: ttlMs === undefined ? null : Math.ceil(now() + ttlMs) };
        await sweep();
        await db
          .insertInto('key_value')
          .values(row)
          .onConflict((conflict) => conflict.columns(['namespace', 'key']).doUpdateSet(row))
          .execute();
      },

      async delete(key) {
        await db.deleteFrom('key_value').where('namespace', '=', namespace).where('key', '=', key).execute();
      },
    }),

    endedSessions: {
      async add(digest, until) {
        await sweep();
        await db
          .insertInto('ended_session')
          .values({ digest, until })
          .onConflict((conflict) => conflict.column('digest').doUpdateSet({ until }))
          .execute();
      },
      all: () => db.selectFrom('ended_session').selectAll().where('until', '>', now()).execute(),
    },
  };
}
