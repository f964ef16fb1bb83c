import { compileAccess } from '../../../access/permit.ts';
import type { AgentConfig, AgentTargetConfig, MergedConfig } from '../../../config/types.ts';
import { compileCondition } from '../../../core/conditions.ts';
import type { AgentSource } from '../../../core/contracts/agent-source.ts';
import type { Balancer } from '../../../core/contracts/balancer.ts';
import { GatewayError } from '../../../core/errors.ts';
import { fingerprint } from '../../../core/secret.ts';
import { composeChain, type BoundPolicy, type Chain } from '../../../pipeline/chain.ts';
import { letGo } from '../../../pipeline/source-uses.ts';
import { RetryBudget } from '../../../upstreams/health/retry-budget.ts';
import type { AgentsBuildHost, AgentsHost } from '../host.ts';
import type { Agent, Instance } from './agent.ts';
import { createSource, type SourceHost } from './create-source.ts';

/** What one configuration made of the agents. */
export interface AgentsGeneration {
  readonly agents: ReadonlyMap<string, Agent>;
  /** Of calls that are for no agent: the policies that all lanes share. */
  readonly chain: Chain;
  /** By the id of the instance; `key` tells whether it can be taken over. */
  readonly sources: ReadonlyMap<string, { readonly key: string; readonly source: AgentSource }>;
  readonly merged: MergedConfig;
}

const RETRIES = 2;

/** Builds the lane from a configuration and the policies that all lanes share; sources that did not change are taken over from `before`. Throws when nothing may change. */
export async function buildAgents(
  merged: MergedConfig,
  host: SourceHost & Pick<AgentsHost, 'gauges'>,
  lent: AgentsBuildHost,
  shared: readonly BoundPolicy[],
  before: AgentsGeneration | undefined,
): Promise<AgentsGeneration> {
  const agents = new Map<string, Agent>();
  const sources = new Map<string, { key: string; source: AgentSource }>();
  const sourceOf = (id: string, name: string, config: AgentConfig, target: AgentTargetConfig | undefined): AgentSource => {
    const origin = merged.origin('agents', name);
    const { card, rest, headers, bindings, extensions, signatures, timeouts, health } = config;
    // The document of an application is not in its entry.
    const document = rest?.spec === undefined ? undefined : host.operations(name)?.key;
    const own = [origin, id, target, card, rest, config.auth, headers, bindings, extensions, signatures, timeouts, health];
    const key = fingerprint([...own, document]);
    const known = sources.get(id) ?? before?.sources.get(id);
    const source = known?.key === key ? known.source : createSource({ id, name, config, target, origin }, host);
    sources.set(id, { key, source });
    return source;
  };
  try {
    for (const [name, config] of Object.entries(merged.config.agents ?? {})) {
      if (config.enabled === false) continue;
      const place = `agents/${name}`;
      const balancer = await balancerOf(config, place, lent);
      const instances = targetsOf(name, config).map(({ id, formerId, target }): Instance => {
        const gauge = host.gauges.for(gaugeKey(id));
        const choice = {
          id,
          formerId,
          source: sourceOf(id, name, config, target),
          condition: target?.when === undefined ? undefined : compileCondition(target.when),
          target: { name: id, upstream: id },
          weight: target?.weight ?? 1,
          gauge,
          figures: gauge,
          plan: { pools: [{ choices: [] as Instance[], balancer }], retries: RETRIES, budget: new RetryBudget() },
        };
        choice.plan.pools[0]!.choices.push(choice);
        return choice;
      });
      const access = compileAccess(config.access, (pointer) => merged.locate(`/${place}/access${pointer}`));
      const chain = composeChain([...shared, ...(await lent.bind(config.policies, place))], 'agents');
      agents.set(name, { name, origin: merged.origin('agents', name), config, access, chain, instances, balancer, plans: new Map() });
    }
    return { agents, chain: composeChain(shared, 'agents'), sources, merged };
  } catch (error) {
    const kept = new Set([...(before?.sources.values() ?? [])].map(({ source }) => source));
    await Promise.all([...sources.values()].filter(({ source }) => !kept.has(source)).map(({ source }) => letGo(source, host.log)));
    throw error;
  }
}

/** What is gauged together: all calls of an instance. */
export function gaugeKey(id: string): string {
  return `agents/${id}`;
}

interface Place {
  readonly id: string;
  readonly formerId: string | undefined;
  readonly target: AgentTargetConfig | undefined;
}

/**
 * An agent with one address has one instance under its own name; of several each is named by its address, so that tasks find it after a change of order.
 * Who goes from one address to several, or back, keeps the tasks of the first.
 */
function targetsOf(name: string, { card, rest, targets = [] }: AgentConfig): Place[] {
  const idOf = (address: string): string =>
    `${name}#${fingerprint(address)
      .replaceAll(/[^A-Za-z0-9]/g, '')
      .slice(0, 6)}`;
  if (rest !== undefined) return [{ id: name, formerId: undefined, target: undefined }];
  if (card !== undefined) return [{ id: name, formerId: idOf(card), target: undefined }];
  return targets.map((target, index) => ({ id: idOf(target.card), formerId: index === 0 ? name : undefined, target }));
}

function balancerOf({ balance = 'weight' }: AgentConfig, place: string, lent: AgentsBuildHost): Promise<Balancer> {
  const [name, options] = typeof balance === 'string' ? [balance, {}] : (Object.entries(balance)[0] ?? ['', {}]);
  if (name === '') throw new GatewayError('bad_request', `${place}: balance names no balancer.`);
  return lent.createBalancer(name, options, `${place}/balance`);
}
