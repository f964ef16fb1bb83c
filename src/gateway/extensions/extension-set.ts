import { readdir } from 'node:fs/promises';
import { checkOptions, codePlace, type AnyExtension } from '../../config/extensions.ts';
import type { PolicyUse } from '../../config/types.ts';
import type { Lane } from '../../core/call.ts';
import type { Policy } from '../../core/contracts/policy.ts';
import type { Provider, ProviderExtension } from '../../core/contracts/provider.ts';
import type { ToolSource, ToolSourceExtension } from '../../core/contracts/tool-source.ts';
import type { Balancer, BalancerExtension } from '../../core/contracts/balancer.ts';
import type { Embedder, EmbedderExtension } from '../../core/contracts/embedder.ts';
import type { Awaitable } from '../../core/contracts/extension.ts';
import type { Problem } from '../../core/contracts/resource.ts';
import { GatewayError } from '../../core/errors.ts';
import { fingerprint } from '../../core/secret.ts';
import type { Embedders } from '../../embedding/ladders.ts';
import type { ModelsBuildHost } from '../../lanes/models/host.ts';
import type { BuildHost } from '../../lanes/tools/host.ts';
import type { BoundPolicy } from '../../pipeline/chain.ts';
import { appliesTo } from './applies.ts';
import type { HostFactory } from './extension-host.ts';

/** Folders in which every file is an extension of the hub itself; what begins with `_` is shared by its neighbours. */
const FOLDERS = ['../../policies/', '../../lanes/models/providers/', '../../upstreams/balancers/', '../../embedding/embedders/'];

/** The extensions of the hub itself: the folder is the registry. */
export async function loadBuiltins(): Promise<readonly AnyExtension[]> {
  const loaded = await Promise.all(
    FOLDERS.map(async (path) => {
      const folder = new URL(path, import.meta.url);
      const files = (await readdir(folder)).filter((file) => /^[^_.].*\.(?:ts|js)$/.test(file) && !file.endsWith('.d.ts'));
      return Promise.all(files.map((file) => import(new URL(file, folder).href) as Promise<{ default: AnyExtension }>));
    }),
  );
  return loaded.flat().map((module) => module.default);
}

const versions = new WeakMap<AnyExtension, string>();
let counted = 0;

/** The code of an extension failed when an instance was to be made. */
export class ExtensionFailure extends Error {
  readonly problem: Problem;

  constructor(what: string, cause: unknown, folder: string) {
    super(`${what} could not be made: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'ExtensionFailure';
    this.problem = { code: 'extension-failed', severity: 'error', message: this.message, ...codePlace(cause, folder) };
  }
}

/** What the extensions of a generation have to know of it. */
interface Surroundings {
  /** That of the configuration. */
  readonly folder: string;
  /** Whether the entry at a place, such as `models/support`, came by the admin API. */
  isStored(place: string): boolean;
  /** Hears of every secret before anything can show it. */
  addSecret(value: string): void;
}

/** The extensions that one generation is built with, and what it made of them. */
export class ExtensionSet implements BuildHost, ModelsBuildHost {
  readonly #extensions: readonly AnyExtension[];
  readonly #hostOf: HostFactory;
  readonly #folder: string;
  readonly #isStored: Surroundings['isStored'];
  readonly #addSecret: Surroundings['addSecret'];
  readonly #bound: BoundPolicy[] = [];

  constructor(extensions: readonly AnyExtension[], hostOf: HostFactory, { folder, isStored, addSecret }: Surroundings) {
    this.#extensions = extensions;
    this.#hostOf = hostOf;
    this.#folder = folder;
    this.#isStored = isStored;
    this.#addSecret = addSecret;
  }

  async bind(uses: readonly PolicyUse[] | undefined, place: string): Promise<readonly BoundPolicy[]> {
    const bound: BoundPolicy[] = [];
    // One after the other: when one fails, the others are there to be let go.
    const places = new Set<string>();
    for (const use of uses ?? []) {
      const at = placeOf(use, place, places);
      bound.push(await this.#bindOne(use, at));
    }
    return bound;
  }

  async createBalancer(name: string, options: unknown, place: string): Promise<Balancer> {
    const found = this.#find('balancer', name) as BalancerExtension;
    check(found, options, place);
    return this.#make(`The balancer ${name}`, () => found.create(options, this.#hostOf(`balancer:${name}`, place)));
  }

  async createSource(extension: string, name: string, options: unknown): Promise<ToolSource> {
    const found = this.#find('tool-source', extension) as ToolSourceExtension;
    check(found, options ?? {}, `servers.${name}.options`);
    return this.#make(`The tool source ${extension} for ${name}`, () =>
      found.create({ ...(options as object | undefined), name }, this.#hostOf(`tool-source:${name}`)),
    );
  }

  async createProvider(type: string, name: string, options: object): Promise<Provider> {
    const found = this.#find('provider', type) as ProviderExtension;
    check(found, options, `providers.${name} (type ${type})`);
    return this.#make(`The provider ${name}`, () => found.create(options, this.#hostOf(`provider:${name}`)));
  }

  /** The embedders that this generation knows. What is made of them outlives it. */
  get embedders(): Embedders {
    const create = async (name: string, options: unknown): Promise<Embedder> => {
      const found = this.#find('embedder', name) as EmbedderExtension;
      check(found, options, 'embedding.options');
      for (const secret of secretsIn(found.options, options)) this.#addSecret(secret);
      return found.create(options, this.#hostOf(`embedder:${name}`));
    };
    const names = this.#extensions.filter(({ kind }) => kind === 'embedder').map(({ name }) => name);
    return { names, version: (name) => this.extensionVersion('embedder', name), create };
  }

  extensionVersion(kind: 'provider' | 'tool-source' | 'embedder', extension: string): string {
    const found = this.#find(kind, extension);
    let version = versions.get(found);
    if (version === undefined) versions.set(found, (version = String(++counted)));
    return version;
  }

  /** The generation begins to serve. */
  serve(): void {
    for (const { name, hooks } of this.#bound) {
      try {
        hooks.onServe?.();
      } catch (err) {
        this.#hostOf(`policy:${name}`).log.error({ err }, 'onServe failed');
      }
    }
  }

  /** Lets go of what the policies of this generation hold. */
  async dispose(): Promise<void> {
    const letGo = async ({ name, hooks }: BoundPolicy): Promise<void> => {
      try {
        await hooks[Symbol.asyncDispose]?.();
      } catch (err) {
        this.#hostOf(`policy:${name}`).log.error({ err }, 'an instance could not be let go');
      }
    };
    await Promise.all(this.#bound.map(letGo));
  }

  async #bindOne(use: PolicyUse, place: string): Promise<BoundPolicy> {
    const policy = this.#find('policy', use.name) as Policy;
    const options = use.options ?? {};
    check(policy, options, `policies.${use.name}`);
    for (const secret of secretsIn(policy.options, options)) this.#addSecret(secret);
    const hooks = await this.#make(`The policy ${use.name}${place === '' ? '' : ` of ${place}`}`, () =>
      policy.create(options, this.#hostOf(`policy:${use.name}`, place, this.#isStored(place) ? 'public' : 'operator')),
    );
    const lanes = overlap(policy.lanes, use.lanes);
    const bound: BoundPolicy = {
      name: policy.name,
      stage: policy.stage,
      hooks,
      ...(lanes === undefined ? {} : { lanes }),
      ...(use.onFailure === undefined ? {} : { onFailure: use.onFailure }),
      ...(use.timeout === undefined ? {} : { timeoutMs: use.timeout }),
      ...appliesTo(use, policy.stage),
    };
    this.#bound.push(bound);
    return bound;
  }

  async #make<T>(what: string, create: () => Awaitable<T>): Promise<T> {
    try {
      return await create();
    } catch (error) {
      // What the configuration has wrong is no failure of the code.
      if (error instanceof GatewayError && error.code === 'bad_request') throw new GatewayError('bad_request', `${what}: ${error.message}`);
      throw new ExtensionFailure(what, error, this.#folder);
    }
  }

  #find(kind: AnyExtension['kind'], name: string): AnyExtension {
    const found = this.#extensions.find((extension) => extension.kind === kind && extension.name === name);
    if (found !== undefined) return found;
    const known = this.#extensions.filter((extension) => extension.kind === kind).map((extension) => extension.name);
    throw new GatewayError('bad_request', `There is no ${kind} named "${name}". Known: ${known.join(', ') || 'none'}.`);
  }
}

function check(extension: AnyExtension, options: unknown, place: string): void {
  const [fault] = checkOptions(extension, options);
  if (fault !== undefined) throw new GatewayError('bad_request', `${place}: ${fault.message}`);
}

/**
 * Two uses at one place count apart. They are told apart by what they are for, so that a use more, or another order, costs no counter its count; only
 * equals are numbered.
 */
function placeOf({ name, match, when }: PolicyUse, place: string, taken: Set<string>): string {
  const kind = match === undefined && when === undefined ? place : `${place}#${fingerprint([match, when]).slice(0, 12)}`;
  let at = kind;
  for (let number = 2; taken.has(`${name} ${at}`); number++) at = `${kind}#${number}`;
  taken.add(`${name} ${at}`);
  return at;
}

/** Texts that the schema of the options calls secret. */
function secretsIn(schema: object, value: unknown): string[] {
  const { secret, properties = {} } = schema as { secret?: boolean; properties?: Readonly<Record<string, object>> };
  if (typeof value === 'string') return secret === true ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (Object.hasOwn(properties, key) ? secretsIn(properties[key]!, item) : []));
}

function overlap(own: readonly Lane[] | undefined, asked: readonly Lane[] | undefined): readonly Lane[] | undefined {
  if (own === undefined || asked === undefined) return own ?? asked;
  return own.filter((lane) => asked.includes(lane));
}
