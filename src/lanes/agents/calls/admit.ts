import type { Agent } from '../registry/agent.ts';
import { cardOf } from '../registry/agent.ts';
import { checkCall, type RuleCondition } from '../../../access/permit.ts';
import type { PermitAgent } from '../../../access/patterns.ts';
import { AGENT_OPERATIONS, type AgentOperation, type AgentsInput } from '../../../core/agents.ts';
import type { Consumer } from '../../../core/consumer.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { conditionContext } from '../../../pipeline/condition-context.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';

/** May the consumer know of the agent at all? Whoever may do nothing with it may not. */
export function isVisible(agent: Agent, consumer: Consumer): boolean {
  const { access } = agent;
  if (access.isOpen) return true;
  return (
    AGENT_OPERATIONS.some((operation) => access.agent(consumer, { operation, skill: undefined, tags: [] }).visible) ||
    skillsOf(cardOf(agent)).some((skill) => seesSkill(agent, consumer, skill))
  );
}

/** The same for those that are not there and those that this caller may not know of. */
export function unknownAgent(): GatewayError {
  return new GatewayError('not_found', 'There is no such agent here. GET /a2a lists those that this key may call.');
}

const MESSAGES = ['message/send', 'message/stream'] as const;

/** May the consumer know of one of its skills? */
export function seesSkill(agent: Agent, consumer: Consumer, skill: JsonObject): boolean {
  const subject = { skill: String(skill['id']), tags: tagsOf(skill) };
  return MESSAGES.some((operation) => agent.access.agent(consumer, { operation, ...subject }).visible);
}

/** The conditions under which the call is allowed, which are asked when its policies have let it through. Throws GatewayError `forbidden`. */
export function admit(
  agent: Agent,
  consumer: Consumer,
  operation: AgentOperation,
  { skill }: Pick<AgentsInput, 'skill'>,
): readonly RuleCondition[] {
  const { visible, conditions } = agent.access.agent(consumer, asked(agent, operation, skill));
  if (visible) return conditions;
  if (!operation.startsWith('message/')) throw new GatewayError('forbidden', `This consumer may not call ${operation} of this agent.`);
  const what = skill === undefined ? 'a message that names no skill' : 'that skill';
  throw new GatewayError(
    'forbidden',
    `This consumer may not send ${what} to this agent. Name one of the skills on its card in the metadata of the message: { "skill": "ID" }.`,
  );
}

/** Throws GatewayError `rule_refused`. */
export function checkConditions(call: LiveCall<'agents'>, agent: Agent, conditions: readonly RuleCondition[]): void {
  if (conditions.length === 0) return;
  const verdict = checkCall(conditions, conditionContext(call, { args: call.input.params }));
  if (verdict.ok) return;
  throw new GatewayError('rule_refused', `A rule of this hub refuses the call of ${agent.name}.`, { rule: verdict.rule });
}

/** What access rules are asked about. */
export function asked(agent: Agent, operation: AgentOperation, skill: string | undefined): PermitAgent {
  const found = skill === undefined ? undefined : skillsOf(cardOf(agent)).find(({ id }) => id === skill);
  // Of a skill that is on no card nobody knows the tags: a rule that denies by one holds.
  return { operation, skill, tags: skill === undefined ? [] : found && tagsOf(found) };
}

export function skillsOf(card: JsonObject | undefined): readonly JsonObject[] {
  const skills = card?.['skills'];
  return Array.isArray(skills) ? skills.filter(isObject) : [];
}

function tagsOf({ tags }: JsonObject): readonly string[] {
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
}
