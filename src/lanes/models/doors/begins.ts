import { isObject } from '../../../core/json.ts';
import type { ModelsChunk } from '../../../core/models.ts';
import { PassedChunk } from '../passing/passed.ts';

/** Events that come before anything was generated. */
const PREAMBLE = new Set(['message_start', 'ping', 'response.created', 'response.in_progress', 'response.queued']);
const EVENT = /^event: *(\S+)/gm;

/** True for a chunk with something that the model has said: what comes before only tells that the vendor has taken the request. */
export function begins(chunk: ModelsChunk): boolean {
  // Passed on unread, it may hold several events.
  const names =
    chunk instanceof PassedChunk
      ? chunk.bytes
          .toString('latin1')
          .matchAll(EVENT)
          .map(([, name]) => name!)
      : [chunk.event];
  const named = [...names].filter((name) => name !== undefined);
  return named.length > 0 ? named.some((name) => !PREAMBLE.has(name)) : !isRoleOnly(chunk);
}

/** The first event of OpenAI's chat has the role and an empty text. What cannot be read as one event holds more. */
function isRoleOnly({ data }: ModelsChunk): boolean {
  const choices: unknown = data['choices'];
  const [choice] = Array.isArray(choices) ? (choices as readonly unknown[]) : [];
  if (!isObject(choice) || !isObject(choice['delta'])) return false;
  const { role, content, refusal, ...rest } = choice['delta'];
  return role !== undefined && !content && !refusal && !choice['finish_reason'] && Object.values(rest).every((value) => value === null);
}
