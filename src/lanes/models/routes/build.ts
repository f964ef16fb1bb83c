import type { MergedConfig, ModelRouteConfig, ProviderConfig } from '../../../config/types.ts';
import type { Problem } from '../../../core/contracts/resource.ts';
import { fingerprint } from '../../../core/secret.ts';
import { composeChain, type BoundPolicy } from '../../../pipeline/chain.ts';
import type { ModelsBuildHost, ModelsHost } from '../host.ts';
import { openAccount, optionsOf, type Account } from './account.ts';
import { compileRoute, routeName, type Route } from './route.ts';

/** All of the models lane in one generation. */
export interface ModelsGeneration {
  readonly accounts: ReadonlyMap<string, Account>;
  /** In the order of the configuration: the first that takes a call has it. */
  readonly routes: readonly Route[];
  readonly merged: MergedConfig;
  readonly problems: readonly Problem[];
}

/** Builds the lane; accounts that did not change are taken over, with the tokens they hold. Throws when nothing may change. */
export async function buildModels(
  merged: MergedConfig,
  host: ModelsHost,
  lent: ModelsBuildHost,
  shared: readonly BoundPolicy[],
  before: ModelsGeneration | undefined,
): Promise<ModelsGeneration> {
  const { providers = {}, models = [] } = merged.config;
  const accounts = new Map<string, Account>();
  for (const [name, config] of Object.entries(providers)) {
    if (config.enabled === false) continue;
    const key = fingerprint([config, lent.extensionVersion('provider', config.type)]);
    const known = before?.accounts.get(name);
    accounts.set(name, known?.key === key ? known : await open(name, config, key));
  }
  const problems: Problem[] = [];
  const routes: Route[] = [];
  for (const [index, config] of models.entries()) {
    if (config.enabled === false) continue;
    const account = accounts.get(config.targets[0]!.provider);
    problems.push(...problemsOf(config, index, providers));
    if (account === undefined) continue;
    const chain = composeChain([...shared, ...(await lent.bind(config.policies))], 'models');
    routes.push(compileRoute({ config, index, account, chain }));
    for (const policy of chain.holding)
      problems.push({
        code: 'holds_streams',
        severity: 'warning',
        message: `The policy ${policy} reads whole replies, so it holds streams on the route ${routeName(config, index)}.`,
        pointer: `/models/${index}`,
      });
  }
  return { accounts, routes, merged, problems: problems.map((problem) => ({ ...merged.locate(problem.pointer ?? ''), ...problem })) };

  async function open(name: string, config: ProviderConfig, key: string): Promise<Account> {
    const provider = await lent.createProvider(config.type, name, optionsOf(config));
    return openAccount(name, config, provider, key, merged.origin('providers', name) === 'file' ? 'operator' : 'public', host);
  }
}

function problemsOf(config: ModelRouteConfig, index: number, providers: Readonly<Record<string, ProviderConfig>>): Problem[] {
  const problems: Problem[] = [];
  for (const [list, targets] of Object.entries({ targets: config.targets, fallback: config.fallback ?? [] })) {
    for (const [place, { provider }] of targets.entries()) {
      const pointer = `/models/${index}/${list}/${place}/provider`;
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
    }
  }
  if (config.targets.length > 1)
    problems.push({
      code: 'not_built',
      severity: 'warning',
      message: `The route ${routeName(config, index)} has several targets; only the first is called until balancing is built.`,
      pointer: `/models/${index}/targets`,
    });
  return problems;
}
