import { createHash } from 'node:crypto';
import type { AdminHub, ConfiguredEntry } from '../../../src/admin/hub.ts';
import { createAdminApi } from '../../../src/admin/api.ts';
import type { AdminAnswer } from '../../../src/admin/route.ts';
import { ANONYMOUS } from '../../../src/core/consumer.ts';
import type { Problem } from '../../../src/core/contracts/resource.ts';
import type { Store, StoredResource } from '../../../src/core/contracts/store.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import { importReport } from '../../../src/lanes/tools/report.ts';
import { openCallLog } from '../../../src/storage/calls/open-call-log.ts';
import { openStore } from '../../../src/storage/open-store.ts';

export const PETS = {
  openapi: '3.1.0',
  info: { title: 'Pet Shop - v1', version: '1.0' },
  servers: [{ url: 'https://pets.example.com' }],
  paths: { '/pets': { get: { operationId: 'listPets', summary: 'List pets', responses: { 200: { description: 'Pets.' } } } } },
};

const SILENT = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };

/** A hub that serves what its files and its store say, without lanes; the store and the reading of documents are the real ones. */
export class FakeHub {
  /** Entries of files by kind and name. */
  readonly files: Record<string, Record<string, unknown>> = {};
  readonly secrets: string[] = [];
  /** What a reload finds wrong. */
  judge: (stored: readonly StoredResource[]) => Problem[] = () => [];
  /** Documents by URL. */
  readonly web = new Map<string, string>();
  generation = 1;
  reloads = 0;
  readonly store: Store;
  readonly calls = openCallLog({ path: ':memory:', log: SILENT });
  #stored: readonly StoredResource[] = [];
  #refused: readonly Problem[] = [];
  keyRefreshes = 0;

  constructor(store: Store) {
    this.store = store;
  }

  static async open(): Promise<FakeHub> {
    const store = await openStore('sqlite::memory:', { dataDir: '/nowhere', secretKey: Buffer.alloc(32, 7) });
    return new FakeHub(store);
  }

  get admin(): AdminHub {
    return {
      store: this.store,
      calls: this.calls,
      status: () => ({
        version: '0',
        generation: this.generation,
        config: { ok: this.#refused.length === 0, errors: this.#refused, warnings: [] },
        sources: [],
        targets: [],
        agents: [],
        semantic: { requested: 'auto', active: 'static', model: 'hubgate-static-en@2', dims: 256, degraded: false },
      }),
      reload: () => this.reload(),
      refreshKeys: async () => void (this.keyRefreshes += 1),
      entries: (kind) => this.#entries(kind),
      problems: (_kind, name) => (name === 'sick' ? [{ code: 'ill', message: 'It is ill.', severity: 'error' }] : []),
      consumer: (name) => this.#consumer(name),
      tools: (server, consumer) => [{ name: `tool_of_${server}_for_${consumer.name}` }],
      searchTools: async ({ consumer, ...question }) => ({ tools: [], asked: { ...question, consumer: consumer.name } }),
      evaluateTools: async ({ consumer, ...evaluation }) => ({ asked: { ...evaluation, consumer: consumer.name } }),
      evaluateRoutes: async (evaluation) => ({ asked: evaluation }),
      models: async (consumer) => [{ id: `model-for-${consumer.name}` }],
      explainModel: async ({ model, ...more }) => ({
        visible: true,
        callable: true,
        steps: [{ rule: model, effect: 'info', value: more }],
      }),
      explainTool: async (server, tool) => ({ visible: true, callable: true, steps: [{ rule: `${server}/${tool}`, effect: 'info' }] }),
      explainAgent: async ({ agent, skill }) => ({
        visible: true,
        callable: true,
        steps: [{ rule: agent, effect: 'info', value: { skill } }],
      }),
      refreshAgent: async (agent) => {
        if (!this.#entries('agents').some(({ name }) => name === agent)) throw new GatewayError('not_found', 'There is no such agent.');
        return { name: agent, origin: 'file', state: 'ready', skills: 1, instances: [] };
      },
      report: async (service) => ({ file: service, ok: true, tools: [], warnings: [], leftOut: [], operations: [] }),
      refresh: async (service) => ({ file: `${service} again`, ok: true, tools: [], warnings: [], leftOut: [] }),
      examine: async (source) => {
        const text = 'document' in source ? source.document : this.web.get(source.url);
        if (text === undefined) throw new GatewayError('egress_refused', 'The hub may not connect to 10.0.0.1:80.');
        const report = await importReport('url' in source ? source.url : source.name, { text, name: source.name });
        return { ok: report.ok, report, text };
      },
      addSecret: (value) => void this.secrets.push(value),
    };
  }

  async reload(): ReturnType<AdminHub['reload']> {
    this.reloads += 1;
    const stored = await this.store.resources.all();
    this.#refused = this.judge(stored);
    if (this.#refused.length > 0) return { ok: false, generation: this.generation, problems: this.#refused };
    this.#stored = stored;
    this.generation += 1;
    return { ok: true, generation: this.generation, problems: [] };
  }

  #entries(kind: string): ConfiguredEntry[] {
    const files = Object.entries(this.files[kind] ?? {}).map(([name, config]): ConfiguredEntry => ({
      name,
      origin: 'file',
      config,
      revision: createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 8),
    }));
    const names = new Set(files.map(({ name }) => name));
    const stored = this.#stored.filter((one) => one.kind === kind && !names.has(one.name));
    return [...files, ...stored.map(({ name, config, revision }): ConfiguredEntry => ({ name, origin: 'store', config, revision }))];
  }

  #consumer(name: string | undefined) {
    if (name === undefined && this.#entries('consumers').length === 0) return ANONYMOUS;
    if (name === undefined) throw new GatewayError('bad_request', 'Say for which consumer.');
    if (!this.#entries('consumers').some((entry) => entry.name === name)) throw new GatewayError('not_found', 'There is no such consumer.');
    return { name, groups: [], anonymous: false };
  }
}

/** What answers may have; each has some of it. */
interface AnswerBody {
  readonly items: readonly unknown[];
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly revision: string;
  readonly config: { readonly [key: string]: unknown };
  readonly state: unknown;
  readonly id: string;
  readonly key: string;
}

export interface Answer extends AdminAnswer {
  readonly body: AnswerBody;
}

export type Ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

/** Asks the API as a caller would; `path` may have a query. */
export function asking(hub: FakeHub): Ask {
  const api = createAdminApi(hub.admin);
  return async (method, path, body, headers = {}) => {
    const url = new URL(`http://hub${path.startsWith('/admin') ? path : `/admin/v1/${path}`}`);
    const answer = await api.handle({ method, path: url.pathname, query: url.searchParams, headers, body });
    return answer as Answer;
  };
}
