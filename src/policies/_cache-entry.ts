import type { Reply } from '../core/call.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import type { ModelsOperation } from '../core/models.ts';
import type { ToolsReply } from '../core/tools.ts';
import { isExact } from './_cache-canonical.ts';
import type { CachedCall, CachedLane } from './_cache-key.ts';

/** A result that names one of these is readable for who got it only. */
const KEPT_RESULTS = 'hubgate://results/';

/** The text that is kept of an answer; undefined for one that nobody else is to have: it is not complete, a failure, or for its caller alone. */
export function writeEntry(call: CachedCall, reply: Reply<CachedLane>): string | undefined {
  // Not the reply of a model itself: it may hold more than it is made of.
  const kept = call.lane === 'models' ? { body: (reply as Reply<'models'>).body } : reply;
  if (!isComplete(call, kept) || !isWritable(kept)) return undefined;
  const text = JSON.stringify(kept);
  return call.lane === 'tools' && text.includes(KEPT_RESULTS) ? undefined : text;
}

/** Undefined for what is no entry. */
export function readEntry(call: CachedCall, text: string): Reply<CachedLane> | undefined {
  try {
    const kept: unknown = JSON.parse(text);
    return isObject(kept) && isComplete(call, kept) ? (kept as Reply<CachedLane>) : undefined;
  } catch {
    return undefined;
  }
}

function isComplete(call: CachedCall, kept: Reply<CachedLane> | JsonObject): boolean {
  if (call.lane === 'tools') return isResult(kept as ToolsReply);
  const { body } = kept as { readonly body?: unknown };
  if (!isObject(body) || (body['error'] !== undefined && body['error'] !== null)) return false;
  return ENDS[call.operation](body);
}

/** A result, and no question or task. */
function isResult({ isError, resultType, content, structuredContent }: ToolsReply): boolean {
  if (isError === true || (resultType !== undefined && resultType !== 'complete')) return false;
  return Array.isArray(content) || structuredContent !== undefined;
}

const CHAT_ENDS = new Set<unknown>(['stop', 'length', 'tool_calls', 'function_call']);
const MESSAGE_ENDS = new Set<unknown>(['end_turn', 'stop_sequence', 'max_tokens', 'tool_use']);

/** Whether the model has said all that it was going to say: no answer of a filter, and none that wants to go on. */
const ENDS: Readonly<Record<ModelsOperation, (body: JsonObject) => boolean>> = {
  chat: ({ choices }) =>
    Array.isArray(choices) && choices.length > 0 && choices.every((one) => isObject(one) && CHAT_ENDS.has(one['finish_reason'])),
  messages: ({ content, stop_reason: end }) => Array.isArray(content) && MESSAGE_ENDS.has(end),
  responses: ({ output, status, incomplete_details: why }) =>
    Array.isArray(output) &&
    (status === 'completed' || (status === 'incomplete' && isObject(why) && why['reason'] === 'max_output_tokens')),
  embeddings: ({ data }) => Array.isArray(data) && data.length > 0,
  count_tokens: ({ input_tokens: count }) => typeof count === 'number',
  models: () => false,
};

/** Whether reading the text of a value gives the value again: an integer beyond 2^53 would lose digits. */
function isWritable(value: unknown): boolean {
  if (typeof value === 'number') return isExact(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isWritable);
  return !isRawJson(value) && Object.values(value).every(isWritable);
}

/** A number that was left as it was written. ECMAScript 2025; the types of the language do not know it yet. */
const isRawJson = (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON;
