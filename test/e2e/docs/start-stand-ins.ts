import { parseDocument } from 'yaml';
import { sendJson, startEchoServer, type EchoServer, type RecordedRequest } from '../../support/echo-server.ts';
import { startAgents, type AgentStandIns, type ExampleAgent } from './start-agents.ts';
import { startMocks, type Mock } from '../../support/mock-providers/server.mjs';

type Kind = 'openai' | 'anthropic' | 'gemini' | 'azure' | 'ollama' | 'vllm';

/** Which mock stands in for a type of provider, and the path under which it answers. The other types are called as they stand. */
const MOCKS: Readonly<Record<string, readonly [kind: Kind, path: string]>> = {
  openai: ['openai', '/v1'],
  anthropic: ['anthropic', ''],
  gemini: ['gemini', ''],
  azure: ['azure', ''],
  ollama: ['ollama', '/v1'],
  vllm: ['vllm', '/v1'],
};

const HOOKS = 'https://hooks.example.com';

/** The parts of a configuration that the runner looks at. */
export interface ExampleConfig {
  readonly providers?: Readonly<Record<string, { readonly type: string; readonly baseUrl?: string }>>;
  readonly services?: Readonly<Record<string, { readonly baseUrl?: string }>>;
  readonly models?: readonly ExampleRoute[];
  readonly apis?: Readonly<Record<string, { readonly models?: readonly ExampleRoute[]; readonly enabled?: boolean }>>;
  readonly consumers?: readonly { readonly name: string }[];
  readonly agents?: Readonly<Record<string, ExampleAgent>>;
}

export interface ExampleRoute {
  readonly name?: string;
  readonly aliases?: readonly string[];
  readonly match?: { readonly model?: string };
  readonly enabled?: boolean;
}

/** Answers with an empty list, unless it is told to fail. */
export interface ServiceMock {
  readonly requests: readonly RecordedRequest[];
  fail(status: number, times: number): void;
}

/** Servers on loopback in the place of those that an example names. */
export interface StandIns extends Omit<AgentStandIns, 'stops'> {
  /** The configuration with their addresses. */
  readonly text: string;
  readonly config: ExampleConfig;
  /** By the entry of `providers`. */
  readonly mocks: ReadonlyMap<string, Mock>;
  /** By the entry of `services`. */
  readonly services: ReadonlyMap<string, ServiceMock>;
  /** What stands in for https://hooks.example.com. */
  readonly hooks: EchoServer;
  stop(): Promise<void>;
}

/**
 * The one change that is made to an example: a provider without `baseUrl`, or with one on a host that ends in `.internal`, gets that of a mock of its
 * own; so does a service on such a host; so does every agent; and https://hooks.example.com is a server that takes everything.
 */
export async function startStandIns(example: string): Promise<StandIns> {
  const hooks = await startEchoServer();
  const document = parseDocument(example.replaceAll(HOOKS, hooks.url));
  const config = document.toJS() as ExampleConfig;
  const mocks = new Map<string, Mock>();
  const services = new Map<string, ServiceMock>();
  const stops: (() => Promise<void>)[] = [hooks.stop];
  for (const [name, { type, baseUrl }] of Object.entries(config.providers ?? {})) {
    const [kind, path] = MOCKS[type] ?? [];
    if (kind === undefined || (baseUrl !== undefined && !isInternal(baseUrl))) continue;
    const { [kind]: mock } = await startMocks({ only: [kind] });
    mocks.set(name, mock);
    stops.push(() => mock.close());
    document.setIn(['providers', name, 'baseUrl'], `${mock.url}${path}`);
  }
  for (const [name, { baseUrl }] of Object.entries(config.services ?? {})) {
    if (baseUrl === undefined || !isInternal(baseUrl)) continue;
    const service = await startService();
    services.set(name, service.mock);
    stops.push(service.stop);
    document.setIn(['services', name, 'baseUrl'], service.url);
  }
  const { agents, apps, stops: ends } = await startAgents(config.agents ?? {}, document);
  stops.push(...ends);
  return {
    text: document.toString(),
    config,
    agents,
    apps,
    mocks,
    services,
    hooks,
    stop: async () => void (await Promise.all(stops.map((stop) => stop()))),
  };
}

function isInternal(baseUrl: string): boolean {
  return /\.internal(?=[:/]|$)/.test(baseUrl);
}

async function startService(): Promise<{ mock: ServiceMock; url: string; stop(): Promise<void> }> {
  let status = 200;
  let left = 0;
  const { requests, url, stop } = await startEchoServer((_request, response) => {
    left -= 1;
    if (left < 0) sendJson(response, 200, []);
    else sendJson(response, status, { error: 'told to fail' });
  });
  const fail = (code: number, times: number): void => {
    status = code;
    left = times;
  };
  return { mock: { requests, fail }, url, stop };
}
