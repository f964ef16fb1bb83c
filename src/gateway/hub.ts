import type { IncomingMessage } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { identify } from '../access/identify.ts';
import { createAdminApi, type AdminApi } from '../admin/api.ts';
import { adminMounts, askForToken, createAdminIdentify, metricsMount, sendProblem } from '../admin/mounts.ts';
import type { AdminHub, ReloadResult } from '../admin/hub.ts';
import type { AnyExtension } from '../config/extensions.ts';
import { loadConfig } from '../config/load.ts';
import { loadOrCreateAdminToken, loadOrCreateSecretKey, type Environment } from '../config/secrets.ts';
import { watchConfig, type ConfigWatch } from '../config/watch.ts';
import { ANONYMOUS, type Consumer } from '../core/consumer.ts';
import type { Problem } from '../core/contracts/resource.ts';
import type { State } from '../core/contracts/state.ts';
import type { Store } from '../core/contracts/store.ts';
import { GatewayError } from '../core/errors.ts';
import { Redactor } from '../core/redact.ts';
import { HubSemantics } from '../embedding/semantics.ts';
import { demoAgent } from '../demo/agent.ts';
import { demoModel } from '../demo/model.ts';
import { petstore } from '../demo/petstore.ts';
import { sendError } from '../http/answers.ts';
import { createEdge, type Edge } from '../http/server.ts';
import { GenerationSlot, type Generation } from '../pipeline/generation.ts';
import { Reloads } from '../pipeline/reload.ts';
import { openStore } from '../storage/open-store.ts';
import { openState } from '../storage/state/open-state.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { createEgress, type Egress } from '../upstreams/egress.ts';
import { Gauges } from '../upstreams/health/gauges.ts';
import { createHttp, type InProcessService, type UpstreamHttp } from '../upstreams/http.ts';
import { adminHub } from './admin-hub.ts';
import { adminService } from './admin-service.ts';
import { checkAdminListener } from './check-admin-listener.ts';
import { namedModels } from './evaluation/named-models.ts';
import { createHostFactory } from './extensions/extension-host.ts';
import { loadBuiltins } from './extensions/extension-set.ts';
import { buildGeneration, ConfigRefused, readDirectory, type HubGeneration } from './generation.ts';
import type { Lanes } from './lanes/lanes.ts';
import { lanesOf } from './lanes/lanes-of.ts';
import { publicMounts, unauthenticated } from './public-mounts.ts';
import { Recording } from './recording.ts';

export interface HubOptions {
  /** Path of hubgate.yaml. */
  readonly configFile: string;
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  /** `sqlite:` or a store's URL. */
  readonly store: string;
  /** What nodes share: `memory:`. */
  readonly state: string;
  readonly env: Environment;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** A missing hubgate.yaml is an empty one. */
  readonly optionalConfig?: boolean;
}

/** Milliseconds that calls on a retired generation have to end: policies are part of a stream until its last chunk. */
const LONGEST_CALL_MS = 3_660_000;

/** The base URL of the admin API as a service inside the process. */
const ADMIN_SERVICE = 'hub:admin';

/** A whole hub in one process. The one place that knows every folder; what it knows is how they are joined. */
export class Hub {
  readonly options: HubOptions;
  readonly store: Store;
  readonly http: UpstreamHttp;
  readonly log: Log;
  readonly redactor: Redactor;
  readonly adminToken: string;
  readonly lanes: Lanes;
  readonly recording: Recording;
  readonly state: State;
  readonly semantics: HubSemantics;
  /** What is seen of all targets; outlives generations. */
  readonly gauges = new Gauges();
  readonly admin: AdminHub;
  readonly slot: GenerationSlot<HubGeneration>;
  /** Where the public listener is. */
  url = 'http://127.0.0.1';
  /** What refused the last change; empty when the configuration on disk is the one that serves. */
  refused: readonly Problem[] = [];
  readonly #builtins: readonly AnyExtension[];
  readonly #hostOf: ReturnType<typeof createHostFactory>;
  readonly #reloads: Reloads<ReloadResult>;
  readonly #api: AdminApi;
  readonly #documents: ReadonlyMap<string, string>;
  readonly #ownPorts: number[] = [];
  #egress: { readonly key: string; readonly rules: Egress } = { key: '', rules: createEgress({ allow: [], ownPorts: [] }) };
  #edges: readonly Edge[] = [];
  #watch: ConfigWatch | undefined;

  private constructor(
    options: HubOptions,
    parts: {
      store: Store;
      state: State;
      log: Log;
      redactor: Redactor;
      secretKey: Buffer;
      adminToken: string;
      builtins: readonly AnyExtension[];
    },
  ) {
    this.options = options;
    this.store = parts.store;
    this.state = parts.state;
    this.log = parts.log;
    this.redactor = parts.redactor;
    this.adminToken = parts.adminToken;
    this.#builtins = parts.builtins;
    const services = new Map<string, InProcessService>([
      ['demo:petstore', petstore],
      ['demo:model', demoModel],
      ['demo:echo', demoAgent],
      [ADMIN_SERVICE, (request) => adminService(this.#api)(request)],
    ]);
    this.http = createHttp({ egress: () => this.#egress.rules, services });
    this.semantics = new HubSemantics({
      log: this.log,
      vectors: this.store.vectors,
      models: join(options.dataDir, 'models'),
      ask: (model, texts, signal) => this.lanes.models.embed(model, texts, signal),
    });
    this.#hostOf = createHostFactory({ http: this.http, store: this.store, state: this.state, semantics: this.semantics, log: this.log });
    this.slot = new GenerationSlot(async (content) => {
      await Promise.all([this.lanes.release(content), content.extensions.dispose()]);
    }, LONGEST_CALL_MS);
    this.#reloads = new Reloads(() => this.#reload());
    this.recording = new Recording(options, this.log, this.semantics);
    this.lanes = lanesOf(this, parts.secretKey);
    this.admin = adminHub(this);
    this.#api = createAdminApi(this.admin);
    // Inside the process nobody has to show a token: only hubgate.yaml can name the service.
    this.#documents = new Map([[ADMIN_SERVICE, JSON.stringify({ ...this.#api.document, security: [] })]]);
  }

  /** Opens the store and loads the configuration; listens nowhere yet. Throws ConfigRefused. */
  static async open(options: HubOptions): Promise<Hub> {
    const { dataDir, env } = options;
    const secretKey = loadOrCreateSecretKey(dataDir, env);
    const { token, given } = loadOrCreateAdminToken(dataDir, env);
    checkAdminListener(options, token, given);
    const redactor = new Redactor();
    for (const secret of [secretKey.toString('hex'), token]) redactor.add(secret);
    const log = createLog({ redactor, ...(options.logLevel === undefined ? {} : { level: options.logLevel }) });
    const [store, builtins] = await Promise.all([openStore(options.store, { dataDir, secretKey }), loadBuiltins()]);
    const state = await openState(options.state, { store: store.keyValue('state'), log });
    const hub = new Hub(options, { store, state, log, redactor, secretKey, adminToken: token, builtins });
    const [first] = await Promise.all([hub.reload(), hub.lanes.tools.load()]);
    if (first.ok) return hub;
    await hub.close();
    throw new ConfigRefused(first.problems);
  }

  /** Listens on both addresses and watches the files. */
  async listen(): Promise<{ readonly url: string; readonly adminUrl: string }> {
    const { host, port, adminHost, adminPort } = this.options;
    const rules = () => this.slot.current.content.edgeRules;
    const facts = { isReady: () => this.lanes.tools.isSettled, publicUrl: () => this.now?.merged.config.publicUrl };
    const edge = createEdge({
      rules,
      identify: (request: IncomingMessage) => identify(request, this.slot.current.content.directory),
      mounts: [...this.lanes.mounts, ...publicMounts(facts)],
      log: this.log,
      writeError: (exchange, error) => void (this.lanes.writeError(exchange, error) || sendError(exchange, error)),
      unauthenticated: unauthenticated(facts, (exchange, error) => this.lanes.writeError(exchange, error)),
    });
    const admin = createEdge({
      rules,
      identify: createAdminIdentify(this.adminToken),
      mounts: [
        ...adminMounts(this.#api),
        metricsMount(this.recording.metrics, { open: () => this.now?.merged.config.metrics?.open === true }),
      ],
      log: this.log,
      cors: false,
      writeError: sendProblem,
      unauthenticated: askForToken,
    });
    this.#edges = [edge, admin];
    const [open, closed] = await Promise.all([
      edge.listen({ host, port }),
      admin.listen({ host: adminHost, port: adminPort, option: 'admin-port' }),
    ]);
    this.url = open.url;
    this.#ownPorts.push(open.port, closed.port);
    this.#setEgress();
    this.#watch = watchConfig({
      file: this.options.configFile,
      onChange: () => void this.reload(),
      onError: (err) => this.log.error({ err }, 'files cannot be watched; changes are served after POST /admin/v1/reload or a restart'),
    });
    this.#follow();
    return { url: open.url, adminUrl: closed.url };
  }

  /** Loads the configuration again and serves it, unless something in it is wrong: then everything stays as it is. */
  reload(): Promise<ReloadResult> {
    return this.#reloads.request();
  }

  /** All that is wrong with what serves now. */
  get problems(): readonly Problem[] {
    const { content } = this.slot.current;
    return [...content.problems, ...this.lanes.problems(content)];
  }

  async refreshKeys(): Promise<void> {
    const { content } = this.slot.current;
    const directory = await readDirectory(content.merged, this.store);
    // A generation that was swapped in meanwhile may have read its keys before this change.
    if (this.slot.current.content !== content) return this.refreshKeys();
    const lost = content.directory.lostIn(directory);
    content.directory = directory;
    return this.lanes.tools.endStreams(lost);
  }

  consumer(name: string): Consumer | undefined {
    const directory = this.now?.directory;
    return directory?.open === true && name === ANONYMOUS.name ? ANONYMOUS : directory?.get(name);
  }

  async close(graceMs = 0): Promise<void> {
    await this.#watch?.close();
    this.lanes.endStreams();
    await Promise.all(this.#edges.map((edge) => edge.close({ graceMs })));
    await this.slot.close();
    await this.lanes.close();
    await this.semantics.close();
    await this.http.close();
    await this.state.close();
    await Promise.all([this.store.close(), this.recording.calls.close()]);
    this.log.flush();
  }

  /** Absent before the first configuration serves. */
  get now(): HubGeneration | undefined {
    return this.slot.isLoaded ? this.slot.current.content : undefined;
  }

  async #reload(): Promise<ReloadResult> {
    const before = this.now;
    try {
      const { configFile: file, env, optionalConfig } = this.options;
      const stored = await this.store.resources.all();
      const loaded = await loadConfig({
        file,
        env,
        builtins: this.#builtins,
        storedSources: stored.filter(({ kind }) => kind === 'services' || kind === 'servers' || kind === 'agents').map(({ name }) => name),
        ...(optionalConfig === undefined ? {} : { optional: optionalConfig }),
        ...(before === undefined ? {} : { previous: before.loaded }),
      });
      for (const secret of loaded.secrets) this.redactor.add(secret);
      const parts = {
        store: this.store,
        stored,
        documents: this.#documents,
        lanes: this.lanes,
        builtins: this.#builtins,
        hostOf: this.#hostOf,
        listensOn: this.options.host,
        folder: dirname(resolve(file)),
        addSecret: (value: string) => this.redactor.add(value),
      };
      // At a start there are no rules yet, and sources fetch their documents while they are built.
      if (before === undefined) this.#setEgress(loaded.config?.egress?.allow);
      const built = await buildGeneration(loaded, parts, before);
      if ('refused' in built) return this.#refuse(built.refused, loaded.files);
      // Keys may have come and gone while the rest was built; nothing waits between this and the swap.
      built.generation.directory = await readDirectory(built.generation.merged, this.store);
      const generation = this.slot.swap(built.generation);
      this.semantics.configure(built.generation.merged.config.embedding, {
        folder: parts.folder,
        embedders: generation.content.extensions.embedders,
        named: namedModels(built.generation.merged.config),
      });
      this.lanes.adopt(built.generation);
      built.generation.extensions.serve();
      this.gauges.keep(this.lanes.gaugeKeys());
      this.recording.follow(built.generation.merged.config);
      if (before !== undefined) this.lanes.tools.endStreams(before.directory.lostIn(built.generation.directory));
      this.refused = [];
      if (this.#setEgress()) this.lanes.tools.loadFailedAgain();
      this.#follow();
      this.#report(generation);
      return { ok: true, generation: generation.number, problems: this.problems };
    } catch (error) {
      const { message, detail } = GatewayError.from(error);
      this.log.error({ detail }, 'the configuration could not be loaded');
      return this.#refuse([{ code: 'reload_failed', severity: 'error', message }]);
    }
  }

  #refuse(found: readonly Problem[], files?: readonly string[]): ReloadResult {
    // Some of it is said by extensions, which know their options.
    const problems = found.map((problem) => ({ ...problem, message: this.redactor.redact(problem.message) }));
    this.refused = problems;
    if (files !== undefined) this.#watch?.follow(files);
    if (this.slot.isLoaded) {
      for (const { file, line, column, code, message } of problems)
        this.log.error({ code, file, line, column }, `change refused: ${message}`);
    }
    return { ok: false, generation: this.slot.isLoaded ? this.slot.current.number : 0, problems };
  }

  /** A new object only when something changed, which it says: connections made under old rules are not used again. */
  #setEgress(allow = this.now?.merged.config.egress?.allow): boolean {
    const rules = { allow: allow ?? [], ownPorts: [...this.#ownPorts] };
    const key = JSON.stringify(rules);
    if (key === this.#egress.key) return false;
    this.#egress = { key, rules: createEgress(rules) };
    return true;
  }

  #follow(): void {
    if (this.now !== undefined) this.#watch?.follow(this.now.loaded.files);
  }

  #report({ number }: Generation<HubGeneration>): void {
    for (const { file, line, code, message } of this.problems) this.log.warn({ code, file, line }, message);
    if (number > 1) this.log.info({ generation: number, warnings: this.problems.length }, 'configuration loaded');
  }
}
