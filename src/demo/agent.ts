import { createHash } from 'node:crypto';
import { AgentError } from '../core/agents.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import type { UpstreamRequest, UpstreamResponse, UpstreamStream } from '../core/upstream.ts';
import { createDemoTasks, type DemoTasks } from './agent-tasks.ts';

/** Milliseconds between two numbers of a count, so that one sees it stream and has time to cancel. */
const PACE_MS = 300;
const ORIGIN = 'demo:echo';
const MODES = ['text/plain', 'application/json'];

const CARD = JSON.stringify({
  name: 'Echo',
  description: 'The demo agent inside this hub: it repeats what it is told, and counts. No network, no model.',
  version: '1.0.0',
  supportedInterfaces: ['JSONRPC', 'HTTP+JSON'].map((protocolBinding) => ({ url: `${ORIGIN}/`, protocolBinding, protocolVersion: '1.0' })),
  capabilities: { streaming: true, pushNotifications: false, extendedAgentCard: false },
  defaultInputModes: MODES,
  defaultOutputModes: MODES,
  skills: [
    {
      id: 'echo',
      name: 'Echo',
      description: 'Repeats texts and data.',
      tags: ['demo'],
      examples: ['Hello there'],
    },
    {
      id: 'count',
      name: 'Count',
      description: 'Counts up to a number from 1 to 20, a number at a time; asks when it is not told how far.',
      tags: ['demo', 'streaming'],
      examples: ['count to 3'],
    },
  ],
});
const ETAG = `"${createHash('sha256').update(CARD).digest('base64url').slice(0, 16)}"`;

/** `reason` of ErrorInfo, HTTP status and name in `google.rpc.Status` by code (specification 5.4). */
const ERRORS: Readonly<Record<number, readonly [reason: string | undefined, status: number, name: string]>> = {
  [-32700]: [undefined, 400, 'INVALID_ARGUMENT'],
  [-32600]: [undefined, 400, 'INVALID_ARGUMENT'],
  [-32601]: [undefined, 404, 'NOT_FOUND'],
  [-32602]: ['INVALID_PARAMS', 400, 'INVALID_ARGUMENT'],
  [-32001]: ['TASK_NOT_FOUND', 404, 'NOT_FOUND'],
  [-32002]: ['TASK_NOT_CANCELABLE', 400, 'FAILED_PRECONDITION'],
  [-32003]: ['PUSH_NOTIFICATION_NOT_SUPPORTED', 400, 'FAILED_PRECONDITION'],
  [-32004]: ['UNSUPPORTED_OPERATION', 400, 'FAILED_PRECONDITION'],
  [-32005]: ['CONTENT_TYPE_NOT_SUPPORTED', 400, 'INVALID_ARGUMENT'],
  [-32009]: ['VERSION_NOT_SUPPORTED', 400, 'FAILED_PRECONDITION'],
};

type Answer = { readonly result: JsonObject } | { readonly events: AsyncIterable<JsonObject> };
type Operation = (tasks: DemoTasks, params: JsonObject) => Answer | Promise<Answer>;

const noPush: Operation = () => {
  throw new AgentError(-32003, 'The demo agent sends no push notifications.');
};
const OPERATIONS: Readonly<Record<string, Operation>> = {
  SendMessage: async (tasks, params) => ({ result: await tasks.send(params) }),
  SendStreamingMessage: (tasks, params) => ({ events: tasks.stream(params) }),
  GetTask: (tasks, params) => ({ result: tasks.get(params) }),
  ListTasks: (tasks, params) => ({ result: tasks.list(params) }),
  CancelTask: async (tasks, params) => ({ result: await tasks.cancel(params) }),
  SubscribeToTask: (tasks, params) => ({ events: tasks.subscribe(params) }),
  CreateTaskPushNotificationConfig: noPush,
  GetTaskPushNotificationConfig: noPush,
  ListTaskPushNotificationConfigs: noPush,
  DeleteTaskPushNotificationConfig: noPush,
  GetExtendedAgentCard: () => {
    throw new AgentError(-32004, 'The demo agent has no extended card.');
  },
};

/** The addresses of HTTP+JSON (specification 11.3). */
const ROUTES: readonly (readonly [method: RegExp, path: RegExp, operation: string])[] = [
  [/^POST$/, /^\/message:send$/, 'SendMessage'],
  [/^POST$/, /^\/message:stream$/, 'SendStreamingMessage'],
  [/^GET$/, /^\/tasks$/, 'ListTasks'],
  [/^POST$/, /^\/tasks\/([^/]+):cancel$/, 'CancelTask'],
  [/^(?:GET|POST)$/, /^\/tasks\/([^/]+):subscribe$/, 'SubscribeToTask'],
  [/^GET$/, /^\/tasks\/([^/:]+)$/, 'GetTask'],
  [/^POST$/, /^\/tasks\/([^/]+)\/pushNotificationConfigs$/, 'CreateTaskPushNotificationConfig'],
  [/^GET$/, /^\/tasks\/([^/]+)\/pushNotificationConfigs$/, 'ListTaskPushNotificationConfigs'],
  [/^GET$/, /^\/tasks\/([^/]+)\/pushNotificationConfigs\/[^/]+$/, 'GetTaskPushNotificationConfig'],
  [/^DELETE$/, /^\/tasks\/([^/]+)\/pushNotificationConfigs\/[^/]+$/, 'DeleteTaskPushNotificationConfig'],
  [/^GET$/, /^\/extendedAgentCard$/, 'GetExtendedAgentCard'],
];

/**
 * An A2A 1.0 agent of its own in both bindings, JSON-RPC at `/`, HTTP+JSON below it, its card at the well-known place. Strict about what
 * 1.0 asks of callers, so that a hub that reaches it does so by the specification.
 */
export function createDemoAgent({ paceMs = PACE_MS } = {}): (request: UpstreamRequest) => Promise<UpstreamResponse | UpstreamStream> {
  const tasks = createDemoTasks(paceMs);
  return async (request) => {
    const { pathname, searchParams: query } = new URL(request.path, 'http://echo');
    if (request.method === 'GET' && pathname === '/.well-known/agent-card.json') return cardAnswer(request);
    const rpc = request.method === 'POST' && pathname === '/';
    return rpc ? answerRpc(request, query, tasks) : answerRest(request, pathname, query, tasks);
  };
}

/** The service behind `demo:echo`. */
export const demoAgent = createDemoAgent();

function cardAnswer({ headers }: UpstreamRequest): UpstreamResponse {
  const caching = { etag: ETAG, 'cache-control': 'max-age=300' };
  if (headers['if-none-match'] === ETAG) return { status: 304, headers: caching, body: Buffer.alloc(0) };
  return { status: 200, headers: { 'content-type': 'application/json', ...caching }, body: Buffer.from(CARD) };
}

async function answerRpc(request: UpstreamRequest, query: URLSearchParams, tasks: DemoTasks): Promise<UpstreamResponse | UpstreamStream> {
  let id: unknown = null;
  try {
    checkVersion(request, query);
    const body = readBody(request.body);
    id = body['id'] ?? null;
    const { jsonrpc, method, params = {} } = body;
    if (jsonrpc !== '2.0' || typeof method !== 'string') throw new AgentError(-32600, 'This is no request of JSON-RPC 2.0.');
    if (!isObject(params)) throw new AgentError(-32602, 'params: must be an object.');
    const operation = Object.hasOwn(OPERATIONS, method) ? OPERATIONS[method] : undefined;
    if (operation === undefined) throw new AgentError(-32601, `A2A 1.0 has no method ${method}.`);
    const answer = await operation(tasks, params);
    if ('events' in answer) return streamed(answer.events, (result) => ({ jsonrpc: '2.0', id, result }));
    return json(200, { jsonrpc: '2.0', id, result: answer.result });
  } catch (thrown) {
    if (!(thrown instanceof AgentError)) throw thrown;
    const { code, message } = thrown;
    return json(200, { jsonrpc: '2.0', id, error: { code, message, data: errorInfo(thrown) } });
  }
}

async function answerRest(
  request: UpstreamRequest,
  path: string,
  query: URLSearchParams,
  tasks: DemoTasks,
): Promise<UpstreamResponse | UpstreamStream> {
  try {
    const route = ROUTES.find(([method, pattern]) => method.test(request.method) && pattern.test(path));
    const operation = OPERATIONS[route?.[2] ?? ''];
    if (route === undefined || operation === undefined) throw new AgentError(-32601, 'The demo agent has no such address.');
    checkVersion(request, query);
    const id = route[1].exec(path)?.[1];
    const given = request.method === 'GET' || request.body === undefined ? readQuery(query) : readBody(request.body);
    const answer = await operation(tasks, { ...given, ...(id !== undefined && { id: decodeURIComponent(id) }) });
    return 'events' in answer ? streamed(answer.events, (event) => event) : json(200, answer.result, 'application/a2a+json');
  } catch (thrown) {
    if (!(thrown instanceof AgentError)) throw thrown;
    const [, code, status] = ERRORS[thrown.code] ?? [undefined, 500, 'INTERNAL'];
    return json(code, { error: { code, status, message: thrown.message, details: errorInfo(thrown) } });
  }
}

/** No version means 0.3 (specification 3.6). */
function checkVersion({ headers }: UpstreamRequest, query: URLSearchParams): void {
  const asked = headers['a2a-version'] ?? query.get('A2A-Version') ?? '';
  if (!/^1\.0(?:\.\d+)?$/.test(String(asked)))
    throw new AgentError(-32009, 'The demo agent speaks A2A 1.0: send the header A2A-Version: 1.0.');
}

function readBody(body: UpstreamRequest['body']): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body as Uint8Array).toString());
  } catch {
    throw new AgentError(-32700, 'The body must be JSON.');
  }
  if (!isObject(value)) throw new AgentError(-32600, 'The body must be a JSON object.');
  return value;
}

/** The fields of a request that have another type than text. */
function readQuery(query: URLSearchParams): JsonObject {
  const read = (name: string, value: string): unknown => {
    if (name === 'pageSize' || name === 'historyLength') return Number(value);
    return name === 'includeArtifacts' ? value === 'true' : value;
  };
  return Object.fromEntries([...query].map(([name, value]) => [name, read(name, value)]));
}

function errorInfo({ code }: AgentError): JsonObject[] {
  const reason = ERRORS[code]?.[0];
  return reason === undefined ? [] : [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'a2a-protocol.org' }];
}

function streamed(events: AsyncIterable<JsonObject>, frame: (event: JsonObject) => JsonObject): UpstreamStream {
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: frames(events[Symbol.asyncIterator](), frame) };
}

/** By hand, since leaving must reach the iterator at once and not after its next event. */
function frames(events: AsyncIterator<JsonObject>, frame: (event: JsonObject) => JsonObject): AsyncIterableIterator<Buffer> {
  const done = { done: true, value: undefined } as const;
  return {
    async next() {
      const { done: ended, value } = await events.next();
      return ended === true ? done : { done: false, value: Buffer.from(`data: ${JSON.stringify(frame(value as JsonObject))}\n\n`) };
    },
    async return() {
      await events.return?.();
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function json(status: number, value: object, type = 'application/json'): UpstreamResponse {
  return { status, headers: { 'content-type': type }, body: Buffer.from(JSON.stringify(value)) };
}
