import type { Balancer } from '../../core/contracts/balancer.ts';
import type { Provider } from '../../core/contracts/provider.ts';
import type { Semantics } from '../../core/contracts/semantics.ts';
import type { Logger } from '../../core/logger.ts';
import type { PolicyBinder } from '../../pipeline/chain.ts';
import type { Ledger } from '../../pipeline/live-call.ts';
import type { Gauges } from '../../upstreams/health/gauges.ts';
import type { UpstreamHttp } from '../../upstreams/http.ts';

/** What the composition root lends to the models lane for as long as it lives. */
export interface ModelsHost {
  readonly http: UpstreamHttp;
  readonly log: Logger;
  readonly ledger: Ledger;
  /** What is seen of every target, over all generations. */
  readonly gauges: Gauges;
  /** Search by meaning, classes and vectors. */
  readonly semantics: Semantics;
  /** Masks known secrets. */
  redact(text: string): string;
  /** Makes a value known as a secret; gives the way to forget it. */
  addSecret(value: string): () => void;
}

/** What the composition root lends to one build of a generation. */
export interface ModelsBuildHost extends PolicyBinder {
  /** A provider of the type, with an account's options. Throws GatewayError that names what is wrong with them. */
  createProvider(type: string, name: string, options: object): Promise<Provider>;
  /** Throws GatewayError for a name that is none, and for options that are wrong. `place` is that of the configuration. */
  createBalancer(name: string, options: unknown, place: string): Promise<Balancer>;
  /** The code of a provider type: an account is made anew when it has changed. */
  extensionVersion(kind: 'provider', type: string): string;
}
