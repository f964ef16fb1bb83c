import type { Provider } from '../../core/contracts/provider.ts';
import type { Logger } from '../../core/logger.ts';
import type { PolicyBinder } from '../../pipeline/chain.ts';
import type { Record } from '../../pipeline/live-call.ts';
import type { UpstreamHttp } from '../../upstreams/http.ts';

/** What the composition root lends to the models lane for as long as it lives. */
export interface ModelsHost {
  readonly http: UpstreamHttp;
  readonly log: Logger;
  readonly record: Record;
  /** Masks known secrets. */
  redact(text: string): string;
  /** Makes a value known as a secret; gives the way to forget it. */
  addSecret(value: string): () => void;
}

/** What the composition root lends to one build of a generation. */
export interface ModelsBuildHost extends PolicyBinder {
  /** A provider of the type, with an account's options. Throws GatewayError that names what is wrong with them. */
  createProvider(type: string, name: string, options: object): Promise<Provider>;
  /** The code of a provider type: an account is made anew when it has changed. */
  extensionVersion(kind: 'provider', type: string): string;
}
