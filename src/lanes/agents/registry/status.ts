import type { AgentSnapshot } from '../../../core/contracts/agent-source.ts';
import type { GaugeStatus } from '../../../upstreams/health/gauge.ts';
import { speaker, type Agent } from './agent.ts';

/** One agent in `GET /admin/v1/status`. */
export interface AgentStatus {
  readonly name: string;
  readonly origin: Agent['origin'];
  readonly state: AgentSnapshot['state'];
  /** Its name on its card. */
  readonly title?: string;
  readonly skills: number;
  readonly error?: string;
  readonly instances: readonly (GaugeStatus & {
    readonly id: string;
    readonly state: AgentSnapshot['state'];
    readonly signature: AgentSnapshot['signature'];
    readonly weight: number;
    /** The condition under which it gets calls. */
    readonly when?: string;
    readonly error?: string;
  })[];
}

export function agentStatus(agent: Agent, now: number): AgentStatus {
  const said = speaker(agent)?.source.snapshot;
  const title = said?.card?.['name'];
  const skills = said?.card?.['skills'];
  return {
    name: agent.name,
    origin: agent.origin,
    state: said?.state ?? 'failed',
    ...(typeof title === 'string' ? { title } : {}),
    skills: Array.isArray(skills) ? skills.length : 0,
    ...(said?.error === undefined ? {} : { error: said.error }),
    instances: agent.instances.map(({ id, source: { snapshot }, weight, condition, gauge }) => ({
      id,
      state: snapshot.state,
      signature: snapshot.signature,
      weight,
      ...(condition === undefined ? {} : { when: condition.text }),
      ...(snapshot.error === undefined ? {} : { error: snapshot.error }),
      ...gauge.status(now),
    })),
  };
}
