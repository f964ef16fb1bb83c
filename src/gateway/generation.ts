import { ConsumerDirectory } from '../access/consumers.ts';
import { mergeConfig, type MergedConfig } from '../config/merge.ts';
import { storedFaults } from '../config/stored-faults.ts';
import type { HubConfig, LoadedConfig } from '../config/types.ts';
import type { AnyExtension } from '../config/extensions.ts';
import type { Problem } from '../core/contracts/resource.ts';
import type { Store, StoredResource } from '../core/contracts/store.ts';
import { ConditionError } from '../core/conditions.ts';
import { GatewayError } from '../core/errors.ts';
import { fingerprint } from '../core/secret.ts';
import { isLoopback, type EdgeRules } from '../http/edge-rules.ts';
import { consumerLimits } from './extensions/consumer-limits.ts';
import type { HostFactory } from './extensions/extension-host.ts';
import { ExtensionFailure, ExtensionSet } from './extensions/extension-set.ts';
import type { LaneGenerations, Lanes } from './lanes/lanes.ts';

/** The configuration cannot be served. `problems` say why, each with its place. */
export class ConfigRefused extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('the configuration cannot be served');
    this.name = 'ConfigRefused';
    this.problems = problems;
  }
}

/** Everything that one loaded configuration became. */
export interface HubGeneration extends LaneGenerations {
  readonly loaded: LoadedConfig;
  readonly merged: MergedConfig;
  /** Replaced when keys of the store change: those are no part of the configuration. */
  directory: ConsumerDirectory;
  readonly edgeRules: EdgeRules;
  readonly extensions: ExtensionSet;
  /** What is wrong and does not stop it; what its sources and doors have to say is asked of the lane, for it changes. */
  readonly problems: readonly Problem[];
}

export interface BuildParts {
  readonly store: Store;
  readonly stored: readonly StoredResource[];
  /** OpenAPI documents of services inside the process, by base URL. */
  readonly documents: ReadonlyMap<string, string>;
  readonly lanes: Lanes;
  readonly builtins: readonly AnyExtension[];
  readonly hostOf: HostFactory;
  readonly listensOn: string;
  /** Of the configuration. */
  readonly folder: string;
  /** Hears of every secret before anything can show it. */
  addSecret(value: string): void;
}

/** Builds a generation, or says why it may not serve. Nothing that serves now is touched. */
export async function buildGeneration(
  loaded: LoadedConfig,
  parts: BuildParts,
  before: HubGeneration | undefined,
): Promise<{ readonly generation: HubGeneration } | { readonly refused: readonly Problem[] }> {
  if (!loaded.ok || loaded.config === undefined) return { refused: loaded.problems.filter(isError) };
  const { store, stored } = parts;
  for (const { secrets } of stored) for (const secret of secrets.values()) parts.addSecret(secret);
  const merged = mergeConfig(
    loaded as LoadedConfig & { config: HubConfig },
    stored,
    (kind, name) => store.resources.document(kind, name),
    parts.documents,
  );
  const directory = await readDirectory(merged, store);
  const known = [...parts.builtins, ...loaded.extensions];
  const faults = [
    ...directory.problems,
    ...[...merged.problems, ...storedFaults(merged, known)].filter((problem) => isNew(problem, merged, before)),
    ...openFaults(directory, parts.listensOn),
  ].filter(isError);
  if (faults.length > 0) return { refused: faults.map((problem) => placed(problem, merged)) };
  const extensions = extensionsOf(known, parts, merged);
  let lanes: LaneGenerations | undefined;
  let fresh: readonly Problem[];
  const letGo = async (): Promise<void> => {
    if (lanes !== undefined) await parts.lanes.release(lanes);
    await extensions.dispose();
  };
  try {
    // Once for all lanes: what a policy counts, it counts over all of them.
    const { consumers, policies } = merged.config;
    const shared = [...(await extensions.bind(consumerLimits(consumers), 'consumers')), ...(await extensions.bind(policies, ''))];
    lanes = await parts.lanes.build(merged, extensions, shared);
    fresh = parts.lanes.problems(lanes).filter((problem) => isError(problem) && isNew(problem, merged, before));
  } catch (error) {
    await letGo();
    if (error instanceof ExtensionFailure) return { refused: [error.problem] };
    if (error instanceof GatewayError || error instanceof ConditionError)
      return { refused: [{ code: 'build_failed', severity: 'error', message: error.message }] };
    throw error;
  }
  if (fresh.length > 0) {
    await letGo();
    return { refused: fresh };
  }
  return {
    generation: {
      loaded,
      merged,
      directory,
      edgeRules: kept(before?.edgeRules, edgeRulesOf(merged.config)),
      extensions,
      ...lanes,
      problems: [...loaded.problems, ...merged.problems, ...directory.problems],
    },
  };
}

function extensionsOf(known: readonly AnyExtension[], { hostOf, folder, addSecret }: BuildParts, merged: MergedConfig): ExtensionSet {
  const isStored = (place: string): boolean => {
    const [, kind = '', name = ''] = /^([^/]+)\/([^#]*)/.exec(place) ?? [];
    return merged.origin(kind, name) === 'store';
  };
  return new ExtensionSet(known, hostOf, { folder, isStored, addSecret });
}

export function isError(problem: Problem): boolean {
  return problem.severity !== 'warning';
}

/** Without consumers everybody may call, so only this machine may (DESIGN 2.2). */
function openFaults(directory: ConsumerDirectory, host: string): Problem[] {
  if (!directory.open || isLoopback(host)) return [];
  const message = `Without a consumer the hub is open to everybody, so it listens on loopback only, not on ${host}. Add a consumer with a key, or use --host 127.0.0.1.`;
  return [{ code: 'open_beyond_loopback', severity: 'error', message, pointer: '/consumers' }];
}

function placed(problem: Problem, merged: MergedConfig): Problem {
  return { ...merged.locate(problem.pointer ?? ''), ...problem };
}

/**
 * Whether a problem of a virtual server, a provider or a route comes with this change. A virtual server that was right before must not stop a
 * reload because its document has changed since; an entry of the store must stop neither a start nor a change of something else.
 */
function isNew({ code, pointer = '' }: Problem, merged: MergedConfig, before: HubGeneration | undefined): boolean {
  // The provider has a problem of its own, which decides.
  if (code === 'provider_failed') return false;
  const [, kind, name = ''] = /^\/(virtual-servers|providers|models)\/([^/]+)/.exec(pointer) ?? [];
  if (kind === undefined) return true;
  const isFile = merged.origin(kind, name) === 'file';
  if (before === undefined || (isFile && kind !== 'virtual-servers')) return isFile;
  return fingerprint(entryOf(merged, kind, name)) !== fingerprint(entryOf(before.merged, kind, name));
}

function entryOf({ config, virtualServers }: MergedConfig, kind: string, name: string): unknown {
  if (kind === 'virtual-servers') return virtualServers.get(name);
  if (kind === 'providers') return config.providers?.[name];
  return config.models?.find((route) => route.name === name);
}

/** Who may call, by the configuration and by the keys that the store has now. */
export async function readDirectory({ config }: MergedConfig, store: Store): Promise<ConsumerDirectory> {
  return new ConsumerDirectory({ consumers: config.consumers ?? [], keys: await store.keys.all(), pepper: store.pepper() });
}

function edgeRulesOf({ allowedHosts, allowedOrigins, publicUrl }: HubConfig): EdgeRules {
  return { allowedHosts: allowedHosts ?? [], allowedOrigins: allowedOrigins ?? [], ...(publicUrl === undefined ? {} : { publicUrl }) };
}

/** The old object when nothing in it changed: decisions and connections are kept with it. */
function kept<T>(before: T | undefined, now: T): T {
  return before !== undefined && JSON.stringify(before) === JSON.stringify(now) ? before : now;
}
