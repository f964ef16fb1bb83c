import type { ToolNameStore, EndedSessionStore } from '../../core/contracts/store.ts';
import type { Balancer } from '../../core/contracts/balancer.ts';
import type { ToolSource } from '../../core/contracts/tool-source.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { Semantics } from '../../core/contracts/semantics.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Logger } from '../../core/logger.ts';
import type { Access } from '../../access/permit.ts';
import type { SessionSeal } from '../../access/session-seal.ts';
import type { PolicyBinder } from '../../pipeline/chain.ts';
import type { Ledger } from '../../pipeline/live-call.ts';
import type { Gauges } from '../../upstreams/health/gauges.ts';
import type { UpstreamHttp } from '../../upstreams/http.ts';

/** What the composition root lends to the tools lane for as long as it lives. */
export interface ToolsHost {
  readonly http: UpstreamHttp;
  readonly log: Logger;
  readonly toolNames: ToolNameStore;
  readonly endedSessions: EndedSessionStore;
  readonly seal: SessionSeal;
  readonly ledger: Ledger;
  /** What is seen of every target, over all generations. */
  readonly gauges: Gauges;
  /** Search by meaning, classes and vectors. */
  readonly semantics: Semantics;
  readonly agents: AgentDirectory;
  /** Masks known secrets. */
  redact(text: string): string;
  /** Makes a value known as a secret; gives the way to forget it. */
  addSecret(value: string): () => void;
  /** The consumer of that name as the current generation knows it. */
  consumer(name: string): Consumer | undefined;
}

/** The agents of the hub, for those who look for one. */
export interface AgentDirectory {
  mayCallAny(consumer: Consumer): boolean;
  /** Best first, of those that the consumer may call; JSON, with `degraded` where another rung answered. */
  search(consumer: Consumer, query: string, top: number, signal: AbortSignal): Promise<JsonObject>;
}

/** What the composition root lends to one build of a generation. */
export interface BuildHost extends PolicyBinder {
  /** A tool source made by an extension. */
  createSource(extension: string, name: string, options: unknown): Promise<ToolSource>;
  /** Throws GatewayError for a name that is none, and for options that are wrong. `place` is that of the configuration. */
  createBalancer(name: string, options: unknown, place: string): Promise<Balancer>;
  /** The extension's content: a source is made anew when it has changed. */
  extensionVersion(kind: 'tool-source', extension: string): string;
}

/** The skills of an agent as tools, and the access that the agent has. */
export type AgentToolsOf = (agent: string) => { readonly source: ToolSource; readonly access: Access };
