import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type AgentCard, type Part, type Role, type Task, TaskState } from '@a2a-js/sdk';
import { duplicateInterfacesForLegacy } from '@a2a-js/sdk/compat/v0_3';
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryPushNotificationStore,
  InMemoryTaskStore,
  type RequestContext,
} from '@a2a-js/sdk/server';
import { jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express';
import express from 'express';

/** Sends the parts of a message back as an artifact; asks for more when the first part is the text "more", and answers "hello" with a message. */
const executor: AgentExecutor = {
  async execute({ userMessage, taskId, contextId }: RequestContext, bus: ExecutionEventBus) {
    const [first] = userMessage.parts;
    const text = first?.content?.$case === 'text' ? first.content.value : undefined;
    const timestamp = '2026-01-02T03:04:05.678Z';
    const status = (state: TaskState): NonNullable<Task['status']> => ({ state, timestamp, message: undefined });
    const agent = 2 as Role;
    if (text === 'hello') {
      const parts: Part[] = [{ content: { $case: 'text', value: 'hello to you' }, metadata: undefined, filename: '', mediaType: '' }];
      const more = { taskId: '', extensions: [], referenceTaskIds: [], metadata: undefined };
      bus.publish(AgentEvent.message({ messageId: 'answer', contextId, role: agent, parts, ...more }));
      return;
    }
    const submitted = status(TaskState.TASK_STATE_SUBMITTED);
    bus.publish(AgentEvent.task({ id: taskId, contextId, status: submitted, artifacts: [], history: [userMessage], metadata: undefined }));
    if (text !== 'more') {
      const artifact = { artifactId: 'a', name: 'echo', description: '', parts: userMessage.parts, metadata: undefined, extensions: [] };
      bus.publish(AgentEvent.artifactUpdate({ taskId, contextId, artifact, append: false, lastChunk: true, metadata: undefined }));
    }
    const state = text === 'more' ? TaskState.TASK_STATE_INPUT_REQUIRED : TaskState.TASK_STATE_COMPLETED;
    bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: status(state), metadata: undefined }));
  },
  async cancelTask(taskId: string, bus: ExecutionEventBus) {
    const status = { state: TaskState.TASK_STATE_CANCELED, timestamp: '2026-01-02T03:04:06.000Z', message: undefined };
    bus.publish(AgentEvent.statusUpdate({ taskId, contextId: 'c', status, metadata: undefined }));
  },
};

export interface SdkAgent {
  /** By binding. */
  readonly urls: Readonly<Record<string, string>>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An agent of the official SDK in both versions and bindings, on a free port of this machine. */
export async function startSdkAgent(): Promise<SdkAgent> {
  const app = express();
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const urls = { JSONRPC: `${base}/rpc`, 'HTTP+JSON': `${base}/rest` };
  const bindings = Object.keys(urls) as (keyof typeof urls)[];
  const own = bindings.map((protocolBinding) => ({ url: urls[protocolBinding], protocolBinding, tenant: '', protocolVersion: '1.0' }));
  const skill = {
    id: 's',
    name: 'S',
    description: 'd',
    tags: ['t'],
    examples: [],
    inputModes: [],
    outputModes: [],
    securityRequirements: [],
  };
  const card: AgentCard = {
    name: 'Echo',
    description: 'Sends back',
    version: '1.2.3',
    supportedInterfaces: duplicateInterfacesForLegacy(own, bindings),
    provider: undefined,
    documentationUrl: undefined,
    iconUrl: undefined,
    capabilities: { streaming: true, pushNotifications: true, extendedAgentCard: true, extensions: [] },
    securitySchemes: {
      key: { scheme: { $case: 'apiKeySecurityScheme', value: { description: '', location: 'header', name: 'x-key' } } },
    },
    securityRequirements: [{ schemes: { key: { list: [] } } }],
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [skill],
    signatures: [],
  };
  const sender = { send: async () => {} };
  const store = new InMemoryPushNotificationStore();
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor, undefined, store, sender, card);
  const options = { requestHandler, userBuilder: UserBuilder.noAuthentication, legacyCompat: { enabled: true } };
  app.use('/rpc', jsonRpcHandler(options));
  app.use('/rest', restHandler(options));
  return {
    urls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
