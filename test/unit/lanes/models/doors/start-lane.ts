import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import type { HubConfig, MergedConfig, ModelApiConfig, ModelRouteConfig, ProviderConfig } from '../../../../../src/config/types.ts';
import type { AnyCall, Outcome } from '../../../../../src/core/call.ts';
import { ANONYMOUS, type Consumer } from '../../../../../src/core/consumer.ts';
import type { Balancer, BalancerExtension } from '../../../../../src/core/contracts/balancer.ts';
import type { Provider, ProviderExtension } from '../../../../../src/core/contracts/provider.ts';
import type { Semantics } from '../../../../../src/core/contracts/semantics.ts';
import type { GatewayError } from '../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import type { Logger } from '../../../../../src/core/logger.ts';
import type { Cancellation, UpstreamRequest } from '../../../../../src/core/upstream.ts';
import type { Usage } from '../../../../../src/core/usage.ts';
import { createEdge } from '../../../../../src/http/server.ts';
import type { ModelsBuildHost, ModelsHost } from '../../../../../src/lanes/models/host.ts';
import { ModelsLane } from '../../../../../src/lanes/models/lane.ts';
import type { ModelsGeneration } from '../../../../../src/lanes/models/routes/build.ts';
import type { BoundPolicy } from '../../../../../src/pipeline/chain.ts';
import { Gauges } from '../../../../../src/upstreams/health/gauges.ts';
import type { UpstreamHttp } from '../../../../../src/upstreams/http.ts';
import type { SeenFrame } from '../../../../support/legal-streams.ts';
import { wordsAlone } from '../../../../support/static-semantics.ts';

/** What a vendor answers. `body` is the whole of it, or the pieces in which it comes. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer | object | AsyncIterable<Buffer>;
}
export type Vendor = (request: UpstreamRequest, signal: Cancellation | undefined) => Answer | Promise<Answer>;

export interface LaneParts {
  readonly vendor: Vendor;
  readonly providers?: Readonly<Record<string, ProviderConfig>>;
  /** One route that takes everything and tries once, when absent: most tests are about what one attempt becomes. */
  readonly models?: readonly ModelRouteConfig[];
  readonly apis?: Readonly<Record<string, ModelApiConfig>>;
  readonly policies?: readonly BoundPolicy[];
  /** Who calls; a function reads it from the headers of each request. */
  readonly consumer?: Consumer | ((headers: IncomingHttpHeaders) => Consumer);
  /** US dollars; without it usage stays as it came. */
  readonly cost?: (usage: Usage, model: string | undefined) => number;
  readonly fetchDocument?: UpstreamHttp['fetchDocument'];
  /** Without any, words alone. */
  readonly semantics?: Semantics;
  readonly intents?: Pick<HubConfig, 'intents' | 'intentRouting'>;
}

/** How a call went, for the record. */
export interface Recorded {
  readonly call: AnyCall;
  readonly outcome: Outcome;
}

export interface StartedLane {
  readonly port: number;
  readonly lane: ModelsLane;
  readonly requests: readonly UpstreamRequest[];
  readonly records: readonly Recorded[];
  readonly logged: readonly string[];
  /** Calls that hold the generation. */
  readonly inside: () => number;
  /** One request, its answer read to the end. */
  ask(path: string, body: string | Buffer | object | undefined, headers?: Readonly<Record<string, string>>): Promise<Asked>;
  /** One request, its answer not read yet. */
  begin(path: string, body: object, headers?: Readonly<Record<string, string>>): Promise<IncomingMessage>;
}

export interface Asked {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: JsonObject;
  readonly frames: readonly SeenFrame[];
  /** The connection broke before the answer ended. */
  readonly broken: boolean;
}

/** With `api: responses`, one that speaks nothing else. */
export async function createProvider(type: string, _: string, options: { readonly api?: string }): Promise<Provider> {
  const { default: made } = (await import(`../../../../../src/lanes/models/providers/${type}.ts`)) as { default: ProviderExtension };
  const provider = await made.create(options, undefined as never);
  if (options.api !== 'responses') return provider;
  return { ...provider, chat: provider.chat.filter(({ codec }) => codec.format === 'openai-responses') };
}

/** One of the hub's own. */
export async function createBalancer(name: string, options: unknown = {}): Promise<Balancer> {
  const { default: made } = (await import(`../../../../../src/upstreams/balancers/${name}.ts`)) as { default: BalancerExtension };
  return made.create(options, undefined as never);
}

/** What the composition root would have merged. */
export function merge(
  providers: LaneParts['providers'] = {},
  models: LaneParts['models'] = [],
  apis: LaneParts['apis'] = {},
): MergedConfig {
  const locate: MergedConfig['locate'] = (pointer) => ({ file: 'hubgate.yaml', line: 1 + pointer.length, column: 1 });
  return { config: { providers, models, apis }, origin: () => 'file', locate, problems: [] } as unknown as MergedConfig;
}

export const LENT: ModelsBuildHost = { createProvider, createBalancer, extensionVersion: () => '1', bind: () => Promise.resolve([]) };

/** What a lane is lent to be built with, and no more: nothing can be sent. */
export function buildHost(redact = (text: string) => text): ModelsHost {
  const ledger = { priced: (usage: Usage) => ({ ...usage, cost: null }), record: () => undefined };
  return { http: {}, gauges: new Gauges(), ledger, redact, addSecret: () => () => undefined } as unknown as ModelsHost;
}

const PROVIDERS = { main: { type: 'openai-compatible', baseUrl: 'http://vendor.test/v1' } } as const satisfies LaneParts['providers'];

/** The models lane behind a real edge, in front of a vendor that is a function. Everything ends with the test. */
export async function startLane(parts: LaneParts): Promise<StartedLane> {
  const { vendor, providers = PROVIDERS, policies = [], consumer = ANONYMOUS } = parts;
  const models = parts.models ?? [{ match: { model: '*' }, retries: 0, targets: [{ provider: Object.keys(providers)[0]! }] }];
  const requests: UpstreamRequest[] = [];
  const records: Recorded[] = [];
  const logged: string[] = [];
  const note = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };
  const host = {
    http: fakeHttp(requests, vendor, parts.fetchDocument),
    log,
    gauges: new Gauges(),
    semantics: parts.semantics ?? wordsAlone(),
    ledger: {
      priced: (usage: Usage, { target }: Pick<Outcome, 'target'>) =>
        parts.cost === undefined ? usage : { ...usage, cost: parts.cost(usage, target?.model) },
      record: (call: AnyCall, outcome: Outcome): void => void records.push({ call, outcome }),
    },
    redact: (text: string) => text.replaceAll('s3cret', '[secret]'),
    addSecret: () => () => {},
  };
  let inside = 0;
  const lane = new ModelsLane(host, () => {
    inside += 1;
    return { models: generation, leave: () => void (inside -= 1) };
  });
  const merged = merge(providers, models, parts.apis);
  Object.assign(merged.config, parts.intents);
  const generation: ModelsGeneration = await lane.build(merged, LENT, policies);
  lane.adopt(generation);
  const edge = createEdge({
    rules: () => RULES,
    identify: ({ headers }) => (typeof consumer === 'function' ? consumer(headers) : consumer),
    mounts: lane.mounts,
    log,
    requestId: randomUUID,
    writeError: (exchange, error: GatewayError) => void lane.writeError(exchange, error),
  });
  const { port } = await edge.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => edge.close({ graceMs: 0 }));
  const begin: StartedLane['begin'] = (path, body, headers) => send(port, path, JSON.stringify(body), headers);
  const ask: StartedLane['ask'] = async (path, body, headers) => {
    const text = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    return read(await send(port, path, text, headers));
  };
  return { port, lane, requests, records, logged, inside: () => inside, ask, begin };
}

const RULES = { allowedHosts: [], allowedOrigins: [] };

function fakeHttp(requests: UpstreamRequest[], vendor: Vendor, fetchDocument: UpstreamHttp['fetchDocument'] | undefined): UpstreamHttp {
  const answer = async (request: UpstreamRequest, signal: Cancellation | undefined) => {
    requests.push(request);
    const { status = 200, headers, body } = await vendor(request, signal);
    return { status, headers: { ...headers }, body };
  };
  return {
    async send(request, { signal } = {}) {
      const { body, ...rest } = await answer(request, signal);
      if (typeof body === 'object' && Symbol.asyncIterator in body) throw new Error('a stream was not asked for');
      return { ...rest, body: bytesOf(body) };
    },
    async open(request, { signal } = {}) {
      const { body, ...rest } = await answer(request, signal);
      const stream =
        typeof body === 'object' && Symbol.asyncIterator in body
          ? body
          : (async function* (): AsyncGenerator<Buffer> {
              yield bytesOf(body);
            })();
      return { ...rest, body: stream };
    },
    fetchDocument: fetchDocument ?? (() => Promise.reject(new Error('nothing is to be fetched'))),
    close: () => Promise.resolve(),
  };
}

function bytesOf(body: string | Buffer | object): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function send(
  port: number,
  path: string,
  body: string | Buffer | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = httpRequest({ port, path, method, agent: false, headers: { 'content-type': 'application/json', ...headers } }, resolve);
    sent.on('error', reject).end(body);
  });
}

async function read(answer: IncomingMessage): Promise<Asked> {
  const pieces: Buffer[] = [];
  answer.on('data', (piece: Buffer) => pieces.push(piece)).on('error', () => {});
  await once(answer, 'close');
  const text = Buffer.concat(pieces).toString();
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    text,
    get json() {
      return JSON.parse(text) as JsonObject;
    },
    frames: framesOf(text),
    broken: !answer.complete,
  };
}

/** The events of a stream as a client sees them. */
function framesOf(text: string): SeenFrame[] {
  return text
    .split(/\r?\n\r?\n/)
    .map((frame) => frame.split(/\r?\n/))
    .filter((lines) => lines.some((line) => line.startsWith('data:')))
    .map((lines) => {
      const field = (name: string): string | undefined =>
        lines
          .find((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .trimStart();
      const data = field('data')!;
      return { event: field('event'), data: data === '[DONE]' ? data : (JSON.parse(data) as JsonObject) };
    });
}
