import { randomBytes } from 'node:crypto';
import type { KeyRecord, KeyStore } from '../core/contracts/store.ts';
import { GatewayError } from '../core/errors.ts';
import type { Database, Tables } from './tables.ts';

export function createConsumerKeys(db: Database, now: () => number): KeyStore {
  return {
    async create({ consumer, digest, label, expiresAt }) {
      const row = {
        id: randomBytes(8).toString('hex'),
        consumer,
        digest,
        label: label ?? null,
        created_at: now(),
        expires_at: expiresAt ?? null,
      };
      const done = await db
        .insertInto('consumer_key')
        .values(row)
        .onConflict((conflict) => conflict.column('digest').doNothing())
        .executeTakeFirst();
      if (done.numInsertedOrUpdatedRows === 0n) throw new GatewayError('conflict', 'This key is there already.');
      return read(row);
    },

    async list(consumer) {
      const rows = await db
        .selectFrom('consumer_key')
        .selectAll()
        .where('consumer', '=', consumer)
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      return rows.map(read);
    },

    async delete(consumer, id) {
      const done = await db.deleteFrom('consumer_key').where('consumer', '=', consumer).where('id', '=', id).executeTakeFirst();
      return done.numDeletedRows > 0n;
    },

    async all() {
      const rows = await db.selectFrom('consumer_key').selectAll().execute();
      return rows.map((row) => ({ ...read(row), digest: row.digest }));
    },
  };
}

/** The digest stays behind: it is nobody's to see. */
function read({ id, consumer, label, created_at, expires_at }: Tables['consumer_key']): KeyRecord {
  return {
    id,
    consumer,
    createdAt: created_at,
    ...(label === null ? {} : { label }),
    ...(expires_at === null ? {} : { expiresAt: expires_at }),
  };
}
