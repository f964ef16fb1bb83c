import { type JsonObject, isObject } from '../../../core/json.ts';
import type { ToolDefinition, ToolsReply } from '../../../core/tools.ts';

/** Revisions up to 2025-11-25: sessions, `initialize`, server requests on open streams. Newest first. */
export const REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

/** The only revision with JSON-RPC batches (2025-03-26 basic/transports; removed in 2025-06-18). */
export const BATCH_REVISION = '2025-03-26';

/** The version that a session gets: the client's if we speak it, else our newest (basic/lifecycle, "Version negotiation"). */
export function negotiate(requested: unknown): string {
  return REVISIONS.find((revision) => revision === requested) ?? REVISIONS[0];
}

export function speaks(version: string): boolean {
  return (REVISIONS as readonly string[]).includes(version);
}

/** The `result` of a message as JSON: without what later revisions added, with structured content that has an object at its root. */
export function encodeResult(reply: ToolsReply): string {
  const { resultType: _, ...rest } = reply;
  const structured = reply.structuredContent;
  if (structured !== undefined && !isObject(structured)) return JSON.stringify({ ...rest, structuredContent: { result: structured } });
  return JSON.stringify(rest);
}

/** A tool for clients of this age: they refuse a whole list for one output schema without `type: object`. */
export function presentTool(definition: ToolDefinition): JsonObject {
  const schema = definition.outputSchema;
  if (schema === undefined || schema['type'] === 'object') return definition;
  return { ...definition, outputSchema: { type: 'object', properties: { result: schema }, required: ['result'] } };
}
