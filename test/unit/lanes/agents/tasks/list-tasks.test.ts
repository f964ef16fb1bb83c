import { beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { listTasks } from '../../../../../src/lanes/agents/tasks/list-tasks.ts';
import type { TaskBook } from '../../../../../src/lanes/agents/tasks/task-book.ts';
import { ALICE, BOB, openTasks, task } from './open-tasks.ts';
import type { OpenedTasks } from './open-tasks.ts';

let tasks: OpenedTasks;
let book: TaskBook;
/** What instances have. */
let instances: Map<string, JsonObject>;
let down: boolean;
let reads: string[];
let mostAtATime: number;

beforeEach(async () => {
  tasks = await openTasks();
  book = tasks.book();
  instances = new Map();
  down = false;
  reads = [];
  mostAtATime = 0;
});

/** Begins a task, a second after the one before. */
async function begin(who: typeof ALICE, id: string, state: string, rest: object = {}): Promise<void> {
  tasks.time += 1_000;
  const status = { state: `TASK_STATE_${state}`, timestamp: new Date(tasks.time).toISOString() };
  const now = { ...task(id, state), status, ...rest };
  instances.set(id, now);
  await book.observe(who, { task: now });
}

function list(params: JsonObject = {}, owner = 'alice'): Promise<JsonObject> {
  let atATime = 0;
  return listTasks(params, {
    book,
    agent: 'travel',
    owner,
    async read(record) {
      reads.push(`${record.task} at ${record.instance}`);
      mostAtATime = Math.max(mostAtATime, (atATime += 1));
      await new Promise<void>((resolve) => setImmediate(resolve));
      atATime -= 1;
      if (down) throw new Error('refused');
      return instances.get(record.task);
    },
  });
}

async function ids(params: JsonObject = {}, owner = 'alice'): Promise<unknown[]> {
  return ((await list(params, owner))['tasks'] as JsonObject[]).map(({ id }) => id);
}

describe('the list', () => {
  it('has the caller’s own tasks, latest change first, as their instances have them', async () => {
    await begin(ALICE, 'a', 'COMPLETED', { metadata: { x: 1 } });
    await begin(BOB, 'b', 'COMPLETED');
    await begin(ALICE, 'c', 'WORKING');
    expect(await list()).toEqual({ tasks: [instances.get('c'), instances.get('a')], nextPageToken: '', pageSize: 50, totalSize: 2 });
    expect(reads).toEqual(['c at travel#2', 'a at travel#2']);
    expect(await ids({}, 'bob')).toEqual(['b']);
    expect(await list({}, 'carol')).toEqual({ tasks: [], nextPageToken: '', pageSize: 50, totalSize: 0 });
  });

  it('comes in pages', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await begin(ALICE, id, 'COMPLETED');
    const first = await list({ pageSize: 2 });
    expect(first).toMatchObject({ tasks: [{ id: 'e' }, { id: 'd' }], pageSize: 2, totalSize: 5 });
    const second = await list({ pageSize: 2, pageToken: first['nextPageToken'] });
    expect(second).toMatchObject({ tasks: [{ id: 'c' }, { id: 'b' }] });
    expect(await list({ pageSize: 2, pageToken: second['nextPageToken'] })).toMatchObject({ tasks: [{ id: 'a' }], nextPageToken: '' });
  });

  it('asks instances for eight tasks at a time', async () => {
    for (let n = 0; n < 30; n += 1) await begin(ALICE, `t${n}`, 'COMPLETED');
    expect(await ids()).toHaveLength(30);
    expect(mostAtATime).toBe(8);
    expect(reads).toHaveLength(30);
  });

  it('is of one conversation', async () => {
    await begin(ALICE, 'a', 'COMPLETED');
    await begin(ALICE, 'b', 'COMPLETED');
    await begin(BOB, 'c', 'COMPLETED');
    expect(await ids({ contextId: 'context of a' })).toEqual(['a']);
    expect(await ids({ contextId: 'context of c' })).toEqual([]);
    expect(await ids({ contextId: '' })).toEqual(['b', 'a']);
  });

  it('is of one state, by what is so now', async () => {
    await begin(ALICE, 'a', 'COMPLETED');
    await begin(ALICE, 'b', 'WORKING');
    await begin(ALICE, 'c', 'WORKING');
    instances.set('b', task('b', 'COMPLETED'));
    expect(await ids({ status: 'TASK_STATE_COMPLETED' })).toEqual(['b', 'a']);
    expect(await ids({ status: 'TASK_STATE_WORKING' })).toEqual(['c']);
    expect(await ids({ status: 'TASK_STATE_UNSPECIFIED' })).toHaveLength(3);
  });

  it('is of what changed since a time, also without the hub', async () => {
    await begin(ALICE, 'a', 'COMPLETED');
    await begin(ALICE, 'b', 'WORKING');
    await begin(ALICE, 'c', 'COMPLETED');
    const since = new Date(tasks.time).toISOString();
    expect(await ids({ statusTimestampAfter: since })).toEqual(['c']);
    tasks.time += 5_000;
    const later = new Date(tasks.time).toISOString();
    instances.set('b', { ...task('b', 'COMPLETED'), status: { state: 'TASK_STATE_COMPLETED', timestamp: later } });
    expect(await ids({ statusTimestampAfter: since })).toEqual(['b', 'c']);
    expect(await ids({ statusTimestampAfter: later })).toEqual(['b']);
  });

  it('leaves out and forgets what its instance does not know', async () => {
    await begin(ALICE, 'a', 'COMPLETED');
    await begin(ALICE, 'b', 'COMPLETED');
    instances.delete('b');
    expect(await list()).toMatchObject({ tasks: [{ id: 'a' }], totalSize: 1 });
    await expect(book.owned('travel', 'b', 'alice')).rejects.toMatchObject({ code: -32001 });
  });

  it('shows what the hub knows while an instance is down', async () => {
    await begin(ALICE, 'a', 'WORKING', { artifacts: [{ artifactId: 'x' }] });
    down = true;
    const status = { state: 'TASK_STATE_WORKING', timestamp: new Date(tasks.time).toISOString() };
    expect(await list()).toMatchObject({ tasks: [{ id: 'a', contextId: 'context of a', status }], totalSize: 1 });
    expect(await ids({ status: 'TASK_STATE_WORKING' })).toEqual(['a']);
  });

  it('notes what it reads', async () => {
    await begin(ALICE, 'a', 'WORKING');
    instances.set('a', task('a', 'FAILED'));
    await list();
    expect(await book.owned('travel', 'a', 'alice')).toMatchObject({ state: 'TASK_STATE_FAILED' });
  });
});

describe('a task in the list', () => {
  const HISTORY = [{ messageId: '1' }, { messageId: '2' }, { messageId: '3' }];

  it.each([
    [{}, HISTORY],
    [{ historyLength: 2 }, HISTORY.slice(1)],
    [{ historyLength: 9 }, HISTORY],
    [{ historyLength: 0 }, undefined],
  ])('has its history as %j says', async (params, history) => {
    await begin(ALICE, 'a', 'COMPLETED', { history: HISTORY });
    const [first] = (await list(params))['tasks'] as JsonObject[];
    expect(first?.['history']).toEqual(history);
    expect('history' in first!).toBe(history !== undefined);
  });

  it('has artifacts only when they are asked for, then always', async () => {
    await begin(ALICE, 'a', 'COMPLETED', { artifacts: [{ artifactId: 'x' }] });
    await begin(ALICE, 'b', 'COMPLETED');
    for (const one of (await list())['tasks'] as JsonObject[]) expect(one).not.toHaveProperty('artifacts');
    expect(await list({ includeArtifacts: true })).toMatchObject({ tasks: [{ artifacts: [] }, { artifacts: [{ artifactId: 'x' }] }] });
  });
});

it.each([
  [{ pageSize: 0 }, 'pageSize'],
  [{ pageSize: 101 }, 'pageSize'],
  [{ pageSize: 1.5 }, 'pageSize'],
  [{ pageSize: '5' }, 'pageSize'],
  [{ historyLength: -1 }, 'historyLength'],
  [{ status: 'working' }, 'status'],
  [{ status: 'TASK_STATE_ELSE' }, 'status'],
  [{ statusTimestampAfter: 'yesterday' }, 'statusTimestampAfter'],
  [{ contextId: 7 }, 'contextId'],
  [{ includeArtifacts: 'yes' }, 'includeArtifacts'],
  [{ pageToken: 'no token' }, 'pageToken'],
  [{ pageToken: Buffer.from('x').toString('base64url') }, 'pageToken'],
  [{ pageToken: 4 }, 'pageToken'],
])('refuses %j', async (params, name) => {
  await expect(list(params)).rejects.toMatchObject({ code: -32602, message: expect.stringContaining(name) as string });
});
