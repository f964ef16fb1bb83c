import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { createSessionSeal } from '../../../../src/access/session-seal.ts';
import type { DocumentPlace, MergedConfig, ServerConfig, ServiceConfig } from '../../../../src/config/types.ts';
import type { AnyCall, Outcome } from '../../../../src/core/call.ts';
import { ANONYMOUS } from '../../../../src/core/consumer.ts';
import type { ToolSource } from '../../../../src/core/contracts/tool-source.ts';
import type { JsonObject } from '../../../../src/core/json.ts';
import type { Logger } from '../../../../src/core/logger.ts';
import type { Cancellation, UpstreamRequest, UpstreamResponse } from '../../../../src/core/upstream.ts';
import type { Usage } from '../../../../src/core/usage.ts';
import { createEdge } from '../../../../src/http/server.ts';
import type { ToolsGeneration } from '../../../../src/lanes/tools/build.ts';
import type { ToolsHost } from '../../../../src/lanes/tools/host.ts';
import { ToolsLane } from '../../../../src/lanes/tools/lane.ts';
import type { BoundPolicy } from '../../../../src/pipeline/chain.ts';
import { Gauges } from '../../../../src/upstreams/health/gauges.ts';
import { wordsAlone } from '../../../support/static-semantics.ts';
import { createBalancer } from '../models/doors/start-lane.ts';

export interface ServiceAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
export type Service = (request: UpstreamRequest, signal: Cancellation | undefined) => ServiceAnswer | Promise<ServiceAnswer>;

export interface ToolsParts {
  /** Answers for all services; not asked for what sources answer themselves. */
  readonly service?: Service;
  /** Entries of `services` with their documents. */
  readonly services?: Readonly<Record<string, { readonly config?: ServiceConfig; readonly document: object }>>;
  /** Entries of `servers` with their sources. */
  readonly servers?: Readonly<Record<string, { readonly config?: ServerConfig; readonly source: ToolSource }>>;
  readonly policies?: readonly BoundPolicy[];
}

export interface StartedTools {
  readonly lane: ToolsLane;
  readonly gauges: Gauges;
  readonly requests: readonly UpstreamRequest[];
  readonly records: readonly { readonly call: AnyCall; readonly outcome: Outcome }[];
  /** One `tools/call` on the door of a source; gives `result` or `error` of the answer. */
  call(
    server: string,
    tool: string,
    args?: JsonObject,
  ): Promise<{ readonly result?: CallResult; readonly error?: { readonly code: number; readonly message: string } }>;
}

export interface CallResult {
  readonly isError?: boolean;
  readonly content: readonly { readonly text: string }[];
}

const RULES = { allowedHosts: [], allowedOrigins: [] };

/** The tools lane behind a real edge, in front of services that are a function. Everything ends with the test. */
export async function startTools({ service = () => ({}), services = {}, servers = {}, policies = [] }: ToolsParts): Promise<StartedTools> {
  const requests: UpstreamRequest[] = [];
  const records: { call: AnyCall; outcome: Outcome }[] = [];
  const gauges = new Gauges();
  const log: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => log };
  const send = async (request: UpstreamRequest, { signal }: { readonly signal?: Cancellation } = {}): Promise<UpstreamResponse> => {
    requests.push(request);
    const { status = 200, headers = {}, body = { ok: true } } = await service(request, signal);
    return { status, headers: { 'content-type': 'application/json', ...headers }, body: Buffer.from(JSON.stringify(body)) };
  };
  const host = {
    http: { send },
    log,
    gauges,
    ledger: {
      priced: (usage: Usage) => usage,
      record: (call: AnyCall, outcome: Outcome): void => void records.push({ call, outcome }),
    },
    toolNames: { get: async () => new Map<string, string>(), put: async () => undefined },
    endedSessions: { all: async () => [], add: async () => undefined },
    seal: createSessionSeal(Buffer.alloc(32, 1)),
    redact: (text: string) => text,
    addSecret: () => () => undefined,
    consumer: () => ANONYMOUS,
    semantics: wordsAlone(),
    agents: { mayCallAny: () => false, search: async () => ({ agents: [] }) },
  } as unknown as ToolsHost;
  const lane = new ToolsLane(host, () => ({ tools: generation, leave: () => undefined }));
  const lent = {
    bind: async () => [],
    extensionVersion: () => '1',
    createBalancer,
    createSource: async (_: string, name: string) => servers[name]!.source,
  };
  const generation: ToolsGeneration = await lane.build(mergedOf(services, servers), lent, policies, () => {
    throw new Error('no agent here');
  });
  lane.adopt(generation);
  await lane.settled();
  const edge = createEdge({ rules: () => RULES, identify: () => ANONYMOUS, mounts: lane.mounts, log, requestId: randomUUID });
  const { port } = await edge.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    lane.close();
    await edge.close({ graceMs: 0 });
  });
  return {
    lane,
    gauges,
    requests,
    records,
    async call(server, name, args = {}) {
      const answer = await fetch(`http://127.0.0.1:${port}/mcp/${server}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-11-25',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
      });
      const text = await answer.text();
      return JSON.parse(text.startsWith('{') ? text : text.slice(text.lastIndexOf('data: ') + 6)) as never;
    },
  };
}

function mergedOf(services: NonNullable<ToolsParts['services']>, servers: NonNullable<ToolsParts['servers']>): MergedConfig {
  const documents = Object.entries(services).map(([name, { document }]): [string, DocumentPlace] => {
    const text = JSON.stringify(document);
    return [name, { from: 'file', text, hash: text, display: `${name}.json` }];
  });
  const open = { sessions: 'optional' } as const;
  return {
    config: {
      services: Object.fromEntries(Object.entries(services).map(([name, { config }]) => [name, { ...open, ...config }])),
      servers: Object.fromEntries(Object.entries(servers).map(([name, { config }]) => [name, { source: name, ...open, ...config }])),
    },
    virtualServers: new Map(),
    documents: new Map(documents),
    overlays: new Map(),
    origin: () => 'file',
    locate: () => ({}),
  } as unknown as MergedConfig;
}
