import { ListTaskPushNotificationConfigsRequest, ListTasksRequest, TaskPushNotificationConfig } from '@a2a-js/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, startHub } from '../../../support/start-hub.ts';
import { connect, type Peer } from './client.ts';
import { answerOf, failure, type Heard, isUnderWay, listen, say, stateOf, taskOf, textOf } from './conversation.ts';
import { type FixtureAgent, startFixtureAgent } from './fixture-agent.ts';
import { APPLICATION_KEY, applicationAgents, type HttpApplication, startHttpApplication } from './http-application.ts';
import { consumerOf } from './stage.ts';
import { startWebhook, type Webhook } from './webhook.ts';

/** Long enough for a hub to be killed and started meanwhile. */
const TICK_MS = 400;
const CHUNKS = 12;
const WHOLE = Array.from({ length: CHUNKS }, (_, i) => `chunk ${i + 1} of ${CHUNKS}\n`).join('');
/** Ticks of the application, which are shorter. */
const JOB = 40;

const named = (id: string) => ({ id, tenant: '', metadata: {} });

describe('the hub is killed (-9) and started while agents work', () => {
  let agent: FixtureAgent;
  let application: HttpApplication;
  let hub: Hub;
  let hook: Webhook;
  let alice: Peer;
  let bob: Peer;
  let old: Peer;
  let worker: Peer;
  let writer: Peer;
  let before: Heard;
  let job: Heard;
  let rest: Promise<Heard>;
  let answering: Heard;
  let asked: { readonly id: string; readonly contextId: string };
  let lost: string;

  beforeAll(async () => {
    agent = await startFixtureAgent({ versions: ['1.0', '0.3'], bindings: ['JSONRPC', 'HTTP+JSON'], tickMs: TICK_MS });
    application = await startHttpApplication();
    hook = await startWebhook();
    const consumers = { alice: consumerOf('alice'), bob: consumerOf('bob') };
    hub = await startHub({
      files: {
        'hubgate.yaml': JSON.stringify({
          egress: { allow: ['127.0.0.0/8'] },
          agents: { fixture: { card: agent.url }, ...applicationAgents(application) },
          consumers: [consumers.alice.entry, consumers.bob.entry],
        }),
      },
      env: { APPLICATION_KEY },
    });
    const doorOf = (name: string, who: 'alice' | 'bob') => ({
      base: `${hub.url}/a2a/${name}`,
      authorization: `Bearer ${consumers[who].key}`,
    });
    alice = await connect(doorOf('fixture', 'alice'), { version: '1.0', binding: 'JSONRPC' });
    old = await connect(doorOf('fixture', 'alice'), { version: '0.3', binding: 'HTTP+JSON' });
    bob = await connect(doorOf('fixture', 'bob'), { version: '1.0', binding: 'HTTP+JSON' });
    worker = await connect(doorOf('app-polled', 'alice'), { version: '1.0', binding: 'JSONRPC' });
    writer = await connect(doorOf('app-streamed', 'alice'), { version: '1.0', binding: 'HTTP+JSON' });

    asked = taskOf(await alice.client.sendMessage(say('input'), alice.options));
    job = await listen(worker.client.sendMessageStream(say(`long ${JOB}`), worker.options), isUnderWay);
    answering = await listen(writer.client.sendMessageStream(say(`long ${JOB}`), writer.options), isUnderWay);
    // The one that is heard when the hub dies.
    const stream = alice.client.sendMessageStream(say(`long ${CHUNKS}`), alice.options);
    before = await listen(stream, ({ $case }) => $case === 'artifactUpdate');
    const set = TaskPushNotificationConfig.fromJSON({ taskId: before.taskId, id: 'c1', url: hook.url, token: 'kept-token' });
    await alice.client.createTaskPushNotificationConfig(set, alice.options);
    const heard = failure(alice.client.resubscribeTask({ id: before.taskId, tenant: '' }, alice.options));
    expect(await hub.kill('SIGKILL')).toBeNull();
    lost = await heard;
    await hub.restart();
    rest = listen(worker.client.resubscribeTask({ id: job.taskId, tenant: '' }, worker.options));
    // It is waited for in a test of its own.
    rest.catch(() => undefined);
  });

  afterAll(async () => {
    await hub?.stop();
    await agent?.kill();
    application?.close();
    hook?.close();
  });

  it('is subscribed to again, and gives what there is and the rest', async () => {
    expect(lost).not.toBe('no error');
    const both = await Promise.all(
      [alice, old].map(({ client, options }) => listen(client.resubscribeTask({ id: before.taskId, tenant: '' }, options))),
    );
    for (const { kinds, task, chunks, last } of both) {
      expect(kinds[0]).toBe('task');
      const already = answerOf(task!);
      expect(already).toContain(before.chunks[0]);
      expect(chunks.length).toBeGreaterThan(0);
      expect(already + chunks.join('')).toBe(WHOLE);
      expect(last).toBe('completed');
    }
    const { tasks } = await alice.client.listTasks(ListTasksRequest.fromJSON({ contextId: before.contextId }), alice.options);
    expect(tasks.map(({ id }) => id)).toEqual([before.taskId]);
  });

  it('is still nobody else’s', async () => {
    const { client, options } = bob;
    const asks = [
      client.getTask(named(before.taskId), options),
      client.cancelTask(named(before.taskId), options),
      client.resubscribeTask({ id: before.taskId, tenant: '' }, options),
      client.sendMessage(say('hello', { message: { taskId: asked.id, contextId: asked.contextId } }), options),
      client.getTaskPushNotificationConfig({ tenant: '', taskId: before.taskId, id: 'c1' }, options),
    ];
    expect(await Promise.all(asks.map(failure))).toEqual(asks.map(() => 'TaskNotFoundError'));
    const { tasks } = await client.listTasks(ListTasksRequest.fromJSON({}), options);
    expect(tasks).toEqual([]);
  });

  it('still notifies the address that was set', async () => {
    const notice = await hook.first(({ body }) => body.statusUpdate?.status.state === 'TASK_STATE_COMPLETED');
    expect(notice.headers['x-a2a-notification-token']).toBe('kept-token');
    expect(notice.body.statusUpdate.taskId).toBe(before.taskId);
    const request = ListTaskPushNotificationConfigsRequest.fromJSON({ taskId: before.taskId });
    const { configs } = await alice.client.listTaskPushNotificationConfig(request, alice.options);
    expect(configs.map(({ id, url }) => ({ id, url }))).toEqual([{ id: 'c1', url: hook.url }]);
  });

  it('lets a conversation go on where it was', async () => {
    const more = say('more', { message: { taskId: asked.id, contextId: asked.contextId } });
    const task = taskOf(await alice.client.sendMessage(more, alice.options));
    expect({ same: task.id === asked.id, state: stateOf(task), answer: answerOf(task) }).toEqual({
      same: true,
      state: 'completed',
      answer: 'You said: more',
    });
  });

  it('a job of an HTTP application is asked about again', async () => {
    const { chunks, last } = await rest;
    expect(last).toBe('completed');
    expect(chunks.join('')).toMatch(new RegExp(`^chunk 1 of ${JOB}\n.*chunk ${JOB} of ${JOB}\n$`, 's'));
  });

  it('an answer of an HTTP application that was on its way is lost, and its task says so', async () => {
    const task = await writer.client.getTask(named(answering.taskId), writer.options);
    expect(stateOf(task)).toBe('failed');
    expect(textOf(task.status?.message?.parts)).not.toBe('');
  });
});
