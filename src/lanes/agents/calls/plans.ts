import { GatewayError } from '../../../core/errors.ts';
import { conditionContext } from '../../../pipeline/condition-context.ts';
import type { Plan } from '../../../pipeline/forward.ts';
import type { Agent, Instance } from '../registry/agent.ts';
import { planFor } from '../registry/plan-for.ts';
import { agentError } from '../wires/agent-errors.ts';
import type { Arrival } from './arrival.ts';

/** For what no task and no conversation binds. Throws GatewayError `unavailable` when no instance takes it. */
export function freePlan({ agent, call }: Arrival): Plan<Instance> {
  const plan = planFor(agent, () => conditionContext(call, { args: call.input.params }));
  if (plan.pools.length > 0) return plan;
  throw new GatewayError('unavailable', `No instance of ${agent.name} takes this call: those that would have the weight 0.`);
}

/** For what only that instance can answer. Throws AgentError TaskNotFound when the configuration does not have it any more. */
export function planOf({ agent, call }: Arrival, id: string): Plan<Instance> {
  const found = instanceOf(agent, id);
  if (found !== undefined) return found.plan;
  call.note('refused', `${id}, which has the task, is not configured any more`);
  throw agentError('TaskNotFound', `Task not found: ${call.input.task ?? ''}`);
}

/** By its id, or by the one that it had when the agent had a single address. */
export function instanceOf({ instances }: Agent, id: string): Instance | undefined {
  return instances.find((one) => one.id === id) ?? instances.find((one) => one.formerId === id);
}
