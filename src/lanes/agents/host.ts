import type { Consumer } from '../../core/consumer.ts';
import type { Balancer } from '../../core/contracts/balancer.ts';
import type { TaskStore } from '../../core/contracts/store.ts';
import type { Semantics } from '../../core/contracts/semantics.ts';
import type { Logger } from '../../core/logger.ts';
import type { PolicyBinder } from '../../pipeline/chain.ts';
import type { Ledger } from '../../pipeline/live-call.ts';
import type { Gauges } from '../../upstreams/health/gauges.ts';
import type { UpstreamHttp } from '../../upstreams/http.ts';
import type { OperationCaller } from './sources/rest/operation-caller.ts';

/** What the composition root lends to the agents lane for as long as it lives. */
export interface AgentsHost {
  readonly http: UpstreamHttp;
  readonly log: Logger;
  readonly ledger: Ledger;
  /** What is seen of every target, over all generations. */
  readonly gauges: Gauges;
  /** Search by meaning, classes and vectors. */
  readonly semantics: Semantics;
  readonly tasks: TaskStore;
  /** The hub's, 32 bytes: the key that signs cards comes from it. */
  readonly secretKey: Buffer;
  /** Masks known secrets. */
  redact(text: string): string;
  /** Makes a value known as a secret; gives the way to forget it. */
  addSecret(value: string): () => void;
  /** Where this hub is reached from outside: `publicUrl`, or else where it listens. No slash at the end. */
  base(): string;
  /** `publicUrl` of the configuration. */
  publicUrl(): string | undefined;
  /** The consumer of that name as the current generation knows it. */
  consumer(name: string): Consumer | undefined;
  /** Nobody needs a key here. */
  isOpen(): boolean;
}

/** What the composition root lends to one build of a generation. */
export interface AgentsBuildHost extends PolicyBinder {
  /** Throws GatewayError for a name that is none, and for options that are wrong. `place` is that of the configuration. */
  createBalancer(name: string, options: unknown, place: string): Promise<Balancer>;
}

/** The operations of the document of `rest.spec`; undefined for an agent without one. */
export type OperationsOf = (agent: string) => OperationCaller | undefined;
