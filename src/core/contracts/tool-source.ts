import type { JsonObject } from '../json.ts';
import type { Call } from '../call.ts';
import type { ErrorCode } from '../errors.ts';
import type { SourceTool, ToolsReply } from '../tools.ts';
import type { RequestSigner, UpstreamRequest, UpstreamResponse } from '../upstream.ts';
import type { Awaitable, Extension } from './extension.ts';

export type SourceState = 'loading' | 'ready' | 'failed' | 'auth-needed';

/** What a source offers at one moment. Immutable: a change is a new snapshot. `version` is a hash of all of it. */
export interface SourceSnapshot {
  readonly version: string;
  readonly state: SourceState;
  /** Why `state` is not `ready`, or why the last refresh failed while older tools stay. */
  readonly error?: string;
  readonly title?: string;
  readonly instructions?: string;
  readonly tools: readonly SourceTool[];
  /** As `resources/list`, `resources/templates/list` and `prompts/list` of MCP show them. */
  readonly resources: readonly JsonObject[];
  readonly resourceTemplates: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  /** What the source does beyond lists and calls. */
  readonly features: { readonly completions?: boolean; readonly logging?: boolean; readonly subscribe?: boolean };
}

/** `lists` of the snapshot changed, or the content behind one resource did. */
export type SourceEvent = { readonly type: 'lists' } | { readonly type: 'resource-updated'; readonly uri: string };

/** The caller's side of one call, for a source that talks while it works. */
export interface Channel {
  /** Stable for one client session (2025-11-25); absent for stateless callers. */
  readonly session: string | undefined;
  readonly protocolVersion: string;
  /** As the client declared them: an upstream must be offered these, not ours. */
  readonly clientCapabilities: JsonObject;
  readonly clientInfo: JsonObject | undefined;
  /** `_meta` of the request, reserved keys included. */
  readonly meta: JsonObject;
  /** Sends a notification on the caller's stream, before the result. */
  notify(method: string, params: JsonObject): void;
  /**
   * Asks the client (sampling, elicitation, roots) on the stream of this call and waits for its answer. Callers of 2026-07-28 cannot be
   * asked: then it throws, and the source returns an `input_required` result instead.
   */
  request(method: string, params: JsonObject): Promise<JsonObject>;
  /** True when `request` can work. */
  readonly canRequest: boolean;
}

/** A request that is ready to be sent, and how its answer becomes a result. Both are pure. */
export interface PreparedCall {
  readonly request: UpstreamRequest;
  readonly signers: readonly RequestSigner[];
  /** A second try cannot do harm: GET, HEAD, or an idempotent tool. */
  readonly retryable: boolean;
  decode(response: UpstreamResponse): ToolsReply;
}

interface SourceBase {
  /** The name of the source in the configuration. */
  readonly name: string;
  readonly snapshot: SourceSnapshot;
  /** Calls `listener` after every change of the snapshot; returns the way to stop. */
  subscribe(listener: (event: SourceEvent) => void): () => void;
  [Symbol.asyncDispose]?(): Promise<void>;
}

/** What the hub keeps for the caller under a `hubgate:` URI, such as a result too long for one answer; undefined for what is not theirs or gone. */
export type ReadResource = (uri: string) => { readonly body: Uint8Array; readonly mimeType: string } | undefined;

/** Every call is one HTTP request: arguments are checked and the request is built once, the pipeline sends it. Only `tools/call`. */
export interface StatelessToolSource extends SourceBase {
  readonly mode: 'stateless';
  /** Returns a reply at once when there is nothing to send (bad arguments). */
  prepare(call: Call<'tools'>, name: string, readResource: ReadResource): Awaitable<PreparedCall | { readonly reply: ToolsReply }>;
}

/**
 * A source with a conversation of its own behind it, such as an upstream MCP server: it gets every operation but the lists, which come from
 * the snapshot. `name` is the tool's, prompt's or resource's name inside the source. A protocol error is thrown as SourceError and reaches the
 * client with code, message and data as they are.
 */
export interface SessionToolSource extends SourceBase {
  readonly mode: 'session';
  call(call: Call<'tools'>, name: string, channel: Channel): Promise<ToolsReply>;
}

export type ToolSource = StatelessToolSource | SessionToolSource;

/** A JSON-RPC error that a source answers with. */
export class SourceError extends Error {
  readonly code: number;
  readonly data: unknown;
  /** What it is in the records of the hub. */
  readonly outcome: ErrorCode;

  constructor(code: number, message: string, data?: unknown, outcome: ErrorCode = 'upstream_failed') {
    super(message);
    this.name = 'SourceError';
    this.code = code;
    this.data = data;
    this.outcome = outcome;
  }
}

/** A kind of tool source that users write; named by `source:` of an entry in `servers`. */
export interface ToolSourceExtension<Options = unknown> extends Extension<'tool-source', Options & { readonly name: string }, ToolSource> {}

/** Gives a tool source its types; adds what is the same in all of them. */
export function defineToolSource<Options>(source: Omit<ToolSourceExtension<Options>, 'kind' | 'apiVersion'>): ToolSourceExtension<Options> {
  return { kind: 'tool-source', apiVersion: 1, ...source };
}
