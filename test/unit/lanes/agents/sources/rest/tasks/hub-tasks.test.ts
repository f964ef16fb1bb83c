import { describe, expect, it, vi } from 'vitest';
import type { TaskRecord } from '../../../../../../../src/core/contracts/store.ts';
import { GatewayError } from '../../../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../../../src/core/json.ts';
import type { HubTask } from '../../../../../../../src/lanes/agents/sources/rest/tasks/hub-task.ts';
import { createHubTasks, type HubTasks, type HubTasksOptions } from '../../../../../../../src/lanes/agents/sources/rest/tasks/hub-tasks.ts';
import { fakeStore, log, read, stateOf, textIn, type FakeStore } from '../application.ts';

const NEVER = new AbortController().signal;
const FACTS = { id: 't1', context: 'c1', owner: 'alice' };
const forever = (_task: HubTask, signal: AbortSignal): Promise<void> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

function make(store: FakeStore = fakeStore(), notify: HubTasksOptions['notify'] = () => {}): { tasks: HubTasks; store: FakeStore } {
  return { store, tasks: createHubTasks({ agent: 'a', instance: 'a', store, log, notify }) };
}
function message(text: string): JsonObject {
  return { role: 'ROLE_USER', messageId: 'm', parts: [{ text }] };
}
const record = (more: Partial<TaskRecord>): TaskRecord => ({
  agent: 'a',
  task: 't1',
  context: 'c1',
  owner: 'alice',
  instance: 'a',
  state: 'TASK_STATE_WORKING',
  updatedAt: 1,
  content: { task: { id: 't1', contextId: 'c1', status: { state: 'TASK_STATE_WORKING' } }, memo: {} },
  ...more,
});

describe('tasks of the hub', () => {
  it('change no more when they have ended', async () => {
    const { tasks, store } = make();
    const task = tasks.create(FACTS);
    task.say('TASK_STATE_COMPLETED');
    task.say('TASK_STATE_FAILED', 'late');
    task.give([{ text: 'late' }]);
    task.add('late');
    await tasks.saved(task);
    expect(task.snapshot()).toMatchObject({ status: { state: 'TASK_STATE_COMPLETED' } });
    expect(task.snapshot()).not.toHaveProperty('artifacts');
    expect(store.records.get('t1')?.state).toBe('TASK_STATE_COMPLETED');
  });

  it('keep their states in order, and are read from the store when they have ended', async () => {
    const store = fakeStore();
    const { put } = store;
    const waiting: (() => void)[] = [];
    store.put = async (one) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return put(one);
    };
    const { tasks } = make(store);
    const task = tasks.create(FACTS);
    task.say('TASK_STATE_WORKING');
    task.say('TASK_STATE_COMPLETED');
    expect(await tasks.find('t1', 'alice')).toBe(task);
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    waiting[0]!();
    await vi.waitFor(() => expect(waiting).toHaveLength(2));
    waiting[1]!();
    await tasks.saved(task);
    await vi.waitFor(async () => expect(await tasks.find('t1', 'alice')).not.toBe(task));
    expect((await tasks.find('t1', 'alice')).snapshot()).toEqual(task.snapshot());
  });

  it('are told of one state after the other, with the token of the message', async () => {
    const told: unknown[] = [];
    const { tasks } = make(fakeStore(), async ({ pushToken }, event) => {
      const wait = told.length === 0 ? 2 : 0;
      for (let turn = 0; turn < wait; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      told.push([pushToken, stateOf(event['task'] as JsonObject)]);
      if (told.length === 1) throw new Error('nobody is there');
    });
    const task = tasks.create(FACTS);
    task.pushToken = 'p1';
    task.say('TASK_STATE_WORKING');
    task.say('TASK_STATE_WORKING', 'half');
    task.say('TASK_STATE_COMPLETED');
    await vi.waitFor(() =>
      expect(told).toEqual([
        ['p1', 'TASK_STATE_WORKING'],
        ['p1', 'TASK_STATE_COMPLETED'],
      ]),
    );
  });

  it('outlive a store that fails', async () => {
    const store = fakeStore();
    store.put = async () => Promise.reject(new Error('disk full'));
    const { tasks } = make(store);
    const task = tasks.create(FACTS);
    task.say('TASK_STATE_WORKING');
    await tasks.saved(task);
    expect(await tasks.find('t1', 'alice')).toBe(task);
  });

  it('fail with what was thrown, in words for everybody', async () => {
    const { tasks } = make();
    const task = tasks.create(FACTS);
    tasks.run(task, { carryOut: async () => Promise.reject(new Error('at db.internal:5432')) });
    await vi.waitFor(() => expect(task.hasEnded).toBe(true));
    expect(JSON.stringify(task.snapshot())).toContain('The hub failed on this request.');
    expect(JSON.stringify(task.snapshot())).not.toContain('db.internal');
  });

  it('say nothing when the hub stops, so that the next start takes them up', async () => {
    const { tasks, store } = make();
    const task = tasks.create(FACTS);
    task.say('TASK_STATE_WORKING');
    await tasks.saved(task);
    tasks.run(task, { carryOut: forever });
    void tasks.close();
    await vi.waitFor(() => expect(tasks.isRunning(task)).toBe(false));
    expect(store.records.get('t1')?.state).toBe('TASK_STATE_WORKING');
  });

  it('are stored before the hub stops, and none is taken up then', async () => {
    const store = fakeStore();
    await store.put(record({ task: 't0' }));
    const { put, unfinished } = store;
    const order: string[] = [];
    const gates = { put: Promise.withResolvers<void>(), read: Promise.withResolvers<void>() };
    store.put = async (one) => (await gates.put.promise, await put(one), void order.push('stored'));
    store.unfinished = async (agent) => (await gates.read.promise, unfinished(agent));
    const { tasks } = make(store);
    const restoring = tasks.restore(() => (order.push('taken up'), { carryOut: forever }));
    const task = tasks.create(FACTS);
    task.say('TASK_STATE_WORKING');
    const closing = tasks.close().then(() => order.push('closed'));
    gates.read.resolve();
    await restoring;
    gates.put.resolve();
    await closing;
    expect(order).toEqual(['stored', 'closed']);
    expect(store.records.get('t0')?.state).toBe('TASK_STATE_WORKING');
  });

  it('a paused one is taken by one message, and is not forgotten meanwhile', async () => {
    const { tasks } = make();
    const task = tasks.create(FACTS);
    expect(task.claim()).toBe(false);
    task.say('TASK_STATE_INPUT_REQUIRED');
    expect([task.claim(), task.claim()]).toEqual([true, false]);
    task.say('TASK_STATE_CANCELED');
    await tasks.saved(task);
    expect(await tasks.find('t1', 'alice')).toBe(task);
    task.unclaim();
    expect(await tasks.find('t1', 'alice')).not.toBe(task);
  });

  it('let a reader go whose call is over, though nothing happens', async () => {
    const { tasks } = make();
    const task = tasks.create(FACTS);
    const call = new AbortController();
    const stream = task.events(call.signal);
    expect(await stream.next()).toMatchObject({ value: { event: { task: { id: 't1' } } } });
    const waiting = stream.next();
    call.abort(new GatewayError('unavailable', 'This hub stops.'));
    await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
    expect(task.isRead).toBe(false);
    await expect(task.events(AbortSignal.abort()).next()).rejects.toMatchObject({ code: 'client_closed' });
    const other = task.events(NEVER);
    await other.next();
    const silent = other.next();
    expect(await other.return()).toEqual({ done: true, value: undefined });
    expect(await silent).toEqual({ done: true, value: undefined });
    expect(task.isRead).toBe(false);
  });

  it('are taken up once, and only those of this instance that are at work', async () => {
    const store = fakeStore();
    await store.put(record({}));
    await store.put(record({ task: 't2', instance: 'other' }));
    await store.put(record({ task: 't3', content: undefined }));
    // The lane's own note of the state came late.
    await store.put(record({ task: 't4', content: { task: { status: { state: 'TASK_STATE_COMPLETED' } }, memo: {} } }));
    const { tasks } = make(store);
    const resumed: string[] = [];
    const resume = (task: HubTask) => {
      resumed.push(task.id);
      return { carryOut: forever };
    };
    await Promise.all([tasks.restore(resume), tasks.restore(resume)]);
    expect(resumed).toEqual(['t1']);
    await expect(tasks.find('t3', 'alice')).rejects.toMatchObject({ code: -32001 });
  });

  it('keep so many messages, and the latest always', () => {
    const { tasks } = make();
    const task = tasks.create(FACTS);
    for (let index = 0; index < 150; index += 1) task.hear(message(String(index)));
    const history = (): JsonObject[] => task.snapshot()['history'] as JsonObject[];
    expect(history()).toHaveLength(100);
    expect((task.snapshot(2)['history'] as JsonObject[]).map(({ parts }) => parts)).toEqual([[{ text: '148' }], [{ text: '149' }]]);
    task.hear(message('x'.repeat(3_000_000)));
    expect(history()).toHaveLength(1);
  });

  it('hold no more text than they may', () => {
    const { tasks } = make();
    const task = tasks.create(FACTS);
    const megabyte = 'x'.repeat(1_000_000);
    for (let count = 0; count < 16; count += 1) task.add(megabyte);
    expect(() => task.add('x')).toThrow(expect.objectContaining({ code: 'upstream_too_large' }));
    task.add(megabyte, true);
    task.add(megabyte);
    expect(textIn(task.snapshot())).toHaveLength(2_000_000);
  });

  it('give a reader who is far behind the task as it is', async () => {
    const { tasks } = make();
    const task = tasks.create(FACTS);
    const slow = task.events(NEVER);
    for (let count = 0; count < 2_500; count += 1) task.add('x');
    task.say('TASK_STATE_COMPLETED');
    const events = await read({ stream: slow });
    expect(events.length).toBeLessThan(1_100);
    const [first] = events;
    const told = events.slice(1, -1).length;
    expect(textIn(first!['task'] as JsonObject)).toHaveLength(2_500 - told);
    expect(events.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } });
  });

  it('tell every reader the same', async () => {
    const { tasks } = make();
    const task = tasks.create(FACTS);
    const readers = [task.events(NEVER), task.events(NEVER)].map((stream) => read({ stream }));
    task.say('TASK_STATE_WORKING', 'half');
    task.say('TASK_STATE_INPUT_REQUIRED', 'Which?');
    const [one, other] = await Promise.all(readers);
    expect(one).toEqual(other);
    expect(one!.map((event) => Object.keys(event)[0])).toEqual(['task', 'statusUpdate', 'statusUpdate']);
    expect(task.isRead).toBe(false);
    expect(stateOf(task.snapshot())).toBe('TASK_STATE_INPUT_REQUIRED');
  });
});
