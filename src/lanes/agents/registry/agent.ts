import type { Access } from '../../../access/permit.ts';
import type { AgentConfig } from '../../../config/types.ts';
import type { Condition } from '../../../core/conditions.ts';
import type { AgentSource } from '../../../core/contracts/agent-source.ts';
import type { Balancer } from '../../../core/contracts/balancer.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Chain } from '../../../pipeline/chain.ts';
import type { Choice, Plan } from '../../../pipeline/forward.ts';

/** One upstream that answers as the agent. */
export interface Instance extends Choice {
  /** Stable as long as its address is: tasks are kept with it. */
  readonly id: string;
  /** The id that it had, or may have had, when the agent was configured with one address, or with several. */
  readonly formerId: string | undefined;
  readonly source: AgentSource;
  /** It gets the calls for which this is true, before those without a condition. */
  readonly condition: Condition | undefined;
  /** For what only this one can answer, such as questions about its tasks. */
  readonly plan: Plan<Instance>;
}

/** An agent as callers know it. */
export interface Agent {
  readonly name: string;
  readonly origin: 'file' | 'store';
  readonly config: AgentConfig;
  readonly access: Access;
  readonly chain: Chain;
  /** In the order of the configuration; also those that get no new calls. */
  readonly instances: readonly Instance[];
  readonly balancer: Balancer;
  /** By which of the conditions are true. */
  readonly plans: Map<string, Plan<Instance>>;
}

/** The instance whose card stands for the agent: the first that is ready, those for everybody first. */
export function speaker({ instances }: Agent): Instance | undefined {
  const inOrder = instances.toSorted((one, other) => Number(one.condition !== undefined) - Number(other.condition !== undefined));
  return inOrder.find(({ source }) => source.snapshot.card !== undefined) ?? inOrder[0];
}

/** The agent's own card in the shape of 1.0; undefined while none is known. */
export function cardOf(agent: Agent): JsonObject | undefined {
  return speaker(agent)?.source.snapshot.card;
}

/** The same, fetched first where none is known yet. */
export async function firstCard(agent: Agent): Promise<JsonObject | undefined> {
  if (cardOf(agent) === undefined) await speaker(agent)?.source.refresh();
  return cardOf(agent);
}
