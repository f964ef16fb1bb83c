import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { AgentRestConfig } from '../../../../../../src/config/types.ts';
import type { AgentOperation } from '../../../../../../src/core/agents.ts';
import type { Call, Handled } from '../../../../../../src/core/call.ts';
import type { AgentSource } from '../../../../../../src/core/contracts/agent-source.ts';
import type { TaskRecord, TaskStore } from '../../../../../../src/core/contracts/store.ts';
import { isObject, type JsonObject } from '../../../../../../src/core/json.ts';
import type { Logger } from '../../../../../../src/core/logger.ts';
import type { UpstreamHttp } from '../../../../../../src/upstreams/http.ts';
import { namedSkill } from '../../../../../../src/lanes/agents/sources/rest/message-values.ts';
import { createRestSource, type RestSourceOptions } from '../../../../../../src/lanes/agents/sources/rest/rest-source.ts';
import { createHubTasks, type HubTasks } from '../../../../../../src/lanes/agents/sources/rest/tasks/hub-tasks.ts';
import { createEgress } from '../../../../../../src/upstreams/egress.ts';
import { createHttp } from '../../../../../../src/upstreams/http.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: JsonObject;
}

export interface Application {
  readonly url: string;
  /** All requests so far. */
  readonly asked: Asked[];
}

/** An HTTP application that lives as long as the test. */
export async function application(answer: (asked: Asked, res: ServerResponse) => unknown): Promise<Application> {
  const asked: Asked[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const one = { method: req.method!, path: req.url!, headers: req.headers, body: text === '' ? {} : (JSON.parse(text) as JsonObject) };
      asked.push(one);
      answer(one, res);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

export function sendJson(res: ServerResponse, value: unknown, status = 200, headers: Record<string, string> = {}): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(JSON.stringify(value));
}

/** Server-sent events, each an object. */
export function sse(events: readonly unknown[]): string {
  return events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
}

export interface FakeStore extends Pick<TaskStore, 'put' | 'get' | 'list' | 'unfinished'> {
  readonly records: Map<string, TaskRecord>;
}

/** Keeps records as JSON does. */
export function fakeStore(): FakeStore {
  const records = new Map<string, TaskRecord>();
  const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  return {
    records,
    put: async (record) => void records.set(record.task, copy({ ...records.get(record.task), ...record })),
    get: async (agent, task) => {
      const record = records.get(task);
      return record?.agent === agent ? copy(record) : undefined;
    },
    list: async ({ agent, owner, context, limit }) => {
      const tasks = [...records.values()]
        .filter((one) => one.agent === agent && one.owner === owner && one.context === context)
        .toReversed();
      return { tasks: copy(tasks.slice(0, limit)), total: tasks.length };
    },
    unfinished: async (agent) =>
      [...records.values()].filter((one) => one.agent === agent && !/COMPLETED|FAILED|CANCELED|REJECTED/.test(one.state)).map(copy),
  };
}

export const log: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };

export interface Bench {
  readonly source: AgentSource;
  readonly tasks: HubTasks;
  readonly store: FakeStore;
  readonly notified: JsonObject[];
  ask(operation: AgentOperation, params: JsonObject, by?: Partial<Caller>): Promise<Handled<'agents'>>;
  /** The Task of a blocking message. */
  send(parts: string | readonly JsonObject[], more?: JsonObject, by?: Partial<Caller>): Promise<JsonObject>;
  /** All events of a message or of a subscription. */
  stream(parts: string | readonly JsonObject[], more?: JsonObject): Promise<JsonObject[]>;
}

interface Caller {
  readonly consumer: string;
  readonly signal: AbortSignal;
}

export interface BenchOptions extends Partial<Omit<RestSourceOptions, 'config'>> {
  readonly store?: FakeStore;
  /** False for one that is built and never serves. */
  readonly serves?: boolean;
}

function realHttp(): UpstreamHttp {
  const egress = createEgress({ allow: [], ownPorts: [] });
  const http = createHttp({ egress: () => egress });
  onTestFinished(() => http.close());
  return http;
}

/** One agent as the lane has it. */
export function bench(config: AgentRestConfig, { serves = true, ...options }: BenchOptions = {}): Bench {
  const http = options.http ?? realHttp();
  const store = options.store ?? fakeStore();
  const notified: JsonObject[] = [];
  const tasks =
    options.tasks ?? createHubTasks({ agent: 'app', instance: 'app', store, log, notify: (_task, event) => void notified.push(event) });
  onTestFinished(() => tasks.close());
  const source = createRestSource({
    name: 'app',
    config,
    http,
    tasks,
    log,
    redact: (text) => text,
    trust: 'operator',
    signers: [],
    headers: {},
    timeouts: {},
    ...options,
  });
  if (serves) source.serve?.();

  async function ask(operation: AgentOperation, params: JsonObject, by: Partial<Caller> = {}): Promise<Handled<'agents'>> {
    const { consumer = 'alice', signal = new AbortController().signal } = by;
    // As the lane does.
    const skill = isObject(params['message']) ? namedSkill(params['message']) : undefined;
    const call = {
      operation,
      consumer: { name: consumer, groups: [], anonymous: false },
      input: { agent: 'app', params, ...(skill === undefined ? {} : { skill }) },
      signal,
      log,
    } as unknown as Call<'agents'>;
    const sign: typeof http.open = async (request, until) => http.open(request, until);
    return source.call(call, {
      operation,
      params,
      extensions: [],
      send: async (request, signers, until) => {
        let signed = request;
        for (const signer of signers) signed = await signer.sign(signed, { refresh: false });
        return http.send(signed, until && { signal: until });
      },
      open: async (request, signers, until) => {
        let signed = request;
        for (const signer of signers) signed = await signer.sign(signed, { refresh: false });
        return sign(signed, until && { signal: until });
      },
    });
  }

  return {
    source,
    tasks,
    store,
    notified,
    ask,
    async send(parts, more = {}, by = {}) {
      const handled = await ask('message/send', messageOf(parts, more), by);
      return ('reply' in handled ? handled.reply.result : {})['task'] as JsonObject;
    },
    async stream(parts, more = {}) {
      return read(await ask('message/stream', messageOf(parts, more)));
    },
  };
}

/** SendMessageRequest; `message` and `configuration` of `more` are laid over. */
export function messageOf(parts: string | readonly JsonObject[], more: JsonObject = {}): JsonObject {
  const { message, ...rest } = more;
  const own = { role: 'ROLE_USER', messageId: 'm1', parts: typeof parts === 'string' ? [{ text: parts }] : parts };
  return { message: { ...own, ...(message as JsonObject | undefined) }, ...rest };
}

export async function read(handled: Handled<'agents'>): Promise<JsonObject[]> {
  const events: JsonObject[] = [];
  if ('stream' in handled) for await (const { event } of handled.stream) events.push(event);
  return events;
}

export function stateOf(task: JsonObject): string {
  return (task['status'] as { state: string }).state;
}

/** The text of the status message. */
export function noteOf(task: JsonObject): string | undefined {
  const { message } = task['status'] as { message?: { parts: { text: string }[] } };
  return message?.parts.map(({ text }) => text).join('');
}

/** All texts of all artifacts. */
export function textIn(task: JsonObject): string {
  const artifacts = (task['artifacts'] ?? []) as { parts: { text?: string }[] }[];
  return artifacts.flatMap(({ parts }) => parts.map(({ text = '' }) => text)).join('|');
}
