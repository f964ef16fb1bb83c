import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { compileAccess } from '../../../../src/access/permit.ts';
import type { AgentConfig, AgentTargetConfig, MergedConfig } from '../../../../src/config/types.ts';
import type { AnyCall, Call, Handled, Outcome } from '../../../../src/core/call.ts';
import { compileCondition } from '../../../../src/core/conditions.ts';
import type { Consumer } from '../../../../src/core/consumer.ts';
import type { AgentLine, AgentSnapshot, AgentSource } from '../../../../src/core/contracts/agent-source.ts';
import type { Semantics } from '../../../../src/core/contracts/semantics.ts';
import type { TaskStore } from '../../../../src/core/contracts/store.ts';
import type { JsonObject } from '../../../../src/core/json.ts';
import type { Logger } from '../../../../src/core/logger.ts';
import type { Cancellation, UpstreamRequest, UpstreamResponse } from '../../../../src/core/upstream.ts';
import type { Usage } from '../../../../src/core/usage.ts';
import { createEdge } from '../../../../src/http/server.ts';
import type { AgentsBuildHost, AgentsHost } from '../../../../src/lanes/agents/host.ts';
import { AgentsLane } from '../../../../src/lanes/agents/lane.ts';
import type { Agent, Instance } from '../../../../src/lanes/agents/registry/agent.ts';
import type { AgentsGeneration } from '../../../../src/lanes/agents/registry/build.ts';
import { composeChain, type BoundPolicy } from '../../../../src/pipeline/chain.ts';
import { fetchDocument } from '../../../../src/upstreams/document.ts';
import { Gauge } from '../../../../src/upstreams/health/gauge.ts';
import { Gauges } from '../../../../src/upstreams/health/gauges.ts';
import { RetryBudget } from '../../../../src/upstreams/health/retry-budget.ts';
import type { UpstreamHttp } from '../../../../src/upstreams/http.ts';
import { wordsAlone } from '../../../support/static-semantics.ts';
import { createBalancer } from '../models/doors/start-lane.ts';
import { openTasks } from './tasks/open-tasks.ts';

export const ALICE: Consumer = { name: 'alice', groups: ['staff'], anonymous: false };
export const BOB: Consumer = { name: 'bob', groups: [], anonymous: false };

export const FLIGHTS = { id: 'flights', name: 'Flights', description: 'Finds flights.', tags: ['travel', 'safe'] };
export const HOTELS = { id: 'hotels', name: 'Hotels', description: 'Books hotels.', tags: ['travel', 'costly'] };

/** A card in the shape of 1.0 of an agent at `origin`. */
export function cardAt(origin: string, more: JsonObject = {}): JsonObject {
  return {
    name: 'Travel',
    description: 'Plans journeys.',
    version: '1.2.3',
    supportedInterfaces: [{ url: `${origin}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
    capabilities: { streaming: true, pushNotifications: true, extendedAgentCard: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [FLIGHTS, HOTELS],
    ...more,
  };
}

export const messageTo = (more: JsonObject = {}): JsonObject => ({
  message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hello' }], ...more },
});
export const taskIs = (id: string, state: string, more: JsonObject = {}): JsonObject => ({
  id,
  contextId: `c-${id}`,
  status: { state: `TASK_STATE_${state}` },
  ...more,
});

const AT: AgentSnapshot = { version: '1', state: 'ready', card: cardAt('http://travel.test'), signature: 'unsigned' };
/** What a source that nobody has fetched yet shows. */
export const LOADING: AgentSnapshot = { version: '0', state: 'loading', card: undefined, signature: 'unsigned' };

export interface FakeSource extends AgentSource {
  snapshot: AgentSnapshot;
  refreshed: number;
  disposed: number;
}

/** A source that is no upstream: it says what `answer` says. */
export function fakeSource(
  name: string,
  answer: (line: AgentLine, call: Call<'agents'>) => Handled<'agents'> | Promise<Handled<'agents'>> = () => {
    throw new Error('nobody asks this source');
  },
  snapshot: Partial<AgentSnapshot> = {},
): FakeSource {
  const source: FakeSource = {
    name,
    upstream: `http://${name.replaceAll('#', '-')}.test`,
    snapshot: { ...AT, ...snapshot },
    refreshed: 0,
    disposed: 0,
    subscribe: () => () => undefined,
    async refresh() {
      source.refreshed += 1;
    },
    call: async (call, line) => answer(line, call),
    probe: async () => undefined,
    async [Symbol.asyncDispose]() {
      source.disposed += 1;
    },
  };
  return source;
}

/** One instance of an agent; also what a fake is asked for. */
export interface InstanceParts {
  readonly source?: FakeSource;
  readonly when?: string;
  readonly weight?: number;
}

/** The first that can be tried. */
const FIRST = { pick: () => 0, figure: () => '' };

/** An agent without upstreams, as the registry would build it. */
export function agentOf(config: AgentConfig = {}, instances: readonly InstanceParts[] = [{}]): Agent {
  const made = instances.map(({ source = fakeSource('travel'), when, weight = 1 }): Instance => {
    const gauge = new Gauge();
    const plan = { pools: [{ choices: [] as Instance[], balancer: FIRST }], retries: 0, budget: new RetryBudget() };
    const one: Instance = {
      id: source.name,
      formerId: undefined,
      source,
      condition: when === undefined ? undefined : compileCondition(when),
      target: { name: source.name, upstream: source.name },
      weight,
      gauge,
      figures: gauge,
      plan,
    };
    plan.pools[0]!.choices.push(one);
    return one;
  });
  return {
    name: 'travel',
    origin: 'file',
    config,
    access: compileAccess(config.access),
    chain: composeChain([], 'agents'),
    instances: made,
    balancer: FIRST,
    plans: new Map(),
  };
}

/** What an agent was asked, by JSON-RPC. */
export interface Heard {
  readonly origin: string;
  readonly method: string;
  readonly params: JsonObject;
  readonly headers: UpstreamRequest['headers'];
  readonly signal: Cancellation | undefined;
}

/** What it says: a result, an error in the words of A2A, or a stream of events. What it throws is a failure of the way to it. */
export type Said =
  | { readonly result: JsonObject }
  | { readonly error: { readonly code: number; readonly message: string } }
  | { readonly events: Iterable<JsonObject> | AsyncIterable<JsonObject> };

export interface AgentsParts {
  readonly says?: (heard: Heard) => Said | Promise<Said>;
  readonly agents?: Readonly<Record<string, AgentConfig>>;
  /** Those of the agents, by origin; undefined for one that has none to give. */
  readonly cards?: Readonly<Record<string, JsonObject | undefined>>;
  readonly policies?: readonly BoundPolicy[];
  readonly publicUrl?: string;
  /** Nobody needs a key, and nobody is known. */
  readonly open?: boolean;
  readonly store?: (store: TaskStore) => TaskStore;
  /** Without any, words alone. */
  readonly semantics?: Semantics;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: JsonObject & { readonly result?: JsonObject; readonly error?: JsonObject & { code: number; message: string } };
  /** Of a stream, with the names of those that have one. */
  readonly events: readonly { readonly name: string | undefined; readonly data: JsonObject }[];
}

export interface StartedAgents {
  readonly url: string;
  readonly lane: AgentsLane;
  readonly host: AgentsHost;
  readonly generation: () => AgentsGeneration;
  readonly heard: readonly Heard[];
  /** All that left the hub. */
  readonly sent: readonly UpstreamRequest[];
  readonly records: readonly { readonly call: AnyCall; readonly outcome: Outcome }[];
  readonly logged: readonly string[];
  readonly store: TaskStore;
  /** Calls that hold a generation. */
  inside(): number;
  /** Serves another configuration from now on. */
  serve(agents: Readonly<Record<string, AgentConfig>>): Promise<AgentsGeneration>;
  fetch(path: string, init?: RequestInit): Promise<Answered>;
  /** One request of A2A 1.0 in JSON-RPC to the agent `travel`, by alice. */
  rpc(method: string, params?: JsonObject, more?: { readonly agent?: string; readonly as?: string }): Promise<Answered>;
}

const RULES = { allowedHosts: [], allowedOrigins: [] };
/** One agent at http://travel.test. */
export const TRAVEL: Readonly<Record<string, AgentConfig>> = { travel: { card: 'http://travel.test' } };

export const LENT: AgentsBuildHost = { createBalancer, bind: () => Promise.resolve([]) };

export function mergedOf(agents: Readonly<Record<string, AgentConfig>>, stored: readonly string[] = []): MergedConfig {
  return {
    config: { agents },
    origin: (_: string, name: string) => (stored.includes(name) ? 'store' : 'file'),
    locate: (pointer: string) => ({ file: 'hubgate.yaml', line: pointer.length, column: 1 }),
    problems: [],
  } as unknown as MergedConfig;
}

export const target = (origin: string, more: Partial<AgentTargetConfig> = {}): AgentTargetConfig => ({ card: origin, ...more });

/** Credentials are names: `Bearer alice`. */
function consumerOf(authorization: string | undefined): Consumer | undefined {
  return [ALICE, BOB].find(({ name }) => authorization === `Bearer ${name}`);
}

/** The agents lane behind a real edge, in front of agents that are a function. Everything ends with the test. */
export async function startAgents(parts: AgentsParts = {}): Promise<StartedAgents> {
  const { policies = [], publicUrl, open = false } = parts;
  const heard: Heard[] = [];
  const sent: UpstreamRequest[] = [];
  const records: { call: AnyCall; outcome: Outcome }[] = [];
  const logged: string[] = [];
  const note = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };
  const opened = await openTasks();
  const store = parts.store?.(opened.store) ?? opened.store;
  let url = '';
  const host: AgentsHost = {
    http: fakeHttp(parts, heard, sent),
    log,
    gauges: new Gauges(),
    semantics: parts.semantics ?? wordsAlone(),
    ledger: { priced: (usage: Usage) => usage, record: (call, outcome) => void records.push({ call, outcome }) },
    tasks: store,
    secretKey: Buffer.alloc(32, 3),
    redact: (text) => text.replaceAll('s3cret', '[secret]'),
    addSecret: () => () => undefined,
    base: () => publicUrl ?? url,
    publicUrl: () => publicUrl,
    isOpen: () => open,
    consumer: (name) => [ALICE, BOB].find((one) => one.name === name),
  };
  let inside = 0;
  let generation: AgentsGeneration;
  const lane = new AgentsLane(host, () => {
    inside += 1;
    return { agents: generation, leave: () => void (inside -= 1) };
  });
  const serve: StartedAgents['serve'] = async (agents) => {
    const before = generation as AgentsGeneration | undefined;
    generation = await lane.build(mergedOf(agents), LENT, policies, () => undefined);
    lane.adopt(generation);
    if (before !== undefined) await lane.release(before);
    await Promise.all([...generation.sources.values()].map(({ source }) => source.refresh()));
    return generation;
  };
  generation = await serve(parts.agents ?? TRAVEL);
  const anonymous = { name: 'anonymous', groups: [], anonymous: true };
  const edge = createEdge({
    rules: () => RULES,
    identify: ({ headers }) => consumerOf(headers.authorization) ?? (open ? anonymous : undefined),
    mounts: lane.mounts,
    log,
    requestId: randomUUID,
    writeError: (exchange, error) => {
      if (!lane.writeError(exchange, error)) exchange.res.writeHead(error.status).end(JSON.stringify({ code: error.code }));
    },
  });
  url = (await edge.listen({ host: '127.0.0.1', port: 0 })).url;
  onTestFinished(async () => {
    await edge.close({ graceMs: 0 });
    await lane.release(generation);
    await lane.close();
  });
  const ask: StartedAgents['fetch'] = async (path, init) => read(await fetch(`${url}${path}`, init));
  return {
    url,
    lane,
    host,
    generation: () => generation,
    heard,
    sent,
    records,
    logged,
    store,
    inside: () => inside,
    serve,
    fetch: ask,
    rpc: (method, params = {}, { agent = 'travel', as = 'alice' } = {}) =>
      ask(`/a2a/${agent}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json', 'a2a-version': '1.0' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }),
      }),
  };
}

function fakeHttp({ says, cards = {} }: AgentsParts, heard: Heard[], sent: UpstreamRequest[]): UpstreamHttp {
  const answer = async (request: UpstreamRequest, signal: Cancellation | undefined) => {
    const { origin, method, headers, body } = request;
    sent.push(request);
    const type = { 'content-type': 'application/json' };
    if (method === 'GET') {
      const card = Object.hasOwn(cards, origin) ? cards[origin] : cardAt(origin);
      return { status: card === undefined ? 500 : 200, headers: type, pieces: [JSON.stringify(card ?? {})] };
    }
    const asked = JSON.parse(String(body)) as { id: unknown; method: string; params?: JsonObject };
    // A webhook of a caller is told no method.
    if (asked.method === undefined) return { status: 204, headers: {}, pieces: [] };
    const one = { origin, method: asked.method, params: asked.params ?? {}, headers, signal };
    heard.push(one);
    const said = await (says ?? (() => ({ result: { message: { messageId: 'r', role: 'ROLE_AGENT', parts: [{ text: 'hi' }] } } })))(one);
    const envelope = (inner: object): string => JSON.stringify({ jsonrpc: '2.0', id: asked.id, ...inner });
    if (!('events' in said)) return { status: 200, headers: type, pieces: [envelope(said)] };
    const { events } = said;
    const pieces = (async function* () {
      for await (const result of events) yield `data: ${envelope({ result })}\n\n`;
    })();
    return { status: 200, headers: { 'content-type': 'text/event-stream' }, pieces };
  };
  const send: UpstreamHttp['send'] = async (request, { signal } = {}): Promise<UpstreamResponse> => {
    const { pieces, ...rest } = await answer(request, signal);
    const all: string[] = [];
    for await (const piece of pieces) all.push(piece);
    return { ...rest, body: Buffer.from(all.join('')) };
  };
  return {
    send,
    async open(request, { signal } = {}) {
      const { pieces, ...rest } = await answer(request, signal);
      const body = (async function* () {
        for await (const piece of pieces) yield Buffer.from(piece);
      })();
      return { ...rest, body };
    },
    fetchDocument: (url, options) => fetchDocument(send, url, options),
    close: () => Promise.resolve(),
  };
}

async function read(answer: Response): Promise<Answered> {
  const text = await answer.text();
  const events = text.split('\n\n').flatMap((frame) => {
    const field = (name: string): string | undefined =>
      frame
        .split('\n')
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2);
    const data = field('data');
    return data === undefined ? [] : [{ name: field('event'), data: JSON.parse(data) as JsonObject }];
  });
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    get json() {
      return JSON.parse(text) as Answered['json'];
    },
    events,
  };
}
