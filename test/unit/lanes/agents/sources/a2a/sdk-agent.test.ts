import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentCard, Role, TaskState, type Message, type Part } from '@a2a-js/sdk';
import { duplicateInterfacesForLegacy } from '@a2a-js/sdk/compat/v0_3';
import {
  AgentEvent,
  DefaultRequestHandler,
  InMemoryTaskStore,
  type AgentExecutor,
  type ExecutionEventBus,
  type RequestContext,
} from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express';
import express from 'express';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { isObject, type JsonObject } from '../../../../../../src/core/json.ts';
import { BINDINGS, VERSIONS, type BindingName, type VersionName } from '../../../../../../src/lanes/agents/wires/wire.ts';
import { ask, events, reply, sourceOf, stream } from './an-agent.ts';

// The SDK writes what it answers with errors to the console.
beforeAll(() => void vi.spyOn(console, 'error').mockImplementation(() => {}));

/** Echoes; `wait` works until it is canceled, `message` has no task. */
class Echo implements AgentExecutor {
  readonly #canceled = new Map<string, () => void>();

  async execute({ userMessage, taskId, contextId }: RequestContext, bus: ExecutionEventBus): Promise<void> {
    const text = userMessage.parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join('');
    const part: Part = { content: { $case: 'text', value: `You said: ${text}` }, metadata: undefined, filename: '', mediaType: '' };
    if (text === 'message') return bus.publish(AgentEvent.message({ role: Role.ROLE_AGENT, messageId: 'r1', parts: [part], taskId: '', contextId, extensions: [], metadata: {}, referenceTaskIds: [] } as Message)); // prettier-ignore
    const status = (state: TaskState) => ({ state, timestamp: new Date(0).toISOString(), message: undefined });
    const update = (state: TaskState): void =>
      bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: status(state), metadata: {} }));
    bus.publish(
      AgentEvent.task({
        id: taskId,
        contextId,
        status: status(TaskState.TASK_STATE_SUBMITTED),
        artifacts: [],
        history: [userMessage],
        metadata: {},
      }),
    );
    update(TaskState.TASK_STATE_WORKING);
    if (text === 'wait') {
      await new Promise<void>((resolve) => void this.#canceled.set(taskId, resolve));
      return update(TaskState.TASK_STATE_CANCELED);
    }
    const artifact = { artifactId: 'a1', name: 'echo', description: '', parts: [part], metadata: {}, extensions: [] };
    bus.publish(AgentEvent.artifactUpdate({ taskId, contextId, append: false, lastChunk: true, metadata: {}, artifact }));
    return update(TaskState.TASK_STATE_COMPLETED);
  }

  cancelTask = async (taskId: string): Promise<void> => this.#canceled.get(taskId)?.();
}

/** The official SDK's own agent, which offers one version in one binding. */
async function sdkAgent(version: VersionName, binding: BindingName): Promise<string> {
  const app = express();
  const server = createServer(app);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${origin}/${binding === 'JSONRPC' ? 'rpc' : 'rest'}`;
  const offered = [{ url, protocolBinding: binding, tenant: '', protocolVersion: '1.0' }];
  const legacy = version === '0.3';
  const card = AgentCard.fromJSON({
    name: 'Echo',
    description: 'Echoes',
    version: '1',
    capabilities: { streaming: true, extendedAgentCard: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [{ id: 'echo', name: 'Echo', description: 'Echoes', tags: ['t'] }],
    supportedInterfaces: [],
  });
  card.supportedInterfaces = legacy
    ? duplicateInterfacesForLegacy(offered, [binding]).filter((one) => one.protocolVersion.startsWith('0.3'))
    : offered;
  const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), new Echo(), undefined, undefined, undefined, async () => ({
    ...card,
    name: 'Echo extended',
  }));
  const legacyCompat = { enabled: legacy };
  const userBuilder = UserBuilder.noAuthentication;
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: handler, legacyCompat }));
  app.use('/rpc', jsonRpcHandler({ requestHandler: handler, userBuilder, legacyCompat }));
  app.use('/rest', restHandler({ requestHandler: handler, userBuilder, legacyCompat }));
  return origin;
}

const say = (text: string): JsonObject => ({ message: { messageId: `m-${text}`, role: 'ROLE_USER', parts: [{ text }] } });
const kinds = (list: readonly JsonObject[]): string[] => list.map((event) => Object.keys(event)[0]!);

function taskIn({ task }: JsonObject): JsonObject {
  if (!isObject(task)) throw new Error('there is no task');
  return task;
}

describe.each(VERSIONS.flatMap((version) => BINDINGS.map((binding) => [version, binding] as const)))(
  'the SDK agent in A2A %s by %s',
  (version, binding) => {
    test('answers', async () => {
      const way = sourceOf(await sdkAgent(version, binding));
      const task = taskIn(await reply(ask(way, 'message/send', say('hello'))));
      expect(task).toMatchObject({
        status: { state: 'TASK_STATE_COMPLETED' },
        artifacts: [{ artifactId: 'a1', parts: [{ text: 'You said: hello' }] }],
      });
      expect(await reply(ask(way, 'tasks/get', { id: task['id'] }))).toMatchObject({ id: task['id'], contextId: task['contextId'] });
      expect(await reply(ask(way, 'message/send', say('message')))).toMatchObject({
        message: { role: 'ROLE_AGENT', parts: [{ text: 'You said: message' }] },
      });
      expect(await reply(ask(way, 'agent/card', {}))).toMatchObject({
        name: 'Echo extended',
        supportedInterfaces: [{ protocolBinding: binding }],
      });
    });

    test('streams', async () => {
      const way = sourceOf(await sdkAgent(version, binding));
      const { events: got, error } = await events(ask(way, 'message/stream', say('hello')));
      expect(error).toBeUndefined();
      expect(kinds(got)).toEqual(['task', 'statusUpdate', 'artifactUpdate', 'statusUpdate']);
      expect(got.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } });
    });

    test('is left, joined again and canceled', async () => {
      const way = sourceOf(await sdkAgent(version, binding));
      const first = (await stream(ask(way, 'message/stream', say('wait'))))[Symbol.asyncIterator]();
      const begun = await first.next();
      const { id } = taskIn((begun.value as { event: JsonObject }).event);
      await first.next();
      await first.return?.();
      const again = (await stream(ask(way, 'tasks/resubscribe', { id })))[Symbol.asyncIterator]();
      const canceled = reply(ask(way, 'tasks/cancel', { id }));
      const rest: JsonObject[] = [];
      for await (const { event } of { [Symbol.asyncIterator]: () => again }) rest.push(event);
      expect(rest.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_CANCELED' } } });
      expect(await canceled).toMatchObject({ id, status: { state: 'TASK_STATE_CANCELED' } });
    });

    test('says what it has not', async () => {
      const way = sourceOf(await sdkAgent(version, binding));
      await expect(ask(way, 'tasks/get', { id: 'nowhere' })).rejects.toMatchObject({ name: 'AgentError', code: -32001 });
      // The SDK says it before the stream or as its first event, by version and binding.
      expect(await events(ask(way, 'tasks/resubscribe', { id: 'nowhere' }))).toMatchObject({
        events: [],
        error: { name: 'AgentError', code: -32001 },
      });
      const push = { taskId: 'nowhere', id: 'c', url: 'https://hook.test/' };
      await expect(ask(way, 'tasks/pushNotificationConfig/set', push)).rejects.toMatchObject({ name: 'AgentError', code: -32003 });
    });
  },
);
