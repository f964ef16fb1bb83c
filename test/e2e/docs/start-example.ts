import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, vi } from 'vitest';
import type { CallRecord } from '../../../src/core/contracts/call-log.ts';
import type { RawAgent } from '../agents/_agent.ts';
import { askAdmin } from '../../support/ask-admin.ts';
import { postModern, type RawAnswer } from '../../support/mcp-clients.ts';
import type { Mock } from '../../support/mock-providers/server.mjs';
import { startHub, type Hub } from '../../support/start-hub.ts';
import type { Example } from './read-examples.ts';
import type { AppMock } from './start-agents.ts';
import { startStandIns, type ServiceMock, type StandIns } from './start-stand-ins.ts';

export interface Asking {
  /** The consumer whose key is sent. Default: the first of the configuration; none when there is none. */
  readonly as?: string;
  /** The name of an entry of `apis`. */
  readonly api?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
  /** Fields of the request besides model and messages. */
  readonly body?: object;
}

interface SendAsking extends Pick<Asking, 'as' | 'headers'> {
  /** Fields of the message besides. */
  readonly message?: object;
}

export interface Answer {
  readonly status: number;
  readonly headers: Response['headers'];
  readonly text: string;
  /** Parsed JSON; undefined for a stream. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
  readonly body: any;
  /** What the hub has kept of the call. */
  record(): Promise<CallRecord>;
}

interface TargetState {
  readonly route: string;
  readonly provider: string;
  readonly health: string;
  readonly breaker: string;
  readonly keys?: readonly { readonly label: string; readonly state: string }[];
}

/** A hub that serves an example, each of its providers and services at a mock of its own. */
export interface RunningExample extends Asker, Omit<StandIns, 'text'> {
  readonly hub: Hub;
  /** The stand-in of the agent whose card is on this host. */
  agent(host: string): RawAgent;
  /** The stand-in of the application behind an entry of `agents`. */
  app(name: string): AppMock;
  /** The mock behind an entry of `providers`. */
  mock(provider: string): Mock;
  /** The mock behind an entry of `services`. */
  service(name: string): ServiceMock;
}

interface Asker {
  /** A request below `/v1`: GET without a body. */
  ask(door: string, body: object | undefined, asking?: Omit<Asking, 'text' | 'body'>): Promise<Answer>;
  chat(model: string, asking?: Asking): Promise<Answer>;
  /** `tools/call` at `/mcp/SERVER`. */
  tool(server: string, name: string, args: object, asking?: Pick<Asking, 'as' | 'headers'>): Promise<RawAnswer>;
  /** SendMessage of A2A 1.0 by JSON-RPC; a text, or parts. */
  send(agent: string, said: string | readonly object[], asking?: SendAsking): Promise<Answer>;
  /** A GET of the public listener. */
  get(path: string, asking?: Pick<Asking, 'as' | 'headers'>): Promise<Answer>;
  /** The rules of `GET /admin/v1/explain`. */
  explain(query: Readonly<Record<string, string>>): Promise<readonly { rule: string; effect: string; value?: unknown }[]>;
  /** `GET /admin/v1/status`. */
  status(): Promise<{
    readonly config: { readonly errors: readonly object[]; readonly warnings: readonly object[] };
    readonly targets: readonly TargetState[];
    readonly sources: readonly object[];
    readonly agents: readonly { readonly name: string; readonly state: string; readonly error?: string }[];
  }>;
  /** The records of all calls. */
  calls(): Promise<readonly CallRecord[]>;
}

/** Starts a hub with the example. What `${env:…}` names is supplied, with a text of its own for each name unless `env` has one. */
export async function startExample({ config, files }: Example, env: Readonly<Record<string, string>> = {}): Promise<RunningExample> {
  const standIns = await startStandIns(config);
  const supplied = Object.fromEntries([...config.matchAll(/\$\{env:(\w+)\}/g)].map(([, name]) => [name!, env[name!] ?? `text-of-${name}`]));
  let hub: Hub;
  try {
    hub = await startHub({ files: { ...documentsOf(config), ...files, 'hubgate.yaml': standIns.text }, env: supplied });
    // Documents may come later than the rest.
    await vi.waitFor(async () => expect((await fetch(`${hub.url}/readyz`)).status).toBe(200), { timeout: 10_000 });
  } catch (error) {
    await standIns.stop();
    throw error;
  }
  return {
    ...standIns,
    ...askerOf(hub, standIns.config.consumers?.[0]?.name),
    hub,
    mock: (provider) => known(standIns.mocks, provider),
    service: (name) => known(standIns.services, name),
    agent: (host) => known(standIns.agents, host),
    app: (name) => known(standIns.apps, name),
    async stop() {
      await hub.stop();
      await standIns.stop();
    },
  };
}

/** Documents of the repository that the example names lie where it names them. */
function documentsOf(text: string): Record<string, string> {
  const named = [...text.matchAll(/openapi-specs\/[\w.-]+/g)].map(([path]) => path);
  return Object.fromEntries(named.map((path) => [path, readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')]));
}

function known<T>(mocks: ReadonlyMap<string, T>, name: string): T {
  const mock = mocks.get(name);
  if (mock === undefined) throw new Error(`The example has no mock for ${name}.`);
  return mock;
}

function askerOf(hub: Hub, first: string | undefined): Asker {
  const keys = new Map<string, string>();
  const authorized = async (as = first): Promise<Record<string, string>> => {
    if (as === undefined) return {};
    let key = keys.get(as);
    if (key === undefined) keys.set(as, (key = (await askAdmin(hub, 'POST', `/consumers/${as}/keys`, {})).body.key as string));
    return { authorization: `Bearer ${key}` };
  };
  const request = async (path: string, body: object | undefined, { as, headers }: Pick<Asking, 'as' | 'headers'>): Promise<Answer> => {
    const answer = await fetch(`${hub.url}${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', ...(await authorized(as)), ...headers },
    });
    const text = await answer.text();
    const id = answer.headers.get('x-request-id') ?? '';
    const isJson = /json/.test(answer.headers.get('content-type') ?? '');
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
      record: () => recordOf(hub, id),
    };
  };
  const ask: Asker['ask'] = (door, body, { api, ...asking } = {}) =>
    request(`${api === undefined ? '' : `/apis/${api}`}/v1/${door}`, body, asking);
  return {
    ask,
    get: (path, asking = {}) => request(path, undefined, asking),
    send: (agent, said, { message = {}, headers, ...asking } = {}) => {
      const parts = typeof said === 'string' ? [{ text: said }] : said;
      const params = { message: { messageId: randomUUID(), role: 'ROLE_USER', parts, ...message } };
      const call = { jsonrpc: '2.0', id: 1, method: 'SendMessage', params };
      return request(`/a2a/${agent}`, call, { ...asking, headers: { 'a2a-version': '1.0', ...headers } });
    },
    chat: (model, { text = 'Hello', body, ...asking } = {}) =>
      ask('chat/completions', { model, messages: [{ role: 'user', content: text }], ...body }, asking),
    tool: async (server, name, args, { as, headers } = {}) =>
      postModern(
        `${hub.url}/mcp/${server}`,
        'tools/call',
        { name, arguments: args },
        { headers: { ...(await authorized(as)), ...headers } },
      ),
    explain: async (query) => (await askAdmin(hub, 'GET', `/explain?${new URLSearchParams(query).toString()}`)).body.steps,
    status: async () => (await askAdmin(hub, 'GET', '/status')).body,
    calls: async () => (await askAdmin(hub, 'GET', '/calls?limit=1000')).body.items,
  };
}

/** A record is there soon after the answer. */
async function recordOf(hub: Hub, id: string): Promise<CallRecord> {
  const find = async (): Promise<CallRecord | undefined> =>
    (await askAdmin(hub, 'GET', `/calls?id=${encodeURIComponent(id)}`)).body.items[0];
  await expect.poll(find).toBeDefined();
  return (await find())!;
}
