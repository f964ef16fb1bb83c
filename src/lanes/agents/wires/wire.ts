import type { AgentError, AgentOperation } from '../../../core/agents.ts';
import type { JsonObject } from '../../../core/json.ts';

export const VERSIONS = ['1.0', '0.3'] as const;
/** The protocol versions that the hub speaks, to both sides. */
export type VersionName = (typeof VERSIONS)[number];
export const BINDINGS = ['JSONRPC', 'HTTP+JSON'] as const;
/** As agent cards name them. */
export type BindingName = (typeof BINDINGS)[number];

/** A request as it came or is to be sent. `path` stands below the address of the interface: empty for JSON-RPC, `/message:send` for HTTP+JSON. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed; undefined where there is none. */
  readonly body: unknown;
}

/** A request that was understood. `params` has the shape of 1.0. */
export interface WireCall {
  readonly operation: AgentOperation;
  readonly params: JsonObject;
  /** Of JSON-RPC; null where there is none. */
  readonly id: string | number | null;
}

/** A request to an agent. `path` has the query in it; `body` is JSON to be written, undefined where there is none. */
export interface WireSending {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject | undefined;
}

export interface WireAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Undefined: an answer without a body. */
  readonly body: JsonObject | undefined;
}

/**
 * One version in one binding, both ways. Pure. What goes in and comes out of the hub has the shape of A2A 1.0; fields that a version does not know pass
 * as they are where its shape has room for them. In 1.0 all objects pass by reference where their fields are spelled as in the specification: other
 * spellings of these are brought to it, so that an agent never reads an id or an address that the hub has not seen.
 */
export interface Wire {
  readonly version: VersionName;
  readonly binding: BindingName;
  /** Understands what a caller sent. Throws AgentError with the code that the specification has for it. */
  readRequest(request: WireRequest): WireCall;
  /** The id to answer with when `readRequest` throws. */
  readId(body: unknown): WireCall['id'];
  writeReply(operation: AgentOperation, result: JsonObject, id: WireCall['id']): WireAnswer;
  /** The data of one server-sent event. */
  writeEvent(event: JsonObject, id: WireCall['id']): string;
  writeError(error: AgentError, id: WireCall['id']): WireAnswer;
  /** The data of the event that ends a stream which has begun. It is sent as `event: error`: clients of HTTP+JSON know it by that. */
  writeStreamError(error: AgentError, id: WireCall['id']): string;
  /** What is sent to an agent; undefined where this version has no such operation. Throws AgentError InvalidParams for an id that cannot stand in a path. */
  writeRequest(operation: AgentOperation, params: JsonObject): WireSending | undefined;
  /** The result of the operation in an agent's whole answer. Throws AgentError for an error of the agent, and GatewayError `upstream_failed` for what is none. */
  readReply(operation: AgentOperation, status: number, body: unknown): JsonObject;
  /** The StreamResponse in the data of one server-sent event, parsed. Throws as `readReply` does. */
  readEvent(data: unknown): JsonObject;
  /** The body of a push notification from an agent, of whichever version. Throws AgentError InvalidParams. */
  readPush(body: unknown): JsonObject;
  /** The body of a push notification to a caller. In 0.3 it is a Task wherever the hub has one: callers should give it that. */
  writePush(event: JsonObject): JsonObject;
}
