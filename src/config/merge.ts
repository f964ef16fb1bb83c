import { agentDocument, routeName, type Problem } from '../core/contracts/resource.ts';
import type { StoredResource } from '../core/contracts/store.ts';
import type {
  AgentConfig,
  ConsumerConfig,
  HubConfig,
  LoadedConfig,
  ModelRouteConfig,
  OverlayFile,
  ProviderConfig,
  RelatedFiles,
  VirtualServerConfig,
} from './types.ts';
import { joinSecrets } from './validate.ts';

export type Origin = 'file' | 'store';

/** Where a service's OpenAPI document comes from. */
export type DocumentPlace =
  | {
      readonly from: 'file';
      readonly text: string;
      readonly hash: string;
      readonly display: string;
      readonly related?: RelatedFiles;
      readonly error?: Problem;
    }
  /** `text` is read from the store only when `hash` is new. */
  | { readonly from: 'store'; readonly hash: string; text(): Promise<string> }
  | { readonly from: 'url'; readonly url: string };

/** Everything that is configured, by files and by the store, in one shape. */
export interface MergedConfig {
  readonly config: HubConfig;
  readonly virtualServers: ReadonlyMap<string, VirtualServerConfig>;
  /** By the name of the service. A service without one cannot be served. */
  readonly documents: ReadonlyMap<string, DocumentPlace>;
  /** By the name of the service, in the order in which they apply. */
  readonly overlays: ReadonlyMap<string, readonly OverlayFile[]>;
  origin(kind: string, name: string): Origin;
  locate: LoadedConfig['locate'];
  /** Entries of the store that a file's entry of the same name puts aside. */
  readonly problems: readonly Problem[];
}

type DocumentReader = (kind: string, name: string) => Promise<string | undefined>;

/** Puts entries of the store beside those of the files. On a clash of names the file wins, and the clash is reported (DESIGN 2.1). */
export function mergeConfig(
  loaded: LoadedConfig & { readonly config: HubConfig },
  stored: readonly StoredResource[],
  readDocument: DocumentReader,
  inProcess: ReadonlyMap<string, string>,
): MergedConfig {
  const merging = new Merging(loaded, readDocument, inProcess);
  for (const resource of stored) merging.add(resource);
  return merging.done();
}

class Merging {
  readonly #loaded: LoadedConfig & { readonly config: HubConfig };
  readonly #readDocument: DocumentReader;
  readonly #documents = new Map<string, DocumentPlace>();
  readonly #services = new Map<string, NonNullable<HubConfig['services']>[string]>();
  readonly #servers = new Map<string, NonNullable<HubConfig['servers']>[string]>();
  readonly #agents = new Map<string, AgentConfig>();
  readonly #virtualServers = new Map<string, VirtualServerConfig>();
  readonly #consumers = new Map<string, ConsumerConfig>();
  readonly #providers = new Map<string, ProviderConfig>();
  /** Names of the files' routes, as they are shown. */
  readonly #fileRoutes: ReadonlySet<string>;
  /** Routes of the store, by name. */
  readonly #models: ModelRouteConfig[] = [];
  readonly #problems: Problem[] = [];
  readonly #stored = new Set<string>();

  constructor(loaded: LoadedConfig & { readonly config: HubConfig }, readDocument: DocumentReader, inProcess: ReadonlyMap<string, string>) {
    this.#loaded = loaded;
    this.#readDocument = readDocument;
    const { config } = loaded;
    for (const { service, text, hash, display, related, error } of loaded.documents) {
      this.#documents.set(service, { from: 'file', text, hash, display, ...(related && { related }), ...(error && { error }) });
      // That of an agent is no service.
      if (!service.includes('/')) this.#services.set(service, {});
    }
    for (const [name, service] of Object.entries(config.services ?? {})) {
      this.#services.set(name, service);
      const url = service.url ?? (isUrl(service.spec) ? service.spec : undefined);
      const own = inProcess.get(service.baseUrl ?? '');
      if (url !== undefined) this.#documents.set(name, { from: 'url', url });
      else if (own !== undefined && !this.#documents.has(name))
        this.#documents.set(name, { from: 'file', text: own, hash: own, display: service.baseUrl! });
    }
    for (const [name, server] of Object.entries(config.servers ?? {})) this.#servers.set(name, server);
    for (const [name, agent] of Object.entries(config.agents ?? {})) this.#addAgent(name, agent);
    for (const [name, server] of loaded.virtualServers) this.#virtualServers.set(name, server);
    for (const consumer of config.consumers ?? []) this.#consumers.set(consumer.name, consumer);
    for (const [name, provider] of Object.entries(config.providers ?? {})) this.#providers.set(name, provider);
    this.#fileRoutes = new Set((config.models ?? []).map(routeName));
  }

  add(resource: StoredResource): void {
    const { kind, name } = resource;
    if (this.#isTaken(kind, name)) {
      const message = `The ${kind} entry "${name}" of the store is put aside: a file has an entry of that name. Delete one of them.`;
      this.#problems.push({ code: 'name_clash', severity: 'warning', message, pointer: `/${kind}/${name}` });
      return;
    }
    this.#stored.add(`${kind}/${name}`);
    const config = joinSecrets(kind, resource.config, resource.secrets);
    if (kind === 'services') this.#addService(resource, config as NonNullable<HubConfig['services']>[string]);
    else if (kind === 'servers') this.#servers.set(name, config as NonNullable<HubConfig['servers']>[string]);
    else if (kind === 'agents') this.#addAgent(name, config as AgentConfig);
    else if (kind === 'virtual-servers') this.#virtualServers.set(name, config as VirtualServerConfig);
    else if (kind === 'consumers') this.#consumers.set(name, { ...(config as object), name } as ConsumerConfig);
    else if (kind === 'providers') this.#providers.set(name, config as ProviderConfig);
    else if (kind === 'models') this.#models.push({ ...(config as ModelRouteConfig), name });
  }

  #isTaken(kind: string, name: string): boolean {
    if (kind === 'consumers') return this.#consumers.has(name);
    if (kind === 'providers') return this.#providers.has(name);
    if (kind === 'models') return this.#fileRoutes.has(name);
    return this.#services.has(name) || this.#servers.has(name) || this.#agents.has(name) || this.#virtualServers.has(name);
  }

  #addService({ name, kind, documentHash }: StoredResource, service: NonNullable<HubConfig['services']>[string]): void {
    this.#services.set(name, service);
    if (documentHash !== undefined) {
      const text = async (): Promise<string> => (await this.#readDocument(kind, name)) ?? '';
      this.#documents.set(name, { from: 'store', hash: documentHash, text });
    } else if (service.url !== undefined) this.#documents.set(name, { from: 'url', url: service.url });
  }

  #addAgent(name: string, agent: AgentConfig): void {
    this.#agents.set(name, agent);
    if (isUrl(agent.rest?.spec)) this.#documents.set(agentDocument(name), { from: 'url', url: agent.rest.spec });
  }

  /** A stored virtual server that takes tools from nowhere; those of files are checked with their files. */
  #missingSources(): Problem[] {
    const known = (name: string): boolean => this.#services.has(name) || this.#servers.has(name) || this.#agents.has(name);
    return [...this.#virtualServers].flatMap(([server, { tools }]) =>
      this.#stored.has(`virtual-servers/${server}`)
        ? tools.flatMap(({ from }, index): Problem[] =>
            known(from)
              ? []
              : [
                  {
                    code: 'unknown-source',
                    severity: 'error',
                    message: `There is no source "${from}".`,
                    pointer: `/virtual-servers/${server}/tools/${index}/from`,
                  },
                ],
          )
        : [],
    );
  }

  done(): MergedConfig {
    const config = {
      ...this.#loaded.config,
      services: Object.fromEntries(this.#services),
      servers: Object.fromEntries(this.#servers),
      agents: Object.fromEntries(this.#agents),
      consumers: [...this.#consumers.values()],
      providers: Object.fromEntries(this.#providers),
      models: [...(this.#loaded.config.models ?? []), ...this.#models],
    };
    return {
      config,
      virtualServers: this.#virtualServers,
      documents: this.#documents,
      overlays: this.#loaded.overlays,
      origin: (kind, name) => (this.#stored.has(`${kind}/${name}`) ? 'store' : 'file'),
      locate: (pointer) => (this.#stored.has(pointer.split('/').slice(1, 3).join('/')) ? undefined : this.#loaded.locate(pointer)),
      problems: [...this.#problems, ...this.#missingSources()],
    };
  }
}

function isUrl(spec: string | undefined): spec is string {
  return spec !== undefined && /^https?:/i.test(spec);
}
