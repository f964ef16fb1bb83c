import type { AgentOperation } from '../../core/agents.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { Explanation, ExplanationStep } from '../../core/contracts/resource.ts';
import { GatewayError } from '../../core/errors.ts';
import { explainRules } from '../../pipeline/explain-rules.ts';
import { asked, isVisible, skillsOf } from './calls/admit.ts';
import { cardOf } from './registry/agent.ts';
import type { AgentsGeneration } from './registry/build.ts';

/** A call that nobody makes. */
export interface AgentQuestion {
  readonly agent: string;
  readonly consumer: Consumer;
  /** `message/send` when absent. */
  readonly operation?: AgentOperation;
  readonly skill?: string;
}

/** Whether a consumer may call an agent, which instances its call would take and where limits stand, without calling. Throws GatewayError `not_found`. */
export async function explainAgent(
  { agents, merged }: AgentsGeneration,
  { agent: name, consumer, operation = 'message/send', skill }: AgentQuestion,
): Promise<Explanation> {
  const agent = agents.get(name);
  if (agent === undefined)
    throw new GatewayError('not_found', `There is no agent "${name}". Agents: ${[...agents.keys()].join(', ') || 'none'}.`);
  const place = agent.origin === 'file' ? (merged.locate(`/agents/${name}`) ?? {}) : {};
  const steps: ExplanationStep[] = [...agent.access.explainAgent(consumer, asked(agent, operation, skill))];
  const visible = isVisible(agent, consumer);
  const { visible: permitted } = agent.access.agent(consumer, asked(agent, operation, skill));
  if (!permitted) return { visible, callable: false, steps };
  const card = cardOf(agent);
  if (skill !== undefined && card !== undefined && !skillsOf(card).some(({ id }) => id === skill))
    steps.push({ rule: `the card has no skill "${skill}"; the agent is asked all the same`, effect: 'info', ...place });
  const now = Date.now();
  for (const { id, source, condition, weight, gauge } of agent.instances) {
    const { state, error } = source.snapshot;
    const { health } = gauge.status(now);
    const canTry = state === 'ready' && gauge.available(now) && weight > 0;
    const when = condition === undefined ? '' : `, for calls with ${condition.text}`;
    steps.push({
      rule: `instance ${id}${when}: weight ${weight}, ${health}, ${state}${error === undefined ? '' : `: ${error}`}`,
      effect: canTry ? 'allows' : 'refuses',
      value: { id, weight, state, ...gauge.status(now) },
      ...place,
    });
  }
  steps.push(
    ...(await explainRules(agent.chain, { consumer, lane: 'agents', route: name, agent: name, ...(skill === undefined ? {} : { skill }) })),
  );
  return { visible, callable: steps.some(({ rule, effect }) => rule.startsWith('instance ') && effect === 'allows'), steps };
}
