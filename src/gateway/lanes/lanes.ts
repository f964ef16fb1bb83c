import { createSessionSeal } from '../../access/session-seal.ts';
import type { MergedConfig } from '../../config/types.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { Problem } from '../../core/contracts/resource.ts';
import type { Store } from '../../core/contracts/store.ts';
import type { GatewayError } from '../../core/errors.ts';
import type { Exchange, Mount } from '../../http/mount.ts';
import { AgentsLane } from '../../lanes/agents/lane.ts';
import type { AgentsGeneration } from '../../lanes/agents/registry/build.ts';
import type { ModelsHost } from '../../lanes/models/host.ts';
import { ModelsLane } from '../../lanes/models/lane.ts';
import type { ModelsGeneration } from '../../lanes/models/routes/build.ts';
import type { ToolsGeneration } from '../../lanes/tools/build.ts';
import type { AgentDirectory } from '../../lanes/tools/host.ts';
import { ToolsLane } from '../../lanes/tools/lane.ts';
import type { BoundPolicy } from '../../pipeline/chain.ts';
import type { ExtensionSet } from '../extensions/extension-set.ts';
import { agentOperations, agentTools } from './agent-parts.ts';

/** What the lanes became in one generation. */
export interface LaneGenerations {
  readonly tools: ToolsGeneration;
  readonly models: ModelsGeneration;
  readonly agents: AgentsGeneration;
}

/** What the hub lends to all lanes. */
export interface LanesHost extends ModelsHost {
  readonly store: Store;
  readonly secretKey: Buffer;
  /** Where the public listener is. */
  url(): string;
  /** `publicUrl` of the configuration. */
  publicUrl(): string | undefined;
  /** Nobody needs a key. */
  isOpen(): boolean;
  consumer(name: string): Consumer | undefined;
}

/** Pins the current generation for one call. */
export type Enter = () => LaneGenerations & { leave(): void };

/** The three lanes, and what one of them has from another: they do not know each other. */
export class Lanes {
  readonly tools: ToolsLane;
  readonly models: ModelsLane;
  readonly agents: AgentsLane;

  constructor(host: LanesHost, enter: Enter) {
    const { store, secretKey, url, publicUrl, isOpen, consumer, ...lent } = host;
    this.models = new ModelsLane(lent, enter);
    const base = (): string => (publicUrl() ?? url()).replace(/\/$/, '');
    this.agents = new AgentsLane({ ...lent, tasks: store.tasks, secretKey, base, publicUrl, isOpen, consumer }, enter);
    const { toolNames, endedSessions } = store;
    const { agents: lane } = this;
    const agents: AgentDirectory = {
      mayCallAny: (one) => lane.mayCallAny(one),
      search: async (one, query, top, signal) => ({ ...(await lane.search(one, query, top, signal)) }),
    };
    this.tools = new ToolsLane({ ...lent, toolNames, endedSessions, seal: createSessionSeal(secretKey), consumer, agents }, enter);
  }

  get mounts(): readonly Mount[] {
    return [...this.tools.mounts, ...this.models.mounts, ...this.agents.mounts];
  }

  /** Builds all lanes. What was built is let go of when one of them throws. */
  async build(merged: MergedConfig, lent: ExtensionSet, shared: readonly BoundPolicy[]): Promise<LaneGenerations> {
    const models = await this.models.build(merged, lent, shared);
    const tools = await this.tools.build(merged, lent, shared, (name) => agentTools(this.agents, merged, name));
    try {
      const operations = (agent: string) => agentOperations(tools, agent);
      return { models, tools, agents: await this.agents.build(merged, lent, shared, operations) };
    } catch (error) {
      await this.tools.release(tools);
      throw error;
    }
  }

  problems({ models, tools, agents }: LaneGenerations): Problem[] {
    return [...this.models.problems(models), ...this.tools.problems(tools), ...this.agents.problems(agents)];
  }

  /** Called right after the swap. */
  adopt({ tools, models, agents }: LaneGenerations): void {
    this.tools.adopt(tools);
    this.models.adopt(models);
    this.agents.adopt(agents);
  }

  /** To be called when no call runs on a generation any more, or it never served. */
  async release({ tools, agents }: LaneGenerations): Promise<void> {
    await Promise.all([this.tools.release(tools), this.agents.release(agents)]);
  }

  /** Of all targets that are called now. */
  gaugeKeys(): Set<string> {
    return new Set([...this.models.gaugeKeys(), ...this.tools.gaugeKeys(), ...this.agents.gaugeKeys()]);
  }

  /** Writes an error of the edge in the words of the lane whose path it is; false for a path of none. */
  writeError(exchange: Exchange, error: GatewayError): boolean {
    return this.models.writeError(exchange, error) || this.agents.writeError(exchange, error);
  }

  /** Ends what has no end of its own, before connections are waited for. */
  endStreams(): void {
    this.tools.close();
    this.models.close();
    this.agents.endStreams();
  }

  /** To be called when no call is left. */
  close(): Promise<void> {
    return this.agents.close();
  }
}
