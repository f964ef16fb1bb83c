import type { ToolNameStore, EndedSessionStore } from '../../core/contracts/store.ts';
import type { ToolSource } from '../../core/contracts/tool-source.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { Logger } from '../../core/logger.ts';
import type { PolicyUse } from '../../config/types.ts';
import type { SessionSeal } from '../../access/session-seal.ts';
import type { BoundPolicy } from '../../pipeline/chain.ts';
import type { UpstreamHttp } from '../../upstreams/http.ts';

/** What the composition root lends to the tools lane for as long as it lives. */
export interface ToolsHost {
  readonly http: UpstreamHttp;
  readonly log: Logger;
  readonly toolNames: ToolNameStore;
  readonly endedSessions: EndedSessionStore;
  readonly seal: SessionSeal;
  /** Masks known secrets. */
  redact(text: string): string;
  /** Makes a value known as a secret; gives the way to forget it. */
  addSecret(value: string): () => void;
  /** The consumer of that name as the current generation knows it. */
  consumer(name: string): Consumer | undefined;
}

/** What the composition root lends to one build of a generation. */
export interface BuildHost {
  /** Policies of one place, created for this generation. */
  bind(uses: readonly PolicyUse[] | undefined): Promise<readonly BoundPolicy[]>;
  /** A tool source made by an extension. */
  createSource(extension: string, name: string, options: unknown): Promise<ToolSource>;
  /** The extension's content: a source is made anew when it has changed. */
  extensionVersion(extension: string): string;
}
