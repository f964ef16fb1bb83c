import { isObject, type JsonObject } from '../core/json.ts';

/** The last thing that a user said in a request, and all else. */
export interface Question {
  readonly text: string;
  /** The body with the text taken out. */
  readonly rest: JsonObject;
}

/**
 * Of a body of chat, messages or responses. Undefined when the last message is not a user's, or has no text: what answers a tool, or goes on
 * with what the model has begun, is no question. Of several texts in the message it is the last.
 */
export function questionOf(body: JsonObject): Question | undefined {
  const field = 'messages' in body ? 'messages' : 'input';
  const list = body[field];
  if (typeof list === 'string') return { text: list, rest: { ...body, [field]: null } };
  if (!Array.isArray(list)) return undefined;
  const message: unknown = list.at(-1);
  if (!isObject(message) || message['role'] !== 'user') return undefined;
  const { content } = message;
  const asked = typeof content === 'string' ? { text: content, rest: null } : lastText(content);
  if (asked === undefined) return undefined;
  return { text: asked.text, rest: { ...body, [field]: [...list.slice(0, -1), { ...message, content: asked.rest }] } };
}

const TEXTS = new Set<unknown>(['text', 'input_text']);

function lastText(parts: unknown): { text: string; rest: unknown } | undefined {
  if (!Array.isArray(parts)) return undefined;
  const at = parts.findLastIndex((part) => isObject(part) && TEXTS.has(part['type']));
  const part: unknown = parts[at];
  if (!isObject(part) || typeof part['text'] !== 'string') return undefined;
  return { text: part['text'], rest: parts.with(at, { ...part, text: null }) };
}
