import type { ColumnDefinitionBuilder, Kysely } from 'kysely';
import { sql } from 'kysely';

/**
 * Columns of the store. Only types that SQLite and PostgreSQL share: text, whole numbers and `bytea`, which SQLite takes for any other name and
 * keeps bytes in as they are; times are milliseconds since the epoch.
 */
export interface Tables {
  migration: { name: string };
  setting: { name: string; value: string };
  resource: {
    kind: string;
    name: string;
    revision: string;
    config: string;
    secrets: string;
    document_hash: string | null;
    updated_at: number;
  };
  resource_document: { kind: string; name: string; body: string };
  consumer_key: { id: string; consumer: string; digest: string; label: string | null; created_at: number; expires_at: number | null };
  tool_names: { service: string; names: string };
  key_value: { namespace: string; key: string; value: string; expires_at: number | null };
  ended_session: { digest: string; until: number };
  agent_task: {
    agent: string;
    task: string;
    context: string;
    owner: string;
    instance: string;
    state: string;
    updated_at: number;
    content: string | null;
  };
  agent_context: { agent: string; context: string; owner: string; instance: string; updated_at: number };
  agent_push: {
    digest: string;
    agent: string;
    task: string;
    id: string;
    owner: string;
    instance: string | null;
    version: string;
    config: string;
    created_at: number;
  };
  /** `vector`: float32, little-endian. `used_at` is right to a day. */
  text_vector: { model: string; hash: string; vector: Uint8Array; used_at: number };
}

export type Database = Kysely<Tables>;

interface Migration {
  readonly name: string;
  up(db: Kysely<Tables>): Promise<void>;
}

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();
const key = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull().primaryKey();
const unique = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull().unique();

/** Steps from an empty database to `Tables`, oldest first. A step that was released never changes. */
const MIGRATIONS: readonly Migration[] = [
  {
    name: '2026-11-21 first tables',
    async up({ schema }) {
      await schema.createTable('setting').addColumn('name', 'text', key).addColumn('value', 'text', required).execute();
      await schema
        .createTable('resource')
        .addColumn('kind', 'text', required)
        .addColumn('name', 'text', required)
        .addColumn('revision', 'text', required)
        .addColumn('config', 'text', required)
        .addColumn('secrets', 'text', required)
        .addColumn('document_hash', 'text')
        .addColumn('updated_at', 'bigint', required)
        .addPrimaryKeyConstraint('resource_key', ['kind', 'name'])
        .execute();
      await schema
        .createTable('resource_document')
        .addColumn('kind', 'text', required)
        .addColumn('name', 'text', required)
        .addColumn('body', 'text', required)
        .addPrimaryKeyConstraint('resource_document_key', ['kind', 'name'])
        .execute();
      await schema
        .createTable('consumer_key')
        .addColumn('id', 'text', key)
        .addColumn('consumer', 'text', required)
        .addColumn('digest', 'text', unique)
        .addColumn('label', 'text')
        .addColumn('created_at', 'bigint', required)
        .addColumn('expires_at', 'bigint')
        .execute();
      await schema.createIndex('consumer_key_consumer').on('consumer_key').column('consumer').execute();
      await schema.createTable('tool_names').addColumn('service', 'text', key).addColumn('names', 'text', required).execute();
    },
  },
  {
    name: '2026-11-21 what expires',
    async up({ schema }) {
      await schema
        .createTable('key_value')
        .addColumn('namespace', 'text', required)
        .addColumn('key', 'text', required)
        .addColumn('value', 'text', required)
        .addColumn('expires_at', 'bigint')
        .addPrimaryKeyConstraint('key_value_key', ['namespace', 'key'])
        .execute();
      await schema.createIndex('key_value_expires').on('key_value').column('expires_at').execute();
      await schema.createTable('ended_session').addColumn('digest', 'text', key).addColumn('until', 'bigint', required).execute();
      await schema.createIndex('ended_session_until').on('ended_session').column('until').execute();
    },
  },
  {
    name: '2026-11-22 tasks of agents',
    async up({ schema }) {
      await schema
        .createTable('agent_task')
        .addColumn('agent', 'text', required)
        .addColumn('task', 'text', required)
        .addColumn('context', 'text', required)
        .addColumn('owner', 'text', required)
        .addColumn('instance', 'text', required)
        .addColumn('state', 'text', required)
        .addColumn('updated_at', 'bigint', required)
        .addColumn('content', 'text')
        .addPrimaryKeyConstraint('agent_task_key', ['agent', 'task'])
        .execute();
      await schema.createIndex('agent_task_owner').on('agent_task').columns(['owner', 'agent', 'updated_at', 'task']).execute();
      await schema.createIndex('agent_task_context').on('agent_task').columns(['agent', 'context', 'updated_at', 'task']).execute();
      await schema.createIndex('agent_task_updated').on('agent_task').column('updated_at').execute();
      const unfinished = schema.createIndex('agent_task_unfinished').on('agent_task').columns(['agent', 'state']);
      await unfinished.where(sql.ref('content'), 'is not', null).execute();
      await schema
        .createTable('agent_context')
        .addColumn('agent', 'text', required)
        .addColumn('context', 'text', required)
        .addColumn('owner', 'text', required)
        .addColumn('instance', 'text', required)
        .addColumn('updated_at', 'bigint', required)
        .addPrimaryKeyConstraint('agent_context_key', ['agent', 'context'])
        .execute();
      await schema.createIndex('agent_context_updated').on('agent_context').column('updated_at').execute();
      await schema
        .createTable('agent_push')
        .addColumn('digest', 'text', key)
        .addColumn('agent', 'text', required)
        .addColumn('task', 'text', required)
        .addColumn('id', 'text', required)
        .addColumn('owner', 'text', required)
        .addColumn('instance', 'text')
        .addColumn('version', 'text', required)
        .addColumn('config', 'text', required)
        .addColumn('created_at', 'bigint', required)
        .execute();
      await schema.createIndex('agent_push_task').on('agent_push').columns(['agent', 'task', 'id']).execute();
      await schema.createIndex('agent_push_created').on('agent_push').column('created_at').execute();
    },
  },
  {
    name: '2026-11-22 vectors of texts',
    async up({ schema }) {
      await schema
        .createTable('text_vector')
        .addColumn('model', 'text', required)
        .addColumn('hash', 'text', required)
        .addColumn('vector', 'bytea', required)
        .addColumn('used_at', 'bigint', required)
        .addPrimaryKeyConstraint('text_vector_key', ['model', 'hash'])
        .execute();
      await schema.createIndex('text_vector_used').on('text_vector').column('used_at').execute();
    },
  },
];

/**
 * Brings the tables up to date, all steps in one transaction, so that a process that dies half-way leaves nothing behind.
 * @throws Error when a newer Hubgate has written here.
 */
export async function migrate(db: Database): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`create table if not exists migration (name text primary key)`.execute(trx);
    const done = new Set((await trx.selectFrom('migration').select('name').execute()).map(({ name }) => name));
    const unknown = [...done].find((name) => !MIGRATIONS.some((migration) => migration.name === name));
    if (unknown !== undefined)
      throw new Error(`The store was written by a newer Hubgate (it has "${unknown}"). Start that version, or use another data folder.`);
    for (const { name, up } of MIGRATIONS.filter((migration) => !done.has(migration.name))) {
      await up(trx);
      await trx.insertInto('migration').values({ name }).execute();
    }
  });
}
