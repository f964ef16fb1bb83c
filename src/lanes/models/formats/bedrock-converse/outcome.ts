import type { Finish } from '../../../../core/chat.ts';
import { isObject } from '../../../../core/json.ts';
import type { Usage } from '../../../../core/usage.ts';
import { maybe } from '../_read.ts';

const FINISH: ReadonlyMap<string, Finish> = new Map([
  ['end_turn', 'stop'],
  ['tool_use', 'tool_calls'],
  ['max_tokens', 'length'],
  ['stop_sequence', 'stop_sequence'],
  ['guardrail_intervened', 'filtered'],
  ['content_filtered', 'filtered'],
  ['model_context_window_exceeded', 'context_length'],
]);

/** Reasons that say that there is no answer: the model wrote what Bedrock could not read. */
const MALFORMED = new Set(['malformed_model_output', 'malformed_tool_use']);

export const isMalformed = (stopReason: string): boolean => MALFORMED.has(stopReason);

/** `stopReason`; one that is not known yet is an end like any other. */
export function readFinish(stopReason: string, hasCalls: boolean): Finish {
  return FINISH.get(stopReason) ?? (hasCalls ? 'tool_calls' : 'stop');
}

/** `TokenUsage`: its `inputTokens` are without those of the cache, its `totalTokens` are with them or not, by model: so the total is summed up. */
export function readUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const input = maybe.number(value['inputTokens']);
  const outputTokens = maybe.number(value['outputTokens']);
  const cacheReadTokens = maybe.number(value['cacheReadInputTokens']);
  const cacheWriteTokens = maybe.number(value['cacheWriteInputTokens']);
  const long = maybe.list(value['cacheDetails']).find((detail) => isObject(detail) && detail['ttl'] === '1h');
  const cacheWriteLongTokens = maybe.number(maybe.object(long)['inputTokens']);
  const inputTokens = input === undefined ? undefined : input + (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0);
  const sum = inputTokens === undefined || outputTokens === undefined ? undefined : inputTokens + outputTokens;
  const totalTokens = sum ?? maybe.number(value['totalTokens']);
  return {
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
    ...(totalTokens === undefined ? {} : { totalTokens }),
    ...(cacheReadTokens === undefined ? {} : { cacheReadTokens }),
    ...(cacheWriteTokens === undefined ? {} : { cacheWriteTokens }),
    ...(cacheWriteLongTokens === undefined ? {} : { cacheWriteLongTokens }),
  };
}
