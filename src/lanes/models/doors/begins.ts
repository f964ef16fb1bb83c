import { isObject } from '../../../core/json.ts';
import type { ModelsChunk } from '../../../core/models.ts';
import { PassedChunk } from '../passing/passed.ts';

/** Events that come before anything was generated. */
const PREAMBLE = new Set(['message_start', 'ping', 'response.created', 'response.in_progress', 'response.queued']);
const EVENT = /^event: *(\S+)/gm;

/** True for a chunk with something that the model has said: what comes before only tells that the vendor has taken the request. */
export function begins(chunk: ModelsChunk): boolean {
  if (!(chunk instanceof PassedChunk)) return chunk.event === undefined ? !isRoleOnly(chunk) : !PREAMBLE.has(chunk.event);
  // Passed on unread, it may hold several events, or comments alone.
  const text = chunk.bytes.toString('latin1');
  if (!text.includes('data:')) return false;
  const names = [...text.matchAll(EVENT)].map(([, name]) => name!);
  return names.length > 0 ? names.some((name) => !PREAMBLE.has(name)) : !isRoleOnly(chunk);
}

/** The first event of OpenAI's chat has the role and an empty text. What cannot be read as one event holds more. */
function isRoleOnly({ data }: ModelsChunk): boolean {
  const choices: unknown = data['choices'];
  const [choice] = Array.isArray(choices) ? (choices as readonly unknown[]) : [];
  if (!isObject(choice) || !isObject(choice['delta'])) return false;
  const { role, content, refusal, ...rest } = choice['delta'];
  return role !== undefined && !content && !refusal && !choice['finish_reason'] && Object.values(rest).every((value) => value === null);
}
