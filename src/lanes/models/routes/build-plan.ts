import type { ModelRouteConfig } from '../../../config/types.ts';
import type { ErrorCode } from '../../../core/errors.ts';
import type { Pool } from '../../../pipeline/forward.ts';
import { RetryBudget } from '../../../upstreams/health/retry-budget.ts';
import type { ModelsBuildHost, ModelsHost } from '../host.ts';
import type { Accounts } from './account.ts';
import { gaugeKey, ModelChoice, type ModelPlan } from './choice.ts';

const RETRIES = 2;

/** Balancers that go by the configuration alone. */
const STEADY: ReadonlySet<string> = new Set(['weight', 'round-robin']);

/**
 * The targets of a route with its balancer, then each fallback. Targets without an account are left out, and so are those of weight 0. Undefined
 * when nothing is left. Throws GatewayError for a balancer that cannot be made; `place` is that of the route.
 */
export async function buildPlan(
  config: ModelRouteConfig,
  place: string,
  accounts: ReadonlyMap<string, Accounts>,
  host: ModelsHost,
  lent: ModelsBuildHost,
): Promise<ModelPlan | undefined> {
  const choiceOf = ({ provider, model, weight = 1 }: ModelRouteConfig['targets'][number]): ModelChoice[] => {
    const found = accounts.get(provider);
    if (found === undefined || weight === 0) return [];
    return [new ModelChoice(found, model, weight, host.gauges.for(gaugeKey(provider, model)), host.ledger)];
  };
  const { balance = 'weight', fallback = [], timeouts = {}, fallbackOn = [] } = config;
  const [name, options] = typeof balance === 'string' ? [balance, {}] : Object.entries(balance)[0]!;
  const balancer = await lent.createBalancer(name, options, `${place}/balance`);
  const pools: Pool<ModelChoice>[] = [config.targets.flatMap(choiceOf), ...fallback.map(choiceOf)]
    .filter((choices) => choices.length > 0)
    .map((choices) => ({ choices, balancer, measures: !STEADY.has(name) }));
  if (pools.length === 0) return undefined;
  return {
    pools,
    retries: config.retries ?? RETRIES,
    budget: new RetryBudget(),
    ...(timeouts.total === undefined ? {} : { totalMs: timeouts.total }),
    ...(fallbackOn.length === 0 ? {} : { fallbackOn: new Set<ErrorCode>(fallbackOn) }),
  };
}
