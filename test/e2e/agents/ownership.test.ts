import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consumer } from '../traffic/_limits.ts';
import { artifactsOf, bare, listen, NOW, request, rpc, saying, sayingLegacy, type Stage, startStage, type Told } from './_stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({
    agents: [{}, { version: '0.3' }],
    config: (modern, legacy) => ({
      agents: { modern: { card: modern.url }, legacy: { card: legacy.url } },
      consumers: [consumer('alice'), consumer('bob')],
    }),
  });
});
afterAll(() => stage?.stop());

describe.each(['modern', 'legacy'] as const)('a task of %s', (name) => {
  const agent = () => stage.agents[name === 'modern' ? 0 : 1]!;
  const begin = async (text = 'hold on'): Promise<{ id: string; contextId: string }> =>
    (await rpc(stage.hub, name, 'SendMessage', saying(text, {}, NOW), { as: 'alice' })).result.task;
  const asks = (id: string, as: string): Promise<Told>[] => [
    rpc(stage.hub, name, 'GetTask', { id }, { as }),
    rpc(stage.hub, name, 'CancelTask', { id }, { as }),
    rpc(stage.hub, name, 'SubscribeToTask', { id }, { as }),
    rpc(stage.hub, name, 'CreateTaskPushNotificationConfig', { taskId: id, url: 'https://a.example' }, { as }),
    rpc(stage.hub, name, 'ListTaskPushNotificationConfigs', { taskId: id }, { as }),
    rpc(stage.hub, name, 'DeleteTaskPushNotificationConfig', { taskId: id, id: 'c' }, { as }),
    rpc(stage.hub, name, 'SendMessage', saying('more', { taskId: id, messageId: 'm' }), { as }),
    rpc(stage.hub, name, 'SendStreamingMessage', saying('more', { taskId: id, messageId: 'm' }), { as }),
    rpc(stage.hub, name, 'tasks/get', { id }, { as, version: '0.3' }),
    rpc(stage.hub, name, 'message/send', sayingLegacy('more', { taskId: id, messageId: 'm' }), { as, version: '0.3' }),
    request(stage.hub, 'GET', `/a2a/${name}/tasks/${id}`, { as }),
    request(stage.hub, 'POST', `/a2a/${name}/tasks/${id}:cancel`, { as }, {}),
    request(stage.hub, 'GET', `/a2a/${name}/v1/tasks/${id}`, { as, version: '0.3' }),
  ];

  it('is not there for others, byte for byte, and the agent is not asked', async () => {
    const { id } = await begin();
    const before = agent().heard.length;
    const unknown = 'task-00000000-0000-0000-0000-000000000000';
    const [foreign, none] = await Promise.all([Promise.all(asks(id, 'bob')), Promise.all(asks(unknown, 'bob'))]);
    const masked = (told: Told, task: string): object => ({ ...bare(told), text: told.text.replaceAll(task, 'TASK') });
    expect(foreign.map((told) => masked(told, id))).toEqual(none.map((told) => masked(told, unknown)));
    expect(agent().heard.length).toBe(before);
    for (const { error, body } of foreign) expect([-32001, 404]).toContain(error?.code ?? body.code);
    const own = await rpc(stage.hub, name, 'GetTask', { id }, { as: 'alice' });
    expect(own.result.status.state).toBe('TASK_STATE_WORKING');
    agent().finish(id);
  });

  it('has a conversation that is not there for others either', async () => {
    const { contextId } = await begin('hello');
    const before = agent().heard.length;
    const foreign = await rpc(stage.hub, name, 'SendMessage', saying('hello', { contextId }), { as: 'bob' });
    expect(foreign.error).toMatchObject({ code: -32602, message: expect.stringContaining('contextId') });
    expect(agent().heard.length).toBe(before);
    const own = await rpc(stage.hub, name, 'SendMessage', saying('again', { contextId }), { as: 'alice' });
    expect(own.result.task.contextId).toBe(contextId);
    const free = await rpc(stage.hub, name, 'SendMessage', saying('hello', { contextId: `of-bob-${name}` }), { as: 'bob' });
    expect(free.result.task.contextId).toBe(`of-bob-${name}`);
  });

  it('is subscribed to, cancelled and gone on with by its owner', async () => {
    const { id } = await begin();
    const stream = await listen(stage.hub, name, 'SubscribeToTask', { id }, { as: 'alice' });
    expect(await stream.until((event) => event['task'] !== undefined)).toMatchObject({ task: { id } });
    const cancelled = await rpc(stage.hub, name, 'CancelTask', { id }, { as: 'alice' });
    expect(cancelled.result.status.state).toBe('TASK_STATE_CANCELED');
    await stream.until((event) => event['statusUpdate'] !== undefined);
    const asked = await begin('ask me');
    expect(asked).toMatchObject({ status: { state: 'TASK_STATE_INPUT_REQUIRED' } });
    const more = await rpc(stage.hub, name, 'SendMessage', saying('here', { taskId: asked.id, contextId: asked.contextId }), {
      as: 'alice',
    });
    expect(more.result.task).toMatchObject({ id: asked.id, status: { state: 'TASK_STATE_COMPLETED' } });
  });

  it('outlives a hub that is killed, for its owner alone', async () => {
    const opened = await listen(stage.hub, name, 'SendStreamingMessage', saying('hold on'), { as: 'alice' });
    const { task } = (await opened.until((event) => event['task'] !== undefined)) as { task: { id: string } };
    const { id } = task;
    await stage.hub.kill('SIGKILL');
    await opened.ended;
    await stage.hub.restart();
    expect((await rpc(stage.hub, name, 'GetTask', { id }, { as: 'bob' })).error.code).toBe(-32001);
    const stream = await listen(stage.hub, name, 'SubscribeToTask', { id }, { as: 'alice' });
    await stream.until((event) => event['task'] !== undefined);
    await expect.poll(() => agent().watchers(id)).toBe(1);
    agent().finish(id);
    expect(await stream.until((event) => event['statusUpdate'] !== undefined)).toMatchObject({
      statusUpdate: { taskId: id, status: { state: 'TASK_STATE_COMPLETED' } },
    });
    await stream.ended;
  });
});

it('a list has pages of one’s own tasks, newest first', async () => {
  const { hub } = stage;
  const contextId = 'of-bob-for-lists';
  const ids: string[] = [];
  for (const text of ['one', 'two', 'three', 'four', 'five'])
    ids.push((await rpc(hub, 'modern', 'SendMessage', saying(text, { contextId }), { as: 'bob' })).result.task.id);
  const page = (pageToken?: string): Promise<Told> =>
    rpc(
      hub,
      'modern',
      'ListTasks',
      { contextId, pageSize: 2, includeArtifacts: true, ...(pageToken !== undefined && { pageToken }) },
      { as: 'bob' },
    );
  const seen: string[] = [];
  let token: string | undefined;
  for (let pages = 1; pages <= 3; pages++) {
    const { result } = await page(token);
    expect(result).toMatchObject({ pageSize: 2, totalSize: 5 });
    seen.push(...result.tasks.map(({ id }: { id: string }) => id));
    token = result.nextPageToken;
    expect(token === '').toBe(pages === 3);
  }
  expect(seen).toEqual(ids.toReversed());
  const first = await page();
  expect(artifactsOf(first.result.tasks[0])).toBe('five');
  const alice = await rpc(hub, 'modern', 'ListTasks', { contextId }, { as: 'alice' });
  expect(alice.result.tasks).toEqual([]);
  const all = await rpc(hub, 'modern', 'ListTasks', { pageSize: 100 }, { as: 'alice' });
  expect(all.result.tasks.some(({ id }: { id: string }) => ids.includes(id))).toBe(false);
  // An agent of 0.3 knows no lists: the hub knows what it has seen.
  const legacy = await rpc(hub, 'legacy', 'ListTasks', {}, { as: 'bob' });
  expect(legacy.result.tasks.length).toBeGreaterThan(0);
});

describe('who leaves', () => {
  it('during a stream cancels nothing, and closes the stream to the agent', async () => {
    const { hub, agents } = stage;
    const stream = await listen(hub, 'modern', 'SendStreamingMessage', saying('hold on'), { as: 'alice' });
    const { task } = (await stream.until((event) => event['task'] !== undefined)) as { task: { id: string } };
    await expect.poll(() => agents[0]!.watchers(task.id)).toBe(1);
    stream.leave();
    await expect.poll(() => agents[0]!.watchers(task.id)).toBe(0);
    expect(agents[0]!.heard.filter(({ method, params }) => /cancel/i.test(method) && params.id === task.id)).toEqual([]);
    const now = await rpc(hub, 'modern', 'GetTask', { id: task.id }, { as: 'alice' });
    expect(now.result.status.state).toBe('TASK_STATE_WORKING');
    const again = await listen(hub, 'modern', 'SubscribeToTask', { id: task.id }, { as: 'alice' });
    await expect.poll(() => agents[0]!.watchers(task.id)).toBe(1);
    agents[0]!.finish(task.id);
    await again.until((event) => event['statusUpdate'] !== undefined);
  });

  it('before the answer of a message finds its task in the list', async () => {
    const { hub, agents } = stage;
    const contextId = 'of-one-who-left';
    const leaving = new AbortController();
    const sent = rpc(hub, 'modern', 'SendMessage', saying('hold on', { contextId }), { as: 'alice', signal: leaving.signal });
    const mine = () => agents[0]!.heard.find(({ params }) => params.message?.contextId === contextId);
    await expect.poll(mine).toBeDefined();
    leaving.abort();
    await expect(sent).rejects.toThrow('abort');
    const listed = async () => (await rpc(hub, 'modern', 'ListTasks', { contextId }, { as: 'alice' })).result.tasks;
    expect(await listed()).toEqual([]);
    // The agent answers a while after the caller is gone.
    agents[0]!.finishAll();
    await expect.poll(listed).toMatchObject([{ contextId, status: { state: 'TASK_STATE_COMPLETED' } }]);
  });
});
