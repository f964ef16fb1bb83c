import assert from 'node:assert/strict';
import { ListTasksRequest } from '@a2a-js/sdk';
import { answerOf, failure, isUnderWay, listen, say, stateOf, taskOf, textOf } from '../conversation.ts';
import type { Scenario, Scene } from './scenario.ts';

const named = (id: string) => ({ id, tenant: '', metadata: {} });

export const TASKS: readonly Scenario[] = [
  {
    name: 'get',
    async run({ client, options }) {
      const sent = taskOf(await client.sendMessage(say('hello'), options));
      const task = await client.getTask(named(sent.id), options);
      return { same: task.id === sent.id && task.contextId === sent.contextId, state: stateOf(task), answer: answerOf(task) };
    },
  },
  {
    name: 'get, how much history',
    async run({ client, options }) {
      const first = taskOf(await client.sendMessage(say('input'), options));
      await client.sendMessage(say('more', { message: { taskId: first.id, contextId: first.contextId } }), options);
      const some = await client.getTask({ ...named(first.id), historyLength: 1 }, options);
      const all = await client.getTask(named(first.id), options);
      return { some: some.history.length, mine: all.history.filter(({ role }) => role === 1).map(({ parts }) => textOf(parts)) };
    },
  },
  { name: 'ended failed', run: ended('fail') },
  { name: 'ended rejected', run: ended('reject') },
  {
    name: 'cancel',
    async run({ client, options }) {
      let canceled: Promise<string> | undefined;
      const { last } = await listen(client.sendMessageStream(say('long 50'), options), (event) => {
        if (isUnderWay(event) && 'taskId' in event.value) canceled ??= client.cancelTask(named(event.value.taskId), options).then(stateOf);
        return false;
      });
      return { last, answered: await canceled };
    },
  },
  {
    name: 'a client that leaves cancels nothing, and subscribes again',
    async run(scene) {
      const { client, options } = scene;
      const taskId = await leave(scene, 'long 8');
      const { chunks, task, last } = await listen(client.resubscribeTask({ id: taskId, tenant: '' }, options));
      const whole = await client.getTask(named(taskId), options);
      assert.ok(chunks.length >= 1, 'nothing came after it was back');
      assert.equal(
        (task === undefined ? '' : answerOf(task)) + chunks.join(''),
        answerOf(whole),
        'what was told before and after is not the whole',
      );
      return { last, state: stateOf(whole), answer: answerOf(whole) };
    },
  },
  {
    name: 'two listen to one task',
    async run(scene) {
      const { client, options } = scene;
      const taskId = await leave(scene, 'long 6');
      const both = [0, 1].map(() => listen(client.resubscribeTask({ id: taskId, tenant: '' }, options)));
      return (await Promise.all(both)).map(({ last }) => last);
    },
  },
  {
    name: 'subscribe to what has ended',
    async run({ client, options }) {
      const { id } = taskOf(await client.sendMessage(say('hello'), options));
      return await failure(client.resubscribeTask({ id, tenant: '' }, options));
    },
  },
  {
    name: 'list',
    only: '1.0',
    async run({ client, options }) {
      const sent = taskOf(await client.sendMessage(say('hello'), options));
      const { contextId } = sent;
      const failed = taskOf(await client.sendMessage(say('fail', { message: { contextId } }), options));
      const list = async (more: Record<string, unknown>): Promise<readonly string[]> => {
        const { tasks } = await client.listTasks(ListTasksRequest.fromJSON({ contextId, ...more }), options);
        return tasks.map(({ id }) => (id === sent.id ? 'first' : id === failed.id ? 'second' : 'another'));
      };
      return { all: (await list({})).toSorted(), failed: await list({ status: 'TASK_STATE_FAILED' }) };
    },
  },
  {
    name: 'list, page by page, with artifacts',
    only: '1.0',
    async run({ client, options }) {
      const { contextId } = taskOf(await client.sendMessage(say('one'), options));
      for (const text of ['two', 'three']) await client.sendMessage(say(text, { message: { contextId } }), options);
      const seen: string[] = [];
      const sizes: number[] = [];
      let pageToken = '';
      do {
        const page = await client.listTasks(
          ListTasksRequest.fromJSON({ contextId, pageSize: 2, pageToken, includeArtifacts: true }),
          options,
        );
        sizes.push(page.tasks.length);
        seen.push(...page.tasks.map(answerOf));
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      return { sizes, seen: seen.toSorted() };
    },
  },
];

function ended(text: string): Scenario['run'] {
  return async ({ client, options }) => {
    const task = taskOf(await client.sendMessage(say(text), options));
    return { state: stateOf(task), said: textOf(task.status?.message?.parts) };
  };
}

/** Begins a task and goes away when it is under way; gives its id. */
async function leave({ client, options }: Scene, text: string): Promise<string> {
  const away = new AbortController();
  const { taskId } = await listen(client.sendMessageStream(say(text), { ...options, signal: away.signal }), isUnderWay);
  away.abort();
  return taskId;
}
