import type { PolicyUse } from '../../config/types.ts';
import type { AnyCall } from '../../core/call.ts';
import { compileCondition, compileGlob, type ConditionContext } from '../../core/conditions.ts';
import type { Stage } from '../../core/contracts/policy.ts';
import type { Consumer } from '../../core/consumer.ts';
import { conditionContext } from '../../pipeline/condition-context.ts';
import type { BoundPolicy } from '../../pipeline/chain.ts';

type Test = (call: { readonly consumer: Consumer; readonly route: string }) => boolean;

/** Which calls a use of a policy is for: `match` and `when`. Throws ConditionError for a `when` that does not compile. */
export function appliesTo({ match, when }: Pick<PolicyUse, 'match' | 'when'>, stage: Stage): Pick<BoundPolicy, 'applies' | 'concerns'> {
  const matches = match === undefined ? undefined : matcher(match);
  if (when === undefined) return matches === undefined ? {} : { applies: matches, concerns: matches };
  const condition = compileCondition(when);
  // Nobody escapes a limit or a guard by what he sends, or leaves out.
  const otherwise = stage === 'limit' || stage === 'guard';
  return {
    applies: (call) => matches?.(call) !== false && condition.evaluate(contextOf(call), otherwise, otherwise),
    ...(matches === undefined ? {} : { concerns: matches }),
  };
}

function matcher({ consumer, group, route }: NonNullable<PolicyUse['match']>): Test {
  const consumers = consumer === undefined ? undefined : compileGlob(consumer);
  const groups = group === undefined ? undefined : compileGlob(group);
  const routes = route === undefined ? undefined : compileGlob(route);
  return (call) =>
    (consumers === undefined || (!call.consumer.anonymous && consumers(call.consumer.name))) &&
    (groups === undefined || call.consumer.groups.some((name) => groups(name))) &&
    (routes === undefined || routes(call.route));
}

function contextOf(call: AnyCall): ConditionContext {
  // Field by field: what a call has it has as getters too.
  const { lane, operation, route, consumer, request, startedAt } = call;
  const asked = { lane, operation, route, consumer, request, startedAt, segments: () => call.segments() };
  if (call.lane === 'models') return conditionContext({ ...asked, model: call.input.model });
  if (call.lane === 'agents' || call.input.tool === undefined) return conditionContext(asked);
  const { name, source, risk, tags, definition } = call.input.tool;
  return conditionContext(asked, {
    tool: { name, source, risk, tags, annotations: definition.annotations ?? {} },
    args: call.input.arguments,
  });
}
