import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { JsonObject } from '../../../src/core/json.ts';
import { type EchoServer, type RecordedRequest, sendJson, startEchoServer } from '../../support/echo-server.ts';
import { legacyEvent, legacyTask } from './_legacy.ts';

export interface Heard {
  readonly method: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
  readonly params: any;
  readonly headers: RecordedRequest['headers'];
}

/** An A2A agent that speaks one version over JSON-RPC, made of raw JSON. */
export interface RawAgent {
  /** Where it is called; the card is at the well-known path below. */
  readonly url: string;
  readonly server: EchoServer;
  /** Calls of JSON-RPC, oldest first. */
  readonly heard: Heard[];
  /** How often the card was asked for. */
  readonly cardRequests: () => RecordedRequest[];
  /** What it shows as its card, in the shape of its version. */
  card: JsonObject;
  cardHeaders: Record<string, string>;
  /** Resets every connection. */
  isDown: boolean;
  /** Ends a task that is held. */
  finish(task: string): void;
  finishAll(): void;
  has(task: string): boolean;
  /** How many tasks are at work. */
  open(): number;
  /** Tells the address that was set for the task, or set last, as its version has it; gives the status of the answer. */
  notify(task: string, state?: string): Promise<number>;
  /** What it was given as the address for notifications, latest last. */
  readonly pushes: JsonObject[];
  /** Whether nobody reads a stream of the task. */
  watchers(task: string): number;
  stop(): Promise<void>;
}

export interface RawAgentOptions {
  readonly version?: '1.0' | '0.3';
  /** Below which it lives, such as `/teams/7`. */
  readonly path?: string;
  readonly skills?: readonly JsonObject[];
  /** Put into the card. */
  readonly card?: JsonObject;
  /** Where the card is besides its well-known path. */
  readonly cardPath?: string;
  /** A free one when absent. */
  readonly port?: number;
}

interface Task {
  readonly id: string;
  readonly contextId: string;
  state: string;
  readonly texts: string[];
  readonly watchers: Set<(event: JsonObject) => void>;
  readonly ended: PromiseWithResolvers<void>;
}

const SKILLS = [
  { id: 'echo', name: 'Echo', description: 'Says it again', tags: ['talk'], examples: ['Hello'] },
  { id: 'count', name: 'Count', description: 'Counts', tags: ['numbers'] },
];
const METHODS: Readonly<Record<string, string>> = {
  'message/send': 'SendMessage',
  'message/stream': 'SendStreamingMessage',
  'tasks/get': 'GetTask',
  'tasks/cancel': 'CancelTask',
  'tasks/resubscribe': 'SubscribeToTask',
  'tasks/pushNotificationConfig/set': 'CreateTaskPushNotificationConfig',
  'agent/getAuthenticatedExtendedCard': 'GetExtendedAgentCard',
};

const textOf = (message: JsonObject | undefined): string =>
  ((message?.['parts'] ?? []) as JsonObject[]).map(({ text }) => String(text ?? '')).join(' ');

/**
 * What it does hangs on the first word of a message: `message` answers with a plain message, `ask` waits for input, `hold` works until `finish`, the task
 * of `flop` fails, `refuse CODE`, `break` and `snap` (in the middle of a stream) fail, telling where it lives and what it was called with; all else is a task that repeats it, word by word.
 */
export async function startAgent({
  version = '1.0',
  path = '',
  skills = SKILLS,
  card = {},
  cardPath = '',
  port = 0,
}: RawAgentOptions = {}): Promise<RawAgent> {
  const tasks = new Map<string, Task>();
  const heard: Heard[] = [];
  const pushes: JsonObject[] = [];
  const legacy = version === '0.3';
  const server = await startEchoServer(async (request, response) => {
    if (agent.isDown) return void response.destroy();
    const { pathname } = new URL(request.path, 'http://agent');
    if (request.method === 'GET')
      return serveCard(agent, [cardPath, `${path}/.well-known/agent-card.json`].includes(pathname), request, response);
    const { method, params = {}, id } = JSON.parse(request.body.toString()) as { method: string; params: JsonObject; id: unknown };
    heard.push({ method, params, headers: request.headers });
    const answer = (result: unknown): void => sendJson(response, 200, { jsonrpc: '2.0', id, result });
    const refuse = (code: number, message: string): void => sendJson(response, 200, { jsonrpc: '2.0', id, error: { code, message } });
    const shown = (task: Task): JsonObject => (legacy ? legacyTask(taskOf(task)) : taskOf(task));
    const watch = (task: Task, events: readonly JsonObject[]): void => stream(task, events, response, id, legacy);
    const gossip = `${agent.url} ${Object.values(request.headers).join(' ')}`;
    const known = tasks.get(String(params['id'] ?? params['taskId'] ?? ''));
    switch (METHODS[method] ?? method) {
      case 'SendMessage':
      case 'SendStreamingMessage':
        return await receive(params, { tasks, pushes, gossip, response, legacy, answer, refuse, watch, streams: /stream/i.test(method) });
      case 'GetTask':
        return known === undefined ? refuse(-32001, 'Task not found') : answer(shown(known));
      case 'CancelTask':
        if (known === undefined) return refuse(-32001, 'Task not found');
        end(known, 'TASK_STATE_CANCELED');
        return answer(shown(known));
      case 'SubscribeToTask':
        return known === undefined ? refuse(-32001, 'Task not found') : watch(known, []);
      case 'CreateTaskPushNotificationConfig':
        pushes.push((legacy ? params['pushNotificationConfig'] : params) as JsonObject);
        return answer(params);
      case 'GetExtendedAgentCard':
        return answer({ ...agent.card, skills: [...skills, { id: 'inner', name: 'Inner', description: 'For those who ask', tags: [] }] });
      default:
        return refuse(-32601, `Method not found: ${method}`);
    }
  }, port);
  const url = `${server.url}${path}`;
  const own = legacy ? legacyCard(url, skills) : modernCard(url, skills);
  const agent: RawAgent = {
    url,
    server,
    heard,
    pushes,
    card: { ...own, ...card },
    cardHeaders: {},
    isDown: false,
    cardRequests: () => server.requests.filter(({ method }) => method === 'GET'),
    finish: (task) => end(tasks.get(task)!, 'TASK_STATE_COMPLETED'),
    finishAll: () => tasks.forEach((task) => task.state === 'TASK_STATE_WORKING' && end(task, 'TASK_STATE_COMPLETED')),
    has: (task) => tasks.has(task),
    open: () => [...tasks.values()].filter(({ state }) => state === 'TASK_STATE_WORKING').length,
    watchers: (task) => tasks.get(task)!.watchers.size,
    async notify(id, state = 'TASK_STATE_COMPLETED') {
      const task = tasks.get(id)!;
      task.state = state;
      const { url: to, token } = pushes.at(-1)! as { url: string; token?: string };
      const body = legacy ? legacyTask(taskOf(task)) : { statusUpdate: { taskId: id, contextId: task.contextId, status: { state } } };
      const headers = { 'content-type': 'application/json', ...(token !== undefined && { 'x-a2a-notification-token': token }) };
      return (await fetch(to, { method: 'POST', headers, body: JSON.stringify(body) })).status;
    },
    stop: () => server.stop(),
  };
  return agent;
}

interface Reception {
  readonly tasks: Map<string, Task>;
  readonly pushes: JsonObject[];
  /** What it would better not tell. */
  readonly gossip: string;
  readonly response: ServerResponse;
  readonly legacy: boolean;
  readonly streams: boolean;
  answer(result: unknown): void;
  refuse(code: number, message: string): void;
  watch(task: Task, events: readonly JsonObject[]): void;
}

async function receive(
  params: JsonObject,
  { tasks, pushes, gossip, response, legacy, streams, answer, refuse, watch }: Reception,
): Promise<void> {
  const message = params['message'] as JsonObject;
  const configuration = (params['configuration'] ?? {}) as JsonObject;
  const push = configuration['taskPushNotificationConfig'] ?? configuration['pushNotificationConfig'];
  if (push !== undefined) pushes.push(push as JsonObject);
  const text = textOf(message);
  const [word, second = ''] = text.split(' ');
  if (word === 'refuse') return refuse(Number(second), `No, says ${gossip}`);
  if (word === 'break')
    return void response.writeHead(500, { 'content-type': 'text/html', server: gossip }).end(`<h1>${gossip} is broken</h1>`);
  if (word === 'snap') {
    const error = { code: -32603, message: `Snapped at ${gossip}`, data: [{ '@type': 'type.example/Debug', at: gossip }] };
    return void sendEvents(response).end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 1, error })}\n\n`);
  }
  if (word === 'message') {
    const said = { messageId: randomUUID(), role: 'ROLE_AGENT', parts: [{ text: `heard ${text}` }] };
    const event = legacy ? legacyEvent({ message: said }) : { message: said };
    return streams ? void sendEvents(response).end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 1, result: event })}\n\n`) : answer(event);
  }
  const task = tasks.get(String(message['taskId'])) ?? newTask(String(message['contextId'] ?? randomUUID()));
  tasks.set(task.id, task);
  const words = text.split(' ');
  const endAtOnce = (): void => void (word !== 'hold' && end(task, ENDS[word ?? ''] ?? 'TASK_STATE_COMPLETED'));
  if (streams) {
    watch(task, word === 'hold' ? [] : words.map((one, index) => artifact(task, one, index > 0)));
    return endAtOnce();
  }
  task.texts.push(...words);
  endAtOnce();
  const immediate = configuration['returnImmediately'] === true || configuration['blocking'] === false;
  if (word === 'hold' && !immediate) await task.ended.promise;
  const whole = taskOf(task);
  return answer(legacy ? legacyTask(whole) : { task: whole });
}

const ENDS: Readonly<Record<string, string>> = { ask: 'TASK_STATE_INPUT_REQUIRED', flop: 'TASK_STATE_FAILED' };

const newTask = (contextId: string): Task => ({
  id: `task-${randomUUID()}`,
  contextId,
  state: 'TASK_STATE_WORKING',
  texts: [],
  watchers: new Set(),
  ended: Promise.withResolvers<void>(),
});

function end(task: Task, state: string): void {
  task.state = state;
  const event = { statusUpdate: { taskId: task.id, contextId: task.contextId, status: { state } } };
  for (const tell of task.watchers) tell(event);
  task.ended.resolve();
}

function artifact(task: Task, text: string, append: boolean): JsonObject {
  task.texts.push(text);
  const { id: taskId, contextId } = task;
  return { artifactUpdate: { taskId, contextId, append, lastChunk: false, artifact: { artifactId: 'a', parts: [{ text }] } } };
}

function taskOf({ id, contextId, state, texts }: Task): JsonObject {
  return {
    id,
    contextId,
    status: { state },
    artifacts: texts.length === 0 ? [] : [{ artifactId: 'a', parts: texts.map((text) => ({ text })) }],
  };
}

function stream(task: Task, events: readonly JsonObject[], response: ServerResponse, id: unknown, legacy: boolean): void {
  const tell = (event: JsonObject): void => {
    const result = legacy ? legacyEvent(event) : event;
    response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
    if (event['statusUpdate'] !== undefined) response.end();
  };
  sendEvents(response);
  tell({ task: taskOf(task) });
  for (const event of events) tell(event);
  task.watchers.add(tell);
  response.on('close', () => task.watchers.delete(tell));
}

const sendEvents = (response: ServerResponse): ServerResponse => response.writeHead(200, { 'content-type': 'text/event-stream' });

function serveCard({ card, cardHeaders }: RawAgent, isCard: boolean, { headers }: RecordedRequest, response: ServerResponse): void {
  if (!isCard) return sendJson(response, 404, {});
  const { etag } = cardHeaders;
  if (etag !== undefined && headers['if-none-match'] === etag) response.writeHead(304, cardHeaders).end();
  else sendJson(response, 200, card, cardHeaders);
}

const modernCard = (url: string, skills: readonly JsonObject[]): JsonObject => ({
  name: 'Raw',
  description: 'An agent made of raw JSON',
  version: '7.1.0',
  supportedInterfaces: [
    { url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    { url: url.replace(/^http/, 'grpc'), protocolBinding: 'GRPC', protocolVersion: '1.0' },
  ],
  capabilities: { streaming: true, pushNotifications: true, extendedAgentCard: true },
  securitySchemes: { corporate: { openIdConnectSecurityScheme: { openIdConnectUrl: `${url}/openid` } } },
  securityRequirements: [{ schemes: { corporate: { list: [] } } }],
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills,
});

const legacyCard = (url: string, skills: readonly JsonObject[]): JsonObject => ({
  name: 'Raw',
  description: 'An agent made of raw JSON',
  version: '7.1.0',
  protocolVersion: '0.3.0',
  url,
  preferredTransport: 'JSONRPC',
  capabilities: { streaming: true, pushNotifications: true },
  supportsAuthenticatedExtendedCard: true,
  securitySchemes: { corporate: { type: 'openIdConnect', openIdConnectUrl: `${url}/openid` } },
  security: [{ corporate: [] }],
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills,
});
