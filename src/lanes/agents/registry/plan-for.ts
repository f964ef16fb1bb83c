import type { ConditionContext } from '../../../core/conditions.ts';
import type { Plan, Pool } from '../../../pipeline/forward.ts';
import { RetryBudget } from '../../../upstreams/health/retry-budget.ts';
import type { Agent, Instance } from './agent.ts';

/** Further tries at the last instance of a pool. */
const RETRIES = 2;

/** Where a call may go that no task and no conversation binds: to the instances whose condition it meets, then to those without one. */
export function planFor(agent: Agent, context: () => ConditionContext): Plan<Instance> {
  let values: ConditionContext | undefined;
  const met = agent.instances.filter(({ condition }) => condition?.evaluate((values ??= context()), false) === true);
  const key = met.map(({ id }) => id).join(' ');
  const known = agent.plans.get(key);
  if (known !== undefined) return known;
  const plan = planOf(agent, [met, agent.instances.filter(({ condition }) => condition === undefined)]);
  agent.plans.set(key, plan);
  return plan;
}

function planOf({ balancer, config }: Agent, groups: readonly (readonly Instance[])[]): Plan<Instance> {
  const open = groups.map((group) => group.filter(({ weight }) => weight > 0)).filter((group) => group.length > 0);
  const pools: Pool<Instance>[] = open.map((choices) => ({ choices, balancer, measures: measuring(config.balance) }));
  return { pools, retries: RETRIES, budget: new RetryBudget() };
}

/** Balancers that go by the configuration alone. */
function measuring(balance: Agent['config']['balance'] = 'weight'): boolean {
  return balance !== 'weight' && balance !== 'round-robin';
}
