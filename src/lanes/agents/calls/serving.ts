import type { Logger } from '../../../core/logger.ts';
import type { Ledger, LiveCall } from '../../../pipeline/live-call.ts';
import type { UpstreamHttp } from '../../../upstreams/http.ts';
import type { CardSigner } from '../cards/signing.ts';
import type { AgentsGeneration } from '../registry/build.ts';
import type { PushRelay } from '../tasks/push-relay.ts';
import type { TaskBook } from '../tasks/task-book.ts';

/** What serving a request needs beside the request. */
export interface Serving {
  readonly http: UpstreamHttp;
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly book: TaskBook;
  readonly push: PushRelay;
  readonly signer: CardSigner;
  /** Streams that are open: they are ended before the hub is. */
  readonly streams: Set<LiveCall<'agents'>>;
  redact(text: string): string;
  /** `publicUrl` of the configuration. */
  publicUrl(): string | undefined;
  /** Nobody needs a key here. */
  isOpen(): boolean;
}

/** Pins the current generation for one call. */
export type EnterGeneration = () => { readonly agents: AgentsGeneration; leave(): void };
