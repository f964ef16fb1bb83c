import type { AgentOperation } from '../agents.ts';
import type { Call, Handled } from '../call.ts';
import type { JsonObject } from '../json.ts';
import type { Cancellation, RequestSigner, UpstreamRequest, UpstreamResponse, UpstreamStream } from '../upstream.ts';
import type { SourceState } from './tool-source.ts';

/** What is known of the signatures on an agent's own card; `unchecked` where it has some and no key to check them by is configured. */
export type SignatureState = 'unsigned' | 'verified' | 'invalid' | 'unchecked';

/** What one agent is at one moment. Immutable: a change is a new snapshot. */
export interface AgentSnapshot {
  /** A hash of all of it. */
  readonly version: string;
  readonly state: SourceState;
  /** Why `state` is not `ready`, or why the last refresh failed while an older card stays. */
  readonly error?: string;
  /** In the shape of A2A 1.0, as the agent has it: addresses and security schemes are its own. Unknown fields are there. */
  readonly card: JsonObject | undefined;
  readonly signature: SignatureState;
}

/** The way to the upstream for one attempt at one call, through the pipeline: hooks, credentials, cancellation. */
export interface AgentLine {
  /** What is asked of this instance, in the shape of 1.0: it need not be what the caller asked, which the hub may answer by several questions. */
  readonly operation: AgentOperation;
  readonly params: JsonObject;
  /** `until` calls the request off in place of the call's own cancellation: for a task that goes on when its caller leaves. */
  send(request: UpstreamRequest, signers: readonly RequestSigner[], until?: Cancellation): Promise<UpstreamResponse>;
  open(request: UpstreamRequest, signers: readonly RequestSigner[], until?: Cancellation): Promise<UpstreamStream>;
  /** How the caller speaks, as agent cards name it; absent for what the hub asks of its own accord. */
  readonly speaks?: { readonly version: string; readonly binding: string };
  /** URIs of the extensions that the caller asked for. */
  readonly extensions: readonly string[];
}

/**
 * One instance of an agent: an upstream that speaks A2A, or something that the hub makes look like one. Protocol errors are thrown as AgentError,
 * all others as GatewayError.
 */
export interface AgentSource {
  /** The name of the agent in the configuration, with `#N` for the further instances of one. */
  readonly name: string;
  /** `http(s)://host[:port]` or a name of a service inside the process; what calls of it have in common. */
  readonly upstream: string;
  readonly snapshot: AgentSnapshot;
  /** Calls `listener` after every change of the snapshot; returns the way to stop. */
  subscribe(listener: () => void): () => void;
  /** Reads the card again, or for the first time. Never throws: the snapshot says how it went. */
  refresh(): Promise<void>;
  /** The configuration that has the source serves from now on. Called again for one that is taken over: work that was left may be taken up here, and no earlier. */
  serve?(): void;
  /** `tasks/list` is answered by the lane, and push configurations reach the source with an address of the hub's. Streams are for `message/stream` and `tasks/resubscribe`. */
  call(call: Call<'agents'>, line: AgentLine): Promise<Handled<'agents'>>;
  /** Throws when the instance is not well. */
  probe(signal: Cancellation): Promise<void>;
  [Symbol.asyncDispose]?(): Promise<void>;
}
