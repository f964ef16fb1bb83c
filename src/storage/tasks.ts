import { sql } from 'kysely';
import { ENDED_STATES } from '../core/agents.ts';
import type { ContextRecord, PushRecord, TaskQuery, TaskRecord, TaskStore } from '../core/contracts/store.ts';
import { GatewayError } from '../core/errors.ts';
import type { Seal } from '../core/seal.ts';
import type { Database, Tables } from './tables.ts';

type TaskRow = Tables['agent_task'];
type PushRow = Tables['agent_push'];

/** Where callers want to be told is sealed whole: the address of a webhook may be as secret as its token. */
export function createTasks(db: Database, seal: Seal): TaskStore {
  return { ...tasksOf(db), ...pushesOf(db, seal) };
}

type Pushes = Pick<TaskStore, 'putPush' | 'pushByDigest' | 'pushes' | 'deletePush'>;

function tasksOf(db: Database): Omit<TaskStore, keyof Pushes> {
  return {
    async put(task) {
      const { context, state, updatedAt, content } = task;
      const changes = {
        state,
        updated_at: updatedAt,
        ...(context !== '' && { context }),
        ...(content !== undefined && { content: JSON.stringify(content) }),
      };
      await db
        .insertInto('agent_task')
        .values({ content: null, ...changes, context, agent: task.agent, task: task.task, owner: task.owner, instance: task.instance })
        .onConflict((conflict) => {
          const update = conflict.columns(['agent', 'task']).doUpdateSet(changes);
          // Two parts of the hub write what they saw: an older word does not reopen a task.
          return ENDED_STATES.has(state) ? update : update.where('agent_task.state', 'not in', [...ENDED_STATES]);
        })
        .execute();
    },

    async get(agent, task) {
      const row = await db.selectFrom('agent_task').selectAll().where('agent', '=', agent).where('task', '=', task).executeTakeFirst();
      return row && readTask(row);
    },

    list: (query) => listTasks(db, query),

    putContext: (context) => putContext(db, context),

    async unfinished(agent) {
      const rows = await db
        .selectFrom('agent_task')
        .selectAll()
        .where('agent', '=', agent)
        .where('content', 'is not', null)
        .where('state', 'not in', [...ENDED_STATES])
        .orderBy('updated_at')
        .orderBy('task')
        .execute();
      return rows.map(readTask);
    },

    delete: (agent, task) =>
      db.transaction().execute(async (trx) => {
        await trx.deleteFrom('agent_task').where('agent', '=', agent).where('task', '=', task).execute();
        await trx.deleteFrom('agent_push').where('agent', '=', agent).where('task', '=', task).execute();
      }),

    forget: (before) => forget(db, before),
  };
}

function putContext(db: Database, { agent, context, owner, instance, updatedAt }: ContextRecord): ReturnType<TaskStore['putContext']> {
  const changes = { updated_at: updatedAt, ...(instance !== '' && { instance }) };
  return db.transaction().execute(async (trx) => {
    await trx
      .insertInto('agent_context')
      .values({ agent, context, owner, instance, updated_at: updatedAt })
      .onConflict((conflict) => conflict.columns(['agent', 'context']).doUpdateSet(changes).where('agent_context.owner', '=', owner))
      .execute();
    const kept = trx.selectFrom('agent_context').select(['owner', 'instance']).where('agent', '=', agent).where('context', '=', context);
    return kept.executeTakeFirstOrThrow();
  });
}

/** Configs go with their task; those that never got one, by their own time. */
async function forget(db: Database, before: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.deleteFrom('agent_task').where('updated_at', '<', before).execute();
    await trx.deleteFrom('agent_context').where('updated_at', '<', before).execute();
    await trx
      .deleteFrom('agent_push')
      .where('created_at', '<', before)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('agent_task')
              .select(sql`1`.as('one'))
              .whereRef('agent_task.agent', '=', 'agent_push.agent')
              .whereRef('agent_task.task', '=', 'agent_push.task'),
          ),
        ),
      )
      .execute();
  });
}

async function listTasks(db: Database, { agent, owner, context, state, since, limit, before }: TaskQuery): ReturnType<TaskStore['list']> {
  let matching = db.selectFrom('agent_task').where('owner', '=', owner).where('agent', '=', agent);
  if (context !== undefined) matching = matching.where('context', '=', context);
  if (state !== undefined) matching = matching.where('state', '=', state);
  if (since !== undefined) matching = matching.where('updated_at', '>=', since);
  let page = matching
    .selectAll()
    .orderBy('updated_at', 'desc')
    .orderBy('task', 'desc')
    .limit(limit + 1);
  if (before !== undefined) {
    const [at, task] = readPosition(before);
    page = page.where(({ or, and, eb }) => or([eb('updated_at', '<', at), and([eb('updated_at', '=', at), eb('task', '<', task)])]));
  }
  const rows = await page.execute();
  const { total } = await matching.select(({ fn }) => fn.countAll<number | string>().as('total')).executeTakeFirstOrThrow();
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    tasks: rows.slice(0, limit).map(readTask),
    ...(last !== undefined && { next: `${last.updated_at}/${last.task}` }),
    total: Number(total),
  };
}

function readPosition(position: string): [number, string] {
  const [, at, task] = /^(\d{1,15})\/([^]*)$/.exec(position) ?? [];
  if (at === undefined || task === undefined) throw new GatewayError('bad_request', 'This is no position in a list of tasks.');
  return [Number(at), task];
}

function readTask({ updated_at, content, ...task }: TaskRow): TaskRecord {
  return { ...task, updatedAt: updated_at, ...(content !== null && { content: JSON.parse(content) as unknown }) };
}

function pushesOf(db: Database, seal: Seal): Pushes {
  return {
    putPush: (push, most = Infinity) =>
      db.transaction().execute(async (trx) => {
        const row = writePush(push, seal);
        const { agent, task, id, digest } = row;
        // Those without a task yet are of different tasks.
        if (task !== '') {
          const others = await trx
            .selectFrom('agent_push')
            .select(['id', 'digest'])
            .where('agent', '=', agent)
            .where('task', '=', task)
            .where('digest', '!=', digest)
            .execute();
          const replaced = others.filter((other) => other.id === id);
          if (others.length - replaced.length >= most) return false;
          for (const other of replaced) await trx.deleteFrom('agent_push').where('digest', '=', other.digest).execute();
        }
        await trx
          .insertInto('agent_push')
          .values(row)
          .onConflict((conflict) => conflict.column('digest').doUpdateSet(row))
          .execute();
        return true;
      }),

    async pushByDigest(digest) {
      const row = await db.selectFrom('agent_push').selectAll().where('digest', '=', digest).executeTakeFirst();
      return row && readPush(row, seal);
    },

    async pushes(agent, task) {
      const rows = await db
        .selectFrom('agent_push')
        .selectAll()
        .where('agent', '=', agent)
        .where('task', '=', task)
        .orderBy('created_at')
        .orderBy('digest')
        .execute();
      return rows.map((row) => readPush(row, seal));
    },

    async deletePush(digest) {
      const done = await db.deleteFrom('agent_push').where('digest', '=', digest).executeTakeFirst();
      return done.numDeletedRows > 0n;
    },
  };
}

function writePush({ config, createdAt, ...push }: PushRecord, seal: Seal): PushRow {
  return { ...push, instance: push.instance ?? null, config: seal.seal(JSON.stringify(config), placeOf(push)), created_at: createdAt };
}

function readPush({ config, created_at, instance, version, ...push }: PushRow, seal: Seal): PushRecord {
  const opened = seal.open(config, placeOf(push));
  if (opened === undefined) {
    throw new Error(
      `A push notification config of agent "${push.agent}" cannot be decrypted: it was changed in the store, or stored under another HUBGATE_SECRET_KEY. Set it again.`,
    );
  }
  return {
    ...push,
    ...(instance !== null && { instance }),
    version: version as PushRecord['version'],
    config: JSON.parse(opened) as unknown,
    createdAt: created_at,
  };
}

/** The digest is another one for each config, and owner and agent are those whom it was given for. */
function placeOf({ agent, owner, digest }: Pick<PushRow, 'agent' | 'owner' | 'digest'>): string {
  return JSON.stringify(['push', agent, owner, digest]);
}
