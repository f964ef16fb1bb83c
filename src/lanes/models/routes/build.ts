import type { MergedConfig, ModelApiConfig, ModelRouteConfig, ProviderConfig } from '../../../config/types.ts';
import { routeName, type Problem } from '../../../core/contracts/resource.ts';
import { GatewayError } from '../../../core/errors.ts';
import { fingerprint } from '../../../core/secret.ts';
import { composeChain, type BoundPolicy } from '../../../pipeline/chain.ts';
import { intentFinder, type IntentFinder } from '../intents/intent-finder.ts';
import { intentProblems } from '../intents/intent-problems.ts';
import type { ModelsBuildHost, ModelsHost } from '../host.ts';
import type { Accounts } from './account.ts';
import { admission, ROOT_API, type ModelApi } from './api.ts';
import { buildPlan } from './build-plan.ts';
import { openAccounts } from './open-accounts.ts';
import { compileRoute, modelNames, type Route } from './route.ts';
import { shadowedRoutes, type PlacedRoute } from './shadowed.ts';

/** All of the models lane in one generation. */
export interface ModelsGeneration {
  readonly accounts: ReadonlyMap<string, Accounts>;
  /** By name; that at `/v1` is `v1`. */
  readonly apis: ReadonlyMap<string, ModelApi>;
  /** Absent without intents. */
  readonly intents: IntentFinder | undefined;
  readonly merged: MergedConfig;
  readonly problems: readonly Problem[];
}

/** Where a route of the whole list stands: `/models/INDEX` for one of the files, `/models/NAME` for one of the store. */
export function routePointer({ config, origin }: MergedConfig, index: number): string {
  const name = config.models?.[index]?.name;
  return `/models/${name !== undefined && origin('models', name) === 'store' ? name : index}`;
}

/**
 * Builds the lane; accounts that did not change are taken over, with the tokens they hold. Throws when nothing may change. What an entry of the
 * store has wrong is a problem of that entry, and the rest is built.
 */
export async function buildModels(
  merged: MergedConfig,
  host: ModelsHost,
  lent: ModelsBuildHost,
  shared: readonly BoundPolicy[],
  before: ModelsGeneration | undefined,
): Promise<ModelsGeneration> {
  const building = new Building(merged, host, lent, shared, before);
  await building.openAccounts();
  await building.addApis();
  return building.done();
}

class Building {
  readonly #merged: MergedConfig;
  readonly #host: ModelsHost;
  readonly #lent: ModelsBuildHost;
  readonly #shared: readonly BoundPolicy[];
  readonly #before: ModelsGeneration | undefined;
  readonly #accounts = new Map<string, Accounts>();
  readonly #apis = new Map<string, ModelApi>();
  readonly #problems: Problem[] = [];

  constructor(
    merged: MergedConfig,
    host: ModelsHost,
    lent: ModelsBuildHost,
    shared: readonly BoundPolicy[],
    before: ModelsGeneration | undefined,
  ) {
    this.#merged = merged;
    this.#host = host;
    this.#lent = lent;
    this.#shared = shared;
    this.#before = before;
  }

  async openAccounts(): Promise<void> {
    for (const [name, config] of Object.entries(this.#merged.config.providers ?? {})) {
      if (config.enabled === false) continue;
      try {
        this.#accounts.set(name, await this.#open(name, config));
      } catch (error) {
        // The words of the vendor's own check get their place here.
        const isTold = error instanceof GatewayError && error.code === 'bad_request';
        if (!isTold && this.#merged.origin('providers', name) === 'file') throw error;
        this.#problems.push({ code: 'provider_options', severity: 'error', message: this.#reasonOf(error), pointer: `/providers/${name}` });
      }
    }
  }

  async addApis(): Promise<void> {
    const { config } = this.#merged;
    const placed: PlacedRoute[] = [];
    const { apis = {}, models = [] } = config;
    const root = models.map((route, index) => ({
      name: routeName(route, index),
      pointer: routePointer(this.#merged, index),
      config: route,
    }));
    const own = Object.hasOwn(apis, ROOT_API) ? apis[ROOT_API] : undefined;
    if (own?.models !== undefined) this.#refuseRootModels();
    placed.push(...root);
    if (own?.enabled !== false) await this.#addApi(ROOT_API, root, own);
    for (const [name, api] of Object.entries(apis)) {
      if (name === ROOT_API || api.enabled === false) continue;
      const routes = (api.models ?? []).map((route, index) => ({
        name: `${name}/${routeName(route, index)}`,
        pointer: `/apis/${name}/models/${index}`,
        config: route,
      }));
      placed.push(...routes);
      await this.#addApi(name, routes, api);
    }
    this.#problems.push(
      ...intentProblems(
        config,
        placed.map((route) => ({ ...route, models: modelNames(route.config) })),
      ),
    );
  }

  done(): ModelsGeneration {
    const { locate } = this.#merged;
    return {
      accounts: this.#accounts,
      apis: this.#apis,
      intents: intentFinder(this.#merged.config, this.#host.semantics, this.#before?.intents),
      merged: this.#merged,
      problems: this.#problems.map((problem) => ({ ...locate(problem.pointer ?? ''), ...problem })),
    };
  }

  async #addApi(name: string, placed: readonly PlacedRoute[], api: ModelApiConfig | undefined): Promise<void> {
    const enabled = placed.filter(({ config }) => config.enabled !== false);
    const policies = [...this.#shared, ...(await this.#lent.bind(api?.policies, `apis/${name}`))];
    const routes: Route[] = [];
    for (const one of enabled) {
      const route = await this.#route(one, policies);
      if (route !== undefined) routes.push(route);
    }
    // One that was left out takes nothing away from those after it.
    this.#problems.push(...shadowedRoutes(routes));
    this.#apis.set(name, { name, routes, admits: admission(api?.access) });
  }

  async #route(placed: PlacedRoute, policies: readonly BoundPolicy[]): Promise<Route | undefined> {
    const { name, pointer, config } = placed;
    this.#problems.push(...this.#targetProblems(config, pointer));
    try {
      const plan = await buildPlan(config, pointer, this.#accounts, this.#host, this.#lent);
      if (plan === undefined) return undefined;
      const chain = composeChain(
        [...policies, ...(await this.#lent.bind(config.policies, `${pointer.startsWith('/apis/') ? 'apis' : 'models'}/${name}`))],
        'models',
      );
      this.#problems.push(...chain.holding.map((policy) => holdsStreams(policy, name, pointer)));
      return compileRoute({ ...placed, plan, chain });
    } catch (error) {
      if (this.#merged.origin('models', name) !== 'store') throw error;
      this.#problems.push({ code: 'route_failed', severity: 'error', message: this.#reasonOf(error), pointer });
      return undefined;
    }
  }

  async #open(name: string, config: ProviderConfig): Promise<Accounts> {
    const key = fingerprint([config, this.#lent.extensionVersion('provider', config.type)]);
    const known = this.#before?.accounts.get(name);
    const trust = this.#merged.origin('providers', name) === 'file' ? 'operator' : 'public';
    if (known?.fingerprint === key && known.trust === trust) return known;
    return openAccounts({ name, config, fingerprint: key, trust }, this.#host, this.#lent);
  }

  #targetProblems(config: ModelRouteConfig, route: string): Problem[] {
    const { providers = {} } = this.#merged.config;
    const problems: Problem[] = [];
    for (const [list, targets] of Object.entries({ targets: config.targets, fallback: config.fallback ?? [] })) {
      for (const [place, { provider }] of targets.entries()) {
        const pointer = `${route}/${list}/${place}/provider`;
        const known = Object.keys(providers).join(', ') || 'none';
        const add = (code: string, severity: 'error' | 'warning', message: string): void => {
          problems.push({ code, severity, message, pointer });
        };
        if (!Object.hasOwn(providers, provider)) add('provider_unknown', 'error', `There is no provider "${provider}". Known: ${known}.`);
        else if (providers[provider]?.enabled === false) add('provider_disabled', 'warning', `The provider "${provider}" is disabled.`);
        else if (!this.#accounts.has(provider)) add('provider_failed', 'error', `The provider "${provider}" could not be made.`);
      }
    }
    if (problems.length === 0 && config.targets.every(({ weight }) => weight === 0) && (config.fallback ?? []).length === 0)
      problems.push({
        code: 'route_without_target',
        severity: 'warning',
        message: 'All targets of the route have weight 0.',
        pointer: route,
      });
    return problems;
  }

  #refuseRootModels(): void {
    const message = 'The routes of v1 are those of models at root. Move them there, or give this API another name.';
    this.#problems.push({ code: 'api_models', severity: 'error', message, pointer: `/apis/${ROOT_API}/models` });
  }

  /** Extensions have a say in it, and know their options. */
  #reasonOf(error: unknown): string {
    return this.#host.redact(error instanceof Error ? error.message : String(error));
  }
}

function holdsStreams(policy: string, route: string, pointer: string): Problem {
  return {
    code: 'holds_streams',
    severity: 'warning',
    message: `The policy ${policy} reads whole replies, so it holds streams on the route ${route}.`,
    pointer,
  };
}
