import assert from 'node:assert/strict';
import { ListTaskPushNotificationConfigsRequest, TaskPushNotificationConfig } from '@a2a-js/sdk';
import { failure, isUnderWay, listen, say, taskOf } from '../conversation.ts';
import type { Notice } from '../webhook.ts';
import type { Scenario } from './scenario.ts';

const NOWHERE = 'http://127.0.0.1:9/hook';
const configFor = (taskId: string, id: string, more: Record<string, unknown>) =>
  TaskPushNotificationConfig.fromJSON({ taskId, id, ...more });

export const PUSH: readonly Scenario[] = [
  {
    name: 'push config: set, get, list, delete',
    async run({ client, options }) {
      const { id: taskId } = taskOf(await client.sendMessage(say('input'), options));
      const set = await client.createTaskPushNotificationConfig(configFor(taskId, 'c1', { url: NOWHERE, token: 't' }), options);
      await client.createTaskPushNotificationConfig(configFor(taskId, 'c2', { url: NOWHERE }), options);
      const got = await client.getTaskPushNotificationConfig({ tenant: '', taskId, id: 'c1' }, options);
      const list = async (): Promise<string[]> => {
        const { configs } = await client.listTaskPushNotificationConfig(
          ListTaskPushNotificationConfigsRequest.fromJSON({ taskId }),
          options,
        );
        return configs.map(({ id }) => id).toSorted();
      };
      const before = await list();
      await client.deleteTaskPushNotificationConfig({ tenant: '', taskId, id: 'c1' }, options);
      return { set: set.id, got: [got.id, got.url, got.token, got.taskId === taskId], before, after: await list() };
    },
  },
  {
    name: 'push config of no task',
    async run({ client, options }) {
      const taskId = 'no-such-task';
      return {
        set: await failure(client.createTaskPushNotificationConfig(configFor(taskId, 'c1', { url: NOWHERE }), options)),
        get: await failure(client.getTaskPushNotificationConfig({ tenant: '', taskId, id: 'c1' }, options)),
      };
    },
  },
  {
    name: 'push delivery, set with the message',
    async run({ client, options, webhook }) {
      const hook = await webhook();
      const taskPushNotificationConfig = { id: 'd1', url: hook.url, token: 'secret-token' };
      await client.sendMessage(say('hello', { configuration: { taskPushNotificationConfig } }), options);
      return told(await hook.first((notice) => stateIn(notice) === 'completed'));
    },
  },
  {
    name: 'push delivery, set while it works',
    async run({ client, options, webhook }) {
      const hook = await webhook();
      let set: Promise<unknown> | undefined;
      const { taskId, last } = await listen(client.sendMessageStream(say('long 8'), options), (event) => {
        if (isUnderWay(event) && 'taskId' in event.value) {
          const config = configFor(event.value.taskId, 'd2', { url: hook.url, token: 'later-token' });
          set ??= client.createTaskPushNotificationConfig(config, options);
        }
        return false;
      });
      await set;
      const notice = await hook.first((one) => stateIn(one) === 'completed');
      assert.equal(taskIn(notice), taskId);
      return { last, ...told(notice) };
    },
  },
];

/** Wherever that version has it: an event of 1.0, a task of 0.3. */
function stateIn({ body }: Notice): string | undefined {
  const status = body.status ?? body.task?.status ?? body.statusUpdate?.status;
  return status?.state?.replace('TASK_STATE_', '').toLowerCase();
}

const taskIn = ({ body }: Notice): unknown =>
  body.kind === 'task' ? body.id : (body.taskId ?? body.task?.id ?? body.statusUpdate?.taskId);

/** The token, and in which words it came. */
function told({ headers, body }: Notice): Record<string, unknown> {
  return { token: headers['x-a2a-notification-token'], words: body.kind ?? Object.keys(body)[0] };
}
