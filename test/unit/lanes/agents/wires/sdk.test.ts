import {
  type AgentCard,
  type Message,
  type Part,
  Role,
  type SendMessageRequest,
  type StreamResponse,
  type Task,
  TaskState,
} from '@a2a-js/sdk';
import { JsonRpcTransportFactory, RestTransportFactory } from '@a2a-js/sdk/client';
import { LegacyJsonRpcTransport, LegacyRestTransport } from '@a2a-js/sdk/compat/v0_3/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { agentError, agentErrorFrom } from '../../../../../src/lanes/agents/wires/agent-errors.ts';
import { requestedVersion } from '../../../../../src/lanes/agents/wires/negotiate.ts';
import { BINDINGS, VERSIONS, type BindingName, type VersionName, type Wire } from '../../../../../src/lanes/agents/wires/wire.ts';
import { wireOf } from '../../../../../src/lanes/agents/wires/wires.ts';
import { startSdkAgent, type SdkAgent } from './sdk-agent.ts';

const HUB = 'http://hub/agent';
type Transport = Awaited<ReturnType<JsonRpcTransportFactory['create']>>;

let agent: SdkAgent;
beforeAll(async () => {
  // The SDK tells every error that it answers with.
  vi.spyOn(console, 'error').mockReturnValue();
  agent = await startSdkAgent();
});
afterAll(() => agent[Symbol.asyncDispose]());

/** The hub's two wires between a client and an agent of the SDK, as a `fetch`. */
function between(caller: Wire, callee: Wire, base: () => string): typeof fetch {
  return async (url, init = {}) => {
    const { pathname, searchParams: query } = new URL(String(url));
    const headers = Object.fromEntries(new Headers(init.headers));
    const body: unknown = init.body === undefined || init.body === null ? undefined : JSON.parse(String(init.body));
    const id = caller.readId(body);
    const json = ({ status, contentType, body }: ReturnType<Wire['writeError']>): Response =>
      new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { 'content-type': contentType } });
    try {
      expect(requestedVersion(headers, query)).toBe(caller.version);
      const call = caller.readRequest({ method: init.method ?? 'GET', path: pathname.slice('/agent'.length), query, body });
      const sending = callee.writeRequest(call.operation, call.params);
      if (sending === undefined) throw agentError('UnsupportedOperation');
      const answer = await fetch(`${base()}${sending.path}`, {
        method: sending.method,
        headers: sending.headers,
        ...(sending.body === undefined ? {} : { body: JSON.stringify(sending.body) }),
      });
      const text = await answer.text();
      if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) {
        return json(
          caller.writeReply(
            call.operation,
            callee.readReply(call.operation, answer.status, text === '' ? undefined : JSON.parse(text)),
            id,
          ),
        );
      }
      const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => callee.readEvent(JSON.parse(data!)));
      const stream = events.map((event) => `data: ${caller.writeEvent(event, id)}\n\n`).join('');
      return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
    } catch (thrown) {
      return json(caller.writeError(agentErrorFrom(thrown), id));
    }
  };
}

/** The client of the official SDK for a version and a binding. */
async function client(version: VersionName, binding: BindingName, fetchImpl: typeof fetch): Promise<Transport> {
  const options = { endpoint: HUB, fetchImpl };
  if (version === '0.3') return binding === 'JSONRPC' ? new LegacyJsonRpcTransport(options) : new LegacyRestTransport(options);
  const factory = binding === 'JSONRPC' ? new JsonRpcTransportFactory({ fetchImpl }) : new RestTransportFactory({ fetchImpl });
  return factory.create(HUB, { supportedInterfaces: [] } as unknown as AgentCard);
}

const part = ($case: 'text' | 'url' | 'data', value: unknown): Part =>
  ({ content: { $case, value }, metadata: undefined, filename: '', mediaType: $case === 'url' ? 'text/csv' : '' }) as Part;
const raw: Part = { content: { $case: 'raw', value: Buffer.from('bytes') }, metadata: undefined, filename: '', mediaType: 'image/png' };

function request(...parts: Part[]): SendMessageRequest {
  const more = { taskId: '', extensions: [], referenceTaskIds: [], metadata: undefined };
  const message: Message = { messageId: crypto.randomUUID(), contextId: 'c', role: Role.ROLE_USER, parts, ...more };
  const configuration = { acceptedOutputModes: ['text/plain'], returnImmediately: false, taskPushNotificationConfig: undefined };
  return { tenant: '', message, configuration, metadata: undefined };
}

const contents = (parts: readonly Part[] | undefined): unknown[] | undefined => parts?.map(({ content }) => content);
const name = (binding: BindingName, version: VersionName): string => `${version} ${binding}`;

const FACES = VERSIONS.flatMap((version) => BINDINGS.map((binding) => ({ version, binding })));
const PAIRS = FACES.flatMap((caller) =>
  FACES.map((callee) => [name(caller.binding, caller.version), name(callee.binding, callee.version), caller, callee] as const),
);

describe.each(PAIRS)('a client of %s and an agent of %s', (_caller, _callee, caller, callee) => {
  const fetchImpl = between(
    wireOf(caller.version, caller.binding),
    wireOf(callee.version, callee.binding),
    () => agent.urls[callee.binding]!,
  );
  const options = caller.version === '1.0' ? { serviceParameters: { 'A2A-Version': '1.0' } } : {};
  const connect = (): Promise<Transport> => client(caller.version, caller.binding, fetchImpl);

  it('exchange all kinds of parts', async () => {
    const transport = await connect();
    const parts = [part('text', 'héllo'), raw, part('url', 'https://example.com/x'), part('data', { a: [1, null] })];
    const task = (await transport.sendMessage(request(...parts), options)) as Task;
    expect(task).toMatchObject({ contextId: 'c', status: { state: TaskState.TASK_STATE_COMPLETED } });
    expect(contents(task.artifacts[0]?.parts)).toEqual(contents(parts));
    expect(task.artifacts[0]?.parts[1]?.mediaType).toBe('image/png');
    expect(await transport.getTask({ tenant: '', id: task.id, historyLength: 0 }, options)).toMatchObject({ id: task.id, history: [] });
  });

  it('exchange messages', async () => {
    const transport = await connect();
    const message = await transport.sendMessage(request(part('text', 'hello')), options);
    expect(message).toMatchObject({ messageId: 'answer', role: Role.ROLE_AGENT, contextId: 'c' });
    expect(contents((message as Message).parts)).toEqual([{ $case: 'text', value: 'hello to you' }]);
  });

  it('stream', async () => {
    const transport = await connect();
    const events: StreamResponse[] = [];
    for await (const event of transport.sendMessageStream(request(part('text', 'go')), options)) events.push(event);
    expect(events.map(({ payload }) => payload?.$case)).toEqual(['task', 'artifactUpdate', 'statusUpdate']);
    expect(events[1]?.payload?.value).toMatchObject({ artifact: { artifactId: 'a', name: 'echo' }, lastChunk: true });
    expect(events[2]?.payload?.value).toMatchObject({ status: { state: TaskState.TASK_STATE_COMPLETED } });
  });

  it('cancel tasks', async () => {
    const transport = await connect();
    const { id, status } = (await transport.sendMessage(request(part('text', 'more')), options)) as Task;
    expect(status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
    const cancelled = await transport.cancelTask({ tenant: '', id, metadata: undefined }, options);
    expect(cancelled).toMatchObject({ id, status: { state: TaskState.TASK_STATE_CANCELED } });
    const done = (await transport.sendMessage(request(part('text', 'go')), options)) as Task;
    const late = transport.cancelTask({ tenant: '', id: done.id, metadata: undefined }, options);
    await expect(late).rejects.toMatchObject({ name: 'TaskNotCancelableError' });
  });

  it('keep push configurations', async () => {
    const transport = await connect();
    const { id: taskId } = (await transport.sendMessage(request(part('text', 'more')), options)) as Task;
    const authentication = { scheme: 'Bearer', credentials: 'secret' };
    const config = { tenant: '', taskId, id: 'config 1', url: 'https://caller.example/hook', token: 'token', authentication };
    expect(await transport.createTaskPushNotificationConfig(config, options)).toMatchObject(config);
    expect(await transport.getTaskPushNotificationConfig({ tenant: '', taskId, id: 'config 1' }, options)).toMatchObject(config);
    const page = { tenant: '', taskId, pageSize: 0, pageToken: '' };
    expect(await transport.listTaskPushNotificationConfig(page, options)).toMatchObject({ configs: [config] });
    await transport.deleteTaskPushNotificationConfig({ tenant: '', taskId, id: 'config 1' }, options);
    expect(await transport.listTaskPushNotificationConfig(page, options)).toMatchObject({ configs: [] });
  });

  it('read the extended card', async () => {
    const card = await (await connect()).getExtendedAgentCard({ tenant: '' }, options);
    expect(card).toMatchObject({ name: 'Echo', capabilities: { streaming: true }, skills: [{ id: 's' }] });
    expect(card.securitySchemes['key']?.scheme).toMatchObject({
      $case: 'apiKeySecurityScheme',
      value: { name: 'x-key', location: 'header' },
    });
    expect(card.securityRequirements).toEqual([{ schemes: { key: { list: [] } } }]);
  });

  it('know errors by their names', async () => {
    const transport = await connect();
    const get = transport.getTask({ tenant: '', id: 'none' }, options);
    await expect(get).rejects.toMatchObject({ name: 'TaskNotFoundError', message: expect.stringContaining('none') });
    const stream = transport.resubscribeTask({ tenant: '', id: 'none' }, options);
    await expect(stream.next()).rejects.toMatchObject({ name: 'TaskNotFoundError' });
    const nothing = transport.sendMessage(request(), options);
    await expect(nothing).rejects.toMatchObject({ name: 'RequestMalformedError', message: expect.stringContaining('message.parts') });
  });
});

describe.each(BINDINGS)('1.0 %s to both ends', (binding) => {
  it('lists tasks, and keeps what only 1.0 knows', async () => {
    const fetchImpl = between(wireOf('1.0', binding), wireOf('1.0', binding), () => agent.urls[binding]!);
    const transport = await client('1.0', binding, fetchImpl);
    const options = { serviceParameters: { 'A2A-Version': '1.0' } };
    const named: Part = { ...part('text', 'x'), filename: 'x.md', mediaType: 'text/plain', metadata: { a: 1 } };
    const task = (await transport.sendMessage(request(named, part('data', 'no object')), options)) as Task;
    expect(task.artifacts[0]?.parts).toMatchObject([named, { content: { $case: 'data', value: 'no object' } }]);
    const query: JsonObject = { contextId: 'c', pageSize: 100, includeArtifacts: true };
    const { tasks } = await transport.listTasks({ tenant: '', status: 0, pageToken: '', historyLength: 1, ...query } as never, options);
    expect(tasks.map(({ id }) => id)).toContain(task.id);
  });
});
