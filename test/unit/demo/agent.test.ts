import {
  AgentCard,
  CancelTaskRequest,
  GetTaskRequest,
  ListTasksRequest,
  SendMessageRequest,
  SubscribeToTaskRequest,
  TaskState,
  type StreamResponse,
  type Task,
} from '@a2a-js/sdk';
import { ClientFactory, ClientFactoryOptions, JsonRpcTransportFactory, RestTransportFactory, type Client } from '@a2a-js/sdk/client';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { UpstreamRequest, UpstreamResponse, UpstreamStream } from '../../../src/core/upstream.ts';
import { createDemoAgent } from '../../../src/demo/agent.ts';

type Agent = (request: UpstreamRequest) => Promise<UpstreamResponse | UpstreamStream>;

const V1 = { 'a2a-version': '1.0' };

function requestOf(method: string, path: string, headers: Readonly<Record<string, string>>, body?: string): UpstreamRequest {
  return { method, origin: 'demo:echo', path, headers, trust: 'operator', ...(body !== undefined && { body }) };
}

async function ask(agent: Agent, method: string, path: string, body?: object | string, headers: Readonly<Record<string, string>> = V1) {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await agent(requestOf(method, path, headers, text));
  const pieces: Buffer[] = [];
  if (Buffer.isBuffer(answer.body)) pieces.push(answer.body);
  else for await (const piece of answer.body) pieces.push(piece);
  const whole = Buffer.concat(pieces).toString();
  return { status: answer.status, headers: answer.headers, text: whole, json: () => JSON.parse(whole) as JsonObject };
}

function rpc(agent: Agent, method: string, params: object = {}, headers: Readonly<Record<string, string>> = V1) {
  return ask(agent, 'POST', '/', { jsonrpc: '2.0', id: 7, method, params }, headers);
}

const message = (text: string, more: object = {}) => ({ messageId: 'm1', role: 'ROLE_USER', parts: [{ text }], ...more });
const taskOf = (answer: { json(): JsonObject }) =>
  (answer.json()['result'] as { task: JsonObject & { id: string; contextId: string } }).task;
const stateOf = (task: JsonObject) => (task['status'] as JsonObject)['state'];

/** The official client over a binding, its requests answered inside the process. */
async function clientOf(agent: Agent, binding: string): Promise<Client> {
  const fetchImpl: typeof fetch = async (input, init = {}) => {
    const url = new Request('http://unused/', init);
    const path = String(input).slice('demo:echo'.length);
    const body = init.body === undefined || init.body === null ? undefined : await url.text();
    const answer = await agent(requestOf(url.method, path, Object.fromEntries(url.headers), body));
    const whole = Buffer.isBuffer(answer.body) ? Uint8Array.from(answer.body) : ReadableStream.from(answer.body);
    return new Response(whole, { status: answer.status, headers: answer.headers as Record<string, string> });
  };
  const factory = new ClientFactory(
    ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
      transports: [new JsonRpcTransportFactory({ fetchImpl }), new RestTransportFactory({ fetchImpl })],
      preferredTransports: [binding],
    }),
  );
  const card = AgentCard.fromJSON((await ask(agent, 'GET', '/.well-known/agent-card.json')).json());
  return factory.createFromAgentCard({
    ...card,
    supportedInterfaces: card.supportedInterfaces.filter((one) => one.protocolBinding === binding),
  });
}

const sending = (text: string, more: object = {}) =>
  SendMessageRequest.fromJSON({ message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }], ...more } });
const textsOf = (task: Task) =>
  task.artifacts
    .flatMap(({ parts }) => parts)
    .map(({ content }) => (content?.$case === 'text' ? content.value : ''))
    .join('');

describe.each(['JSONRPC', 'HTTP+JSON'])('the demo agent, asked by the official client over %s', (binding) => {
  it('repeats what it is told', async () => {
    const client = await clientOf(createDemoAgent(), binding);
    const task = (await client.sendMessage(sending('Hello'))) as Task;
    expect(task.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(textsOf(task)).toBe('You said: Hello');
    const again = await client.getTask(GetTaskRequest.fromJSON({ id: task.id, historyLength: 1 }));
    expect(again).toMatchObject({ id: task.id, contextId: task.contextId, history: [{ role: 1 }] });
    const { tasks } = await client.listTasks(
      ListTasksRequest.fromJSON({ contextId: task.contextId, pageSize: 10, includeArtifacts: true }),
    );
    expect(tasks.map((one) => [one.id, textsOf(one)])).toEqual([[task.id, 'You said: Hello']]);
  });

  it('counts a number at a time', async () => {
    const client = await clientOf(createDemoAgent({ paceMs: 1 }), binding);
    const kinds: string[] = [];
    for await (const { payload } of client.sendMessageStream(sending('count to 3'))) kinds.push(payload?.$case ?? '');
    expect(kinds).toEqual(['task', 'statusUpdate', 'artifactUpdate', 'artifactUpdate', 'artifactUpdate', 'statusUpdate']);
  });

  it('asks how far, and goes on with the answer', async () => {
    const client = await clientOf(createDemoAgent({ paceMs: 1 }), binding);
    const first = (await client.sendMessage(sending('count'))) as Task;
    expect(first.status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
    const second = (await client.sendMessage(sending('2', { taskId: first.id, contextId: first.contextId }))) as Task;
    expect([second.id, second.status?.state, textsOf(second)]).toEqual([first.id, TaskState.TASK_STATE_COMPLETED, '1\n2\n']);
  });

  it('goes on when its reader leaves, takes it back, and stops when asked', async () => {
    const client = await clientOf(createDemoAgent({ paceMs: 10 }), binding);
    let id = '';
    for await (const { payload } of client.sendMessageStream(sending('count to 20'))) {
      if (payload?.$case === 'task') id = payload.value.id;
      if (payload?.$case === 'artifactUpdate') break;
    }
    const seen: StreamResponse['payload'][] = [];
    for await (const { payload } of client.resubscribeTask(SubscribeToTaskRequest.fromJSON({ id }))) {
      seen.push(payload);
      if (seen.length === 2)
        expect((await client.cancelTask(CancelTaskRequest.fromJSON({ id }))).status?.state).toBe(TaskState.TASK_STATE_CANCELED);
    }
    expect(seen[0]).toMatchObject({ $case: 'task', value: { id } });
    expect(seen.at(-1)).toMatchObject({ $case: 'statusUpdate', value: { status: { state: TaskState.TASK_STATE_CANCELED } } });
    await expect(client.cancelTask(CancelTaskRequest.fromJSON({ id }))).rejects.toMatchObject({
      name: expect.stringContaining('TaskNotCancelable'),
    });
    await expect(client.getTask(GetTaskRequest.fromJSON({ id: 'none' }))).rejects.toMatchObject({
      name: expect.stringContaining('TaskNotFound'),
    });
  });
});

describe('the demo agent', () => {
  it('gives its card once for each ETag, whatever version is asked for', async () => {
    const agent = createDemoAgent();
    const card = await ask(agent, 'GET', '/.well-known/agent-card.json', undefined, {});
    expect(card.json()).toMatchObject({
      supportedInterfaces: [{ url: 'demo:echo/', protocolVersion: '1.0' }, {}],
      skills: [{ id: 'echo' }, { id: 'count' }],
    });
    const again = await ask(agent, 'GET', '/.well-known/agent-card.json', undefined, { 'if-none-match': card.headers['etag'] as string });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it.each([
    ['GetTask', { id: 'x' }, -32001, 404, 'TASK_NOT_FOUND', ['GET', '/tasks/x']],
    ['CancelTask', { id: 'x' }, -32001, 404, 'TASK_NOT_FOUND', ['POST', '/tasks/x:cancel']],
    ['SubscribeToTask', { id: 'x' }, -32001, 404, 'TASK_NOT_FOUND', ['POST', '/tasks/x:subscribe']],
    [
      'CreateTaskPushNotificationConfig',
      { taskId: 'x', url: 'http://127.0.0.1:9/' },
      -32003,
      400,
      'PUSH_NOTIFICATION_NOT_SUPPORTED',
      ['POST', '/tasks/x/pushNotificationConfigs'],
    ],
    [
      'DeleteTaskPushNotificationConfig',
      { taskId: 'x', id: 'y' },
      -32003,
      400,
      'PUSH_NOTIFICATION_NOT_SUPPORTED',
      ['DELETE', '/tasks/x/pushNotificationConfigs/y'],
    ],
    ['GetExtendedAgentCard', {}, -32004, 400, 'UNSUPPORTED_OPERATION', ['GET', '/extendedAgentCard']],
    ['SendMessage', {}, -32602, 400, 'INVALID_PARAMS', ['POST', '/message:send']],
    ['SendMessage', { message: message('x', { metadata: { skill: 'fly' } }) }, -32602, 400, 'INVALID_PARAMS', ['POST', '/message:send']],
    ['SendStreamingMessage', { message: message('x', { taskId: 'none' }) }, -32001, 404, 'TASK_NOT_FOUND', ['POST', '/message:stream']],
    [
      'SendMessage',
      { message: message('', { parts: [{ url: 'https://example.com/a.png' }] }) },
      -32005,
      400,
      'CONTENT_TYPE_NOT_SUPPORTED',
      ['POST', '/message:send'],
    ],
    ['ListTasks', { pageSize: 0 }, -32602, 400, 'INVALID_PARAMS', ['GET', '/tasks?pageSize=0']],
  ] as const)('answers %s %j with %i and HTTP %i', async (method, params, code, status, reason, [verb, path]) => {
    const agent = createDemoAgent();
    const overRpc = await rpc(agent, method, params);
    expect(overRpc.json()).toMatchObject({ id: 7, error: { code, data: [{ reason, domain: 'a2a-protocol.org' }] } });
    const overRest = await ask(agent, verb, path, verb === 'POST' ? params : undefined);
    expect([overRest.status, overRest.json()]).toMatchObject([status, { error: { code: status, details: [{ reason }] } }]);
  });

  it('says what is no request, no method, no address and no version of its own', async () => {
    const agent = createDemoAgent();
    const errorOf = async (answer: Promise<{ json(): JsonObject }>) => ((await answer).json()['error'] as JsonObject)['code'];
    expect(await errorOf(ask(agent, 'POST', '/', '{'))).toBe(-32700);
    expect(await errorOf(ask(agent, 'POST', '/', '[]'))).toBe(-32600);
    expect(await errorOf(ask(agent, 'POST', '/', { jsonrpc: '1.0', method: 'GetTask' }))).toBe(-32600);
    expect(await errorOf(rpc(agent, 'constructor'))).toBe(-32601);
    expect(await errorOf(ask(agent, 'POST', '/', { jsonrpc: '2.0', method: 'GetTask', params: [] }))).toBe(-32602);
    expect(await errorOf(ask(agent, 'GET', '/nowhere'))).toBe(404);
    expect(await errorOf(rpc(agent, 'ListTasks', {}, {}))).toBe(-32009);
    expect(await errorOf(rpc(agent, 'ListTasks', {}, { 'a2a-version': '0.3' }))).toBe(-32009);
    expect((await ask(agent, 'GET', '/tasks?A2A-Version=1.0', undefined, {})).status).toBe(200);
  });

  it('answers at once when asked to, and takes no message for a task that is at work or has ended', async () => {
    const agent = createDemoAgent({ paceMs: 60_000 });
    const working = taskOf(await rpc(agent, 'SendMessage', { message: message('count to 2'), configuration: { returnImmediately: true } }));
    expect(stateOf(working)).toBe('TASK_STATE_WORKING');
    expect((await rpc(agent, 'SendMessage', { message: message('3', { taskId: working.id }) })).json()).toMatchObject({
      error: { code: -32004 },
    });
    expect((await rpc(agent, 'CancelTask', { id: working.id })).json()).toMatchObject({
      result: { status: { state: 'TASK_STATE_CANCELED' } },
    });
    expect((await rpc(agent, 'SubscribeToTask', { id: working.id })).json()).toMatchObject({ error: { code: -32004 } });
  });

  it('keeps a task to its context, and cancels one that waits for its caller', async () => {
    const agent = createDemoAgent();
    const { id } = taskOf(await rpc(agent, 'SendMessage', { message: message('count to 99') }));
    expect((await rpc(agent, 'SendMessage', { message: message('3', { taskId: id, contextId: 'other' }) })).json()).toMatchObject({
      error: { code: -32602 },
    });
    expect((await rpc(agent, 'CancelTask', { id })).json()).toMatchObject({ result: { status: { state: 'TASK_STATE_CANCELED' } } });
  });

  it('lets a reader go that waits for a task where nothing happens', async () => {
    const agent = createDemoAgent();
    const { id } = taskOf(await rpc(agent, 'SendMessage', { message: message('count') }));
    const answer = await agent(requestOf('POST', `/tasks/${id}:subscribe`, V1));
    const reader = (answer as UpstreamStream).body[Symbol.asyncIterator]();
    await reader.next();
    const waiting = reader.next();
    await reader.return?.();
    expect(await waiting).toMatchObject({ done: true });
  });

  it('repeats data as it is, and chooses the skill that the message names', async () => {
    const agent = createDemoAgent();
    const data = { a: [1, { b: null }] };
    const task = taskOf(await rpc(agent, 'SendMessage', { message: message('', { parts: [{ data }] }) }));
    expect(task['artifacts']).toMatchObject([{ parts: [{ data }] }]);
    const named = taskOf(await rpc(agent, 'SendMessage', { message: message('count to 3', { metadata: { skill: 'echo' } }) }));
    expect(named['artifacts']).toMatchObject([{ parts: [{ text: 'You said: count to 3' }] }]);
  });

  it('lists in pages, the latest change first, and forgets the oldest task', async () => {
    const agent = createDemoAgent();
    const first = taskOf(await rpc(agent, 'SendMessage', { message: message('first') }));
    const context = { contextId: 'many' };
    for (let n = 0; n < 999; n += 1) await rpc(agent, 'SendMessage', { message: message('x', context) });
    const page = async (params: object) => (await rpc(agent, 'ListTasks', params)).json()['result'] as JsonObject & { tasks: JsonObject[] };
    expect(await page({})).toMatchObject({ totalSize: 1_000, pageSize: 50, nextPageToken: '50' });
    expect(await page({ ...context, pageSize: 100, pageToken: '900' })).toMatchObject({
      totalSize: 999,
      nextPageToken: '',
      tasks: { length: 99 },
    });
    expect(await page({ status: 'TASK_STATE_FAILED' })).toMatchObject({ totalSize: 0, tasks: [] });
    expect((await page({ pageSize: 1 })).tasks[0]).not.toHaveProperty('artifacts');
    await rpc(agent, 'SendMessage', { message: message('one more') });
    expect((await rpc(agent, 'GetTask', { id: first.id })).json()).toMatchObject({ error: { code: -32001 } });
  });
});
