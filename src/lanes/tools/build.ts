import type { JsonObject } from '../../core/json.ts';
import { compileAccess, type Access, type LocateRule } from '../../access/permit.ts';
import type { AgentConfig, AgentRestConfig, MergedConfig, ServerConfig, ServiceConfig } from '../../config/types.ts';
import { agentDocument } from '../../core/contracts/resource.ts';
import type { ToolSource } from '../../core/contracts/tool-source.ts';
import { GatewayError } from '../../core/errors.ts';
import { fingerprint } from '../../core/secret.ts';
import { composeChain, type BoundPolicy, type Chain } from '../../pipeline/chain.ts';
import type { Plan } from '../../pipeline/forward.ts';
import { letGo } from '../../pipeline/source-uses.ts';
import { RetryBudget } from '../../upstreams/health/retry-budget.ts';
import { rootDoor, sourceDoor, virtualDoor, type Door } from './doors/catalog.ts';
import type { SourceEntry } from './doors/source-entry.ts';
import type { AgentToolsOf, BuildHost, ToolsHost } from './host.ts';
import { ServiceSource, type ServiceFacts } from './sources/service-source.ts';

/** All of the tools lane in one generation. */
export interface ToolsGeneration {
  readonly doors: ReadonlyMap<string, Door>;
  readonly entries: ReadonlyMap<string, SourceEntry>;
  /** Sources by name with the key they were made from, so that the next generation can take over what did not change. */
  readonly sources: ReadonlyMap<string, { readonly key: string; readonly source: ToolSource }>;
  readonly merged: MergedConfig;
}

/** Sources made of agents follow the configuration by themselves. */
const AGENT = 'agent';

/** Further tries of calls that can do no harm a second time. */
const RETRIES = 2;

/** Milliseconds that a build waits for documents: an edit of a small one is then served by the same generation as the edits beside it. */
const DOCUMENT_WAIT_MS = 150;

/** What a generation is built from. */
export interface BuildParts {
  readonly merged: MergedConfig;
  readonly host: ToolsHost;
  readonly lent: BuildHost;
  /** The policies that all lanes share. */
  readonly shared: readonly BoundPolicy[];
  readonly fromAgent: AgentToolsOf;
  /** What did not change is taken over from it. */
  readonly before: ToolsGeneration | undefined;
}

/** Builds the lane. Throws when nothing may change. */
export async function buildTools(parts: BuildParts): Promise<ToolsGeneration> {
  const { services = {}, servers = {}, agents = {} } = parts.merged.config;
  const building = new Building(parts);
  try {
    for (const [name, service] of enabled(services)) await building.addService(name, service);
    for (const [name, server] of enabled(servers)) await building.addServer(name, server);
    for (const [name, agent] of enabled(agents)) {
      // Agents have names of their own: one that shares its name with something at /mcp is no source of tools.
      if (!Object.hasOwn(services, name) && !Object.hasOwn(servers, name) && !parts.merged.virtualServers.has(name))
        await building.addAgent(name, agent);
      if (agent.rest?.spec !== undefined) building.addDocument(agentDocument(name), agent.rest, agent.auth);
    }
    await building.settle();
    return await building.finish();
  } catch (error) {
    await building.abandon();
    throw error;
  }
}

function enabled<T extends { readonly enabled?: boolean }>(entries: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(entries).filter(([, entry]) => entry.enabled !== false);
}

/** What is gauged together: all calls of a source. */
export function gaugeKey(source: string): string {
  return `tools/${source}`;
}

class Building {
  readonly #merged: MergedConfig;
  readonly #host: ToolsHost;
  readonly #lent: BuildHost;
  readonly #shared: readonly BoundPolicy[];
  readonly #fromAgent: AgentToolsOf;
  readonly #before: ToolsGeneration | undefined;
  readonly #entries = new Map<string, SourceEntry>();
  readonly #sources = new Map<string, { key: string; source: ToolSource }>();
  readonly #loading: Promise<void>[] = [];

  constructor({ merged, host, lent, shared, fromAgent, before }: BuildParts) {
    this.#merged = merged;
    this.#host = host;
    this.#lent = lent;
    this.#shared = shared;
    this.#fromAgent = fromAgent;
    this.#before = before;
  }

  async addService(name: string, config: ServiceConfig): Promise<void> {
    const facts = this.#serviceFacts(name, config);
    const known = this.#before?.sources.get(name);
    const source = known?.key === facts.key ? known.source : new ServiceSource(facts, this.#host, serviceOf(known?.source));
    if (source instanceof ServiceSource) this.#loading.push(source.loadAgain());
    await this.#add(name, 'service', facts.key, source, config, config.tools);
  }

  /** A document whose operations somebody else calls: there is no door to it. */
  addDocument(name: string, { url }: AgentRestConfig, auth: AgentConfig['auth']): void {
    if (auth === 'oauth' || (auth !== undefined && 'forward' in auth))
      throw new GatewayError(
        'bad_request',
        `${name.replace('/', '.')}.auth: an HTTP API takes bearer, basic, header, query, oauth2 or schemes.`,
      );
    const facts = this.#serviceFacts(
      name,
      { ...(url === undefined ? {} : { baseUrl: url }), ...(auth === undefined ? {} : { auth }) },
      'agents',
    );
    const known = this.#before?.sources.get(name);
    const source = known?.key === facts.key ? known.source : new ServiceSource(facts, this.#host, serviceOf(known?.source));
    if (source instanceof ServiceSource) this.#loading.push(source.loadAgain());
    this.#sources.set(name, { key: facts.key, source });
  }

  /** The policies of the agent hold for the messages that its tools send, and those at root for both. */
  async addAgent(name: string, { description, icons }: AgentConfig): Promise<void> {
    const known = this.#before?.sources.get(name);
    const made = this.#fromAgent(name);
    const source = known?.key === AGENT ? known.source : made.source;
    const config = { ...(description === undefined ? {} : { description }), ...(icons === undefined ? {} : { icons }) };
    await this.#add(name, 'agent', AGENT, source, config, undefined, made.access);
  }

  async addServer(name: string, config: ServerConfig): Promise<void> {
    if (config.source === undefined) return;
    const key = fingerprint([config.source, this.#lent.extensionVersion('tool-source', config.source), config.options]);
    const known = this.#before?.sources.get(name);
    const source = known?.key === key ? known.source : await this.#lent.createSource(config.source, name, config.options);
    await this.#add(name, 'server', key, source, config, undefined);
  }

  /** Waits a moment for documents; a large one goes on in the background. */
  async settle(): Promise<void> {
    if (this.#loading.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, DOCUMENT_WAIT_MS)));
    await Promise.race([Promise.all(this.#loading), enough]);
    clearTimeout(timer);
  }

  async finish(): Promise<ToolsGeneration> {
    const doors = new Map<string, Door>();
    doors.set(
      '',
      rootDoor([...this.#entries.values()], this.#chain([]), this.#merged.config.search, (consumer) =>
        this.#host.agents.mayCallAny(consumer),
      ),
    );
    for (const entry of this.#entries.values()) doors.set(entry.name, sourceDoor(entry));
    for (const [name, config] of this.#merged.virtualServers) {
      if (config.enabled === false) continue;
      const access = compileAccess(config.access, this.#locator(`/virtual-servers/${name}/access`));
      doors.set(
        name,
        virtualDoor(name, config, access, this.#entries, this.#chain(await this.#lent.bind(config.policies, `virtual-servers/${name}`))),
      );
    }
    return { doors, entries: this.#entries, sources: this.#sources, merged: this.#merged };
  }

  /** Lets go of the sources that were made for nothing. */
  async abandon(): Promise<void> {
    const kept = new Set([...(this.#before?.sources.values() ?? [])].map(({ source }) => source));
    const made = [...this.#sources.values()].filter(({ source }) => !kept.has(source));
    await Promise.all(made.map(({ source }) => letGo(source, this.#host.log)));
  }

  #serviceFacts(name: string, config: ServiceConfig, kind: 'services' | 'agents' = 'services'): ServiceFacts {
    const origin = this.#merged.origin(kind, kind === 'agents' ? name.slice('agents/'.length) : name);
    const place = this.#merged.documents.get(name);
    const where =
      place === undefined
        ? ''
        : place.from === 'url'
          ? place.url
          : `${place.hash}${place.from === 'file' ? `${place.display}${place.error?.message ?? ''}` : ''}`;
    const limits = this.#merged.config.documents ?? {};
    const overlays = origin === 'file' ? (this.#merged.overlays.get(name) ?? []) : [];
    const documentKey = fingerprint([
      origin,
      where,
      overlays.map(({ display, hash }) => [display, hash]),
      config.outputSchemas,
      config.exposeOperation,
      limits,
    ]);
    const key = fingerprint([documentKey, config.baseUrl, config.timeout, config.auth]);
    return { name, origin, config, place, overlays, limits, key, documentKey };
  }

  async #add(
    name: string,
    kind: SourceEntry['kind'],
    key: string,
    source: ToolSource,
    config: ServiceConfig | ServerConfig,
    settings: SourceEntry['settings'],
    access?: Access,
  ): Promise<void> {
    const icons = config.icons ?? (config.icon === undefined ? undefined : [{ src: config.icon }]);
    const kindKey = `${kind}s` as const;
    this.#sources.set(name, { key, source });
    this.#entries.set(name, {
      name,
      kind,
      origin: this.#merged.origin(kindKey, name),
      source,
      access: access ?? compileAccess(config.access, this.#locator(`/${kindKey}/${name}/access`)),
      chain: this.#chain(await this.#lent.bind(config.policies, `${kindKey}/${name}`)),
      plan: await this.#plan(name, config),
      breaker: config.breaker,
      price: config.price,
      description: config.description,
      icons: icons as readonly JsonObject[] | undefined,
      sessions: 'sessions' in config ? (config.sessions ?? 'required') : 'required',
      settings,
    });
  }

  /** One target: what calls show of it is kept over all doors and generations. */
  async #plan(name: string, { retries = RETRIES }: ServiceConfig | ServerConfig): Promise<Plan> {
    const gauge = this.#host.gauges.for(gaugeKey(name));
    const choice = { target: { name, upstream: name }, weight: 1, gauge, figures: gauge };
    const balancer = await this.#lent.createBalancer('weight', {}, '');
    return { pools: [{ choices: [choice], balancer }], retries, budget: new RetryBudget() };
  }

  #chain(own: readonly BoundPolicy[]): Chain {
    return composeChain([...this.#shared, ...own], 'tools');
  }

  #locator(base: string): LocateRule {
    return (pointer) => this.#merged.locate(`${base}${pointer}`);
  }
}

function serviceOf(source: ToolSource | undefined): ServiceSource | undefined {
  return source instanceof ServiceSource ? source : undefined;
}
