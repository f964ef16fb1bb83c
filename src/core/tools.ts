import type { JsonObject } from './json.ts';

/** The tools lane: what its calls move. Shapes are those of MCP 2026-07-28 server/tools, read loosely so that unknown fields survive. */
export interface ToolsLane {
  operation:
    | 'tools/list'
    | 'tools/call'
    | 'resources/list'
    | 'resources/templates/list'
    | 'resources/read'
    | 'resources/subscribe'
    | 'resources/unsubscribe'
    | 'prompts/list'
    | 'prompts/get'
    | 'completion/complete'
    | 'logging/setLevel';
  input: ToolsInput;
  reply: ToolsReply;
  chunk: ToolsChunk;
}

export interface ToolsInput {
  /** The name or URI that was asked for, as the caller sees it; empty for lists. */
  readonly name: string;
  /** What the name stands for on this server, for this consumer; absent when there is nothing (hidden and unknown are alike). */
  readonly tool?: Tool;
  readonly arguments: JsonObject;
  /** The request's `params` as they came, for sources that need more than name and arguments. */
  readonly params: JsonObject;
}

/** A result as MCP has it, free of what one revision adds (`resultType`, `ttlMs`). */
export interface ToolsReply {
  readonly content?: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
  readonly _meta?: JsonObject;
  readonly [key: string]: unknown;
}

/** Parts of a streamed answer: notifications and questions of the tool while it works, then one `result`, the last chunk. */
export type ToolsChunk =
  | { readonly type: 'notification'; readonly method: string; readonly params: JsonObject }
  | { readonly type: 'request'; readonly id: string; readonly method: string; readonly params: JsonObject }
  | { readonly type: 'result'; readonly result: ToolsReply };

export type ContentBlock =
  | { readonly type: 'text'; readonly text: string; readonly [key: string]: unknown }
  | { readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string; readonly [key: string]: unknown }
  | { readonly type: 'resource'; readonly resource: JsonObject; readonly [key: string]: unknown }
  | { readonly type: 'resource_link'; readonly uri: string; readonly name: string; readonly [key: string]: unknown };

/** How much harm a tool can do; ordered. */
export const RISKS = ['read', 'write', 'destructive'] as const;
export type Risk = (typeof RISKS)[number];

export interface ToolAnnotations {
  readonly title?: string;
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
  readonly [key: string]: unknown;
}

/** A tool as `tools/list` shows it. */
export interface ToolDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: ToolAnnotations;
  readonly icons?: readonly JsonObject[];
  readonly _meta?: JsonObject;
  readonly [key: string]: unknown;
}

/** A copy with other parts. What is only read when somebody asks for it, such as a long schema, is not read for that. */
export function redefined(definition: ToolDefinition, parts: Partial<ToolDefinition>): ToolDefinition {
  const properties = { ...Object.getOwnPropertyDescriptors(definition), ...Object.getOwnPropertyDescriptors(parts) };
  return Object.defineProperties({}, properties) as ToolDefinition;
}

/** How the tools of a server are written for its clients; only their form depends on it. */
export const PROFILES = ['default', 'openai', 'gemini', 'copilot-studio', 'raw'] as const;
export type Profile = (typeof PROFILES)[number];

/** The parts of a tool that are shortened to fit clients, without anything left out. */
export type WholeTool = Pick<ToolDefinition, 'description' | 'inputSchema'>;

/** A tool as its source offers it, under the source's own name, with what access rules and selections ask about. */
export interface SourceTool {
  readonly definition: ToolDefinition;
  readonly risk: Risk;
  readonly tags: readonly string[];
  /** For a tool made from an HTTP operation: upper-case method and path template. */
  readonly operation?: { readonly method: string; readonly path: string };
  /** What `definition` is the short form of; absent when nothing is left out of it. */
  readonly whole?: () => WholeTool;
  /** What `whole` has and `definition` has not, in words. */
  readonly cuts?: readonly string[];
  /** Structured content has the answer under `result`, for it need not be an object. */
  readonly wrapped?: true;
  /** US dollars for one call, as the operator has it. */
  readonly price?: number;
  /** Requests that this tool is the answer to: search finds it by them, and no list shows them. */
  readonly examples?: readonly string[];
}

/** A tool as one door exposes it: renamed, described and narrowed by overrides. */
export interface Tool extends SourceTool {
  /** The name on this door; equals `definition.name`. */
  readonly name: string;
  readonly source: string;
  /** The name inside the source, which the source is called with. */
  readonly sourceName: string;
}

/** Looks like a result of a tool that could not do its work: the conversation goes on, the model reads what to do. */
export function errorResult(text: string, extra?: JsonObject): ToolsReply {
  return { content: [{ type: 'text', text }], isError: true, ...extra };
}
