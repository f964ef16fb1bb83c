import type { ModelsOperation } from '../../../core/models.ts';
import type { ModelPlan } from './choice.ts';
import type { Route } from './route.ts';

const embedding = new WeakMap<Route, ModelPlan>();

/** The plan of a route for an operation: embeddings go to providers that make some, if there are any, so that the others do not refuse their share. */
export function planFor(route: Route, operation: ModelsOperation): ModelPlan {
  if (operation !== 'embeddings') return route.plan;
  let plan = embedding.get(route);
  if (plan === undefined) embedding.set(route, (plan = narrowed(route.plan)));
  return plan;
}

function narrowed(plan: ModelPlan): ModelPlan {
  const pools = plan.pools
    .map((pool) => ({ ...pool, choices: pool.choices.filter(({ accounts }) => accounts.all[0].provider.embeddings !== undefined) }))
    .filter(({ choices }) => choices.length > 0);
  return pools.length === 0 ? plan : { ...plan, pools };
}
