import { hash, randomBytes } from 'node:crypto';
import type { ResourceEntry, ResourceStore, StoredResource } from '../core/contracts/store.ts';
import { GatewayError } from '../core/errors.ts';
import type { Seal } from '../core/seal.ts';
import type { Database, Tables } from './tables.ts';

type Row = Tables['resource'];

/** Secrets are a list of pointer and sealed text, each bound to its place: one that is moved to another entry does not open. */
export function createResources(db: Database, seal: Seal, now: () => number): ResourceStore {
  return {
    async all() {
      const rows = await db.selectFrom('resource').selectAll().orderBy('kind').orderBy('name').execute();
      return rows.map((row) => read(row, seal));
    },

    async document(kind, name) {
      const row = await db
        .selectFrom('resource_document')
        .select('body')
        .where('kind', '=', kind)
        .where('name', '=', name)
        .executeTakeFirst();
      return row?.body;
    },

    put: (kind, name, entry, { ifRevision } = {}) =>
      db.transaction().execute(async (trx) => {
        const row = write(kind, name, entry, seal, now());
        if (ifRevision === undefined) {
          await trx
            .insertInto('resource')
            .values(row)
            .onConflict((conflict) => conflict.columns(['kind', 'name']).doUpdateSet(row))
            .execute();
        } else {
          const done = await trx
            .updateTable('resource')
            .set(row)
            .where('kind', '=', kind)
            .where('name', '=', name)
            .where('revision', '=', ifRevision)
            .executeTakeFirst();
          if (done.numUpdatedRows === 0n) throw new GatewayError('precondition_failed');
        }
        await trx.deleteFrom('resource_document').where('kind', '=', kind).where('name', '=', name).execute();
        if (entry.document !== undefined) await trx.insertInto('resource_document').values({ kind, name, body: entry.document }).execute();
        return row.revision;
      }),

    delete: (kind, name, { ifRevision } = {}) =>
      db.transaction().execute(async (trx) => {
        const there = await trx
          .selectFrom('resource')
          .select('revision')
          .where('kind', '=', kind)
          .where('name', '=', name)
          .executeTakeFirst();
        if (there === undefined) return false;
        if (ifRevision !== undefined && there.revision !== ifRevision) throw new GatewayError('precondition_failed');
        await trx.deleteFrom('resource').where('kind', '=', kind).where('name', '=', name).execute();
        await trx.deleteFrom('resource_document').where('kind', '=', kind).where('name', '=', name).execute();
        return true;
      }),
  };
}

function write(kind: string, name: string, entry: ResourceEntry, seal: Seal, now: number): Row {
  const secrets = [...(entry.secrets ?? [])].map(([pointer, value]) => [pointer, seal.seal(value, placeOf(kind, name, pointer))]);
  return {
    kind,
    name,
    revision: randomBytes(8).toString('hex'),
    config: JSON.stringify(entry.config),
    secrets: JSON.stringify(secrets),
    document_hash: entry.document === undefined ? null : hash('sha256', entry.document),
    updated_at: now,
  };
}

function read(row: Row, seal: Seal): StoredResource {
  const { kind, name, revision } = row;
  const secrets = (JSON.parse(row.secrets) as [string, string][]).map(([pointer, sealed]): [string, string] => {
    const value = seal.open(sealed, placeOf(kind, name, pointer));
    if (value !== undefined) return [pointer, value];
    throw new Error(
      `The secret ${pointer} of ${kind} "${name}" cannot be decrypted: it was changed in the store, or stored under another HUBGATE_SECRET_KEY. Set it again.`,
    );
  });
  return {
    kind,
    name,
    revision,
    config: JSON.parse(row.config) as unknown,
    secrets: new Map(secrets),
    ...(row.document_hash === null ? {} : { documentHash: row.document_hash }),
    updatedAt: row.updated_at,
  };
}

/** As JSON, so that no two places read alike. */
function placeOf(kind: string, name: string, pointer: string): string {
  return JSON.stringify(['resource', kind, name, pointer]);
}
