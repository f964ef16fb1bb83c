import type { MergedConfig, ModelRouteConfig, ProviderConfig } from '../../../config/types.ts';
import { providerOptions } from '../../../core/contracts/provider.ts';
import type { Problem } from '../../../core/contracts/resource.ts';
import { GatewayError } from '../../../core/errors.ts';
import { fingerprint } from '../../../core/secret.ts';
import { composeChain, type BoundPolicy } from '../../../pipeline/chain.ts';
import type { ModelsBuildHost, ModelsHost } from '../host.ts';
import { openAccount, type Account } from './account.ts';
import { compileRoute, routeName, type Route } from './route.ts';

/** All of the models lane in one generation. */
export interface ModelsGeneration {
  readonly accounts: ReadonlyMap<string, Account>;
  /** In the order of the configuration: the first that takes a call has it. */
  readonly routes: readonly Route[];
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
  const { providers = {}, models = [] } = merged.config;
  const problems: Problem[] = [];
  const accounts = new Map<string, Account>();
  for (const [name, config] of Object.entries(providers)) {
    if (config.enabled === false) continue;
    try {
      accounts.set(name, await open(name, config));
    } catch (error) {
      // The words of the vendor's own check get their place here.
      const isTold = error instanceof GatewayError && error.code === 'bad_request';
      if (!isTold && merged.origin('providers', name) === 'file') throw error;
      problems.push({ code: 'provider_options', severity: 'error', message: reasonOf(error, host), pointer: `/providers/${name}` });
    }
  }
  const routes: Route[] = [];
  for (const [index, config] of models.entries()) {
    if (config.enabled === false) continue;
    const pointer = routePointer(merged, index);
    problems.push(...problemsOf(config, index, pointer, providers, accounts));
    const account = accounts.get(config.targets[0]!.provider);
    if (account === undefined) continue;
    try {
      const chain = composeChain([...shared, ...(await lent.bind(config.policies))], 'models');
      routes.push(compileRoute({ config, index, account, chain }));
      problems.push(...chain.holding.map((policy) => holdsStreams(policy, routeName(config, index), pointer)));
    } catch (error) {
      if (pointer === `/models/${index}`) throw error;
      problems.push({ code: 'route_failed', severity: 'error', message: reasonOf(error, host), pointer });
    }
  }
  return { accounts, routes, merged, problems: problems.map((problem) => ({ ...merged.locate(problem.pointer ?? ''), ...problem })) };

  async function open(name: string, config: ProviderConfig): Promise<Account> {
    const key = fingerprint([config, lent.extensionVersion('provider', config.type)]);
    const known = before?.accounts.get(name);
    const trust = merged.origin('providers', name) === 'file' ? 'operator' : 'public';
    if (known?.key === key && known.request.trust === trust) return known;
    const provider = await lent.createProvider(config.type, name, providerOptions(config));
    if (trust === 'public' && !/^(?:https?|demo):/.test(provider.origin))
      throw new GatewayError('bad_request', 'What the provider calls must be an http: or https: address.');
    return openAccount(name, config, provider, key, trust, host);
  }
}

/** Extensions have a say in it, and know their options. */
function reasonOf(error: unknown, { redact }: ModelsHost): string {
  return redact(error instanceof Error ? error.message : String(error));
}

function holdsStreams(policy: string, route: string, pointer: string): Problem {
  return {
    code: 'holds_streams',
    severity: 'warning',
    message: `The policy ${policy} reads whole replies, so it holds streams on the route ${route}.`,
    pointer,
  };
}

function problemsOf(
  config: ModelRouteConfig,
  index: number,
  route: string,
  providers: Readonly<Record<string, ProviderConfig>>,
  accounts: ReadonlyMap<string, Account>,
): Problem[] {
  const problems: Problem[] = [];
  for (const [list, targets] of Object.entries({ targets: config.targets, fallback: config.fallback ?? [] })) {
    for (const [place, { provider }] of targets.entries()) {
      const pointer = `${route}/${list}/${place}/provider`;
      const known = Object.keys(providers).join(', ') || 'none';
      if (!Object.hasOwn(providers, provider))
        problems.push({
          code: 'provider_unknown',
          severity: 'error',
          message: `There is no provider "${provider}". Known: ${known}.`,
          pointer,
        });
      else if (providers[provider]?.enabled === false)
        problems.push({ code: 'provider_disabled', severity: 'warning', message: `The provider "${provider}" is disabled.`, pointer });
      else if (!accounts.has(provider))
        problems.push({ code: 'provider_failed', severity: 'error', message: `The provider "${provider}" could not be made.`, pointer });
    }
  }
  if (config.targets.length > 1)
    problems.push({
      code: 'not_built',
      severity: 'warning',
      message: `The route ${routeName(config, index)} has several targets; only the first is called until balancing is built.`,
      pointer: `${route}/targets`,
    });
  return problems;
}
