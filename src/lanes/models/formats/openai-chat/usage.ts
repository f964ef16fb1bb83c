import { isObject, type JsonObject } from '../../../../core/json.ts';
import type { Usage } from '../../../../core/usage.ts';
import { maybe } from '../_read.ts';
import { openaiTier } from '../_openai-tier.ts';
import { given } from '../_given.ts';

/** Usage and model of a whole answer or of one event. Vendors hide usage in several places: all are looked at, nothing is walked through. Written
 * without intermediate objects, for every call that passes comes by here. */
export function readUsage(body: JsonObject): { readonly usage?: Usage; readonly model?: string } {
  const found = body['usage'] ?? maybe.object(body['x_groq'])['usage'] ?? usageOfChoice(body['choices']);
  const usage = isObject(found) ? toUsage(found, openaiTier(body)) : undefined;
  const model = maybe.text(body['model']);
  const read: { usage?: Usage; model?: string } = {};
  if (usage !== undefined) read.usage = usage;
  if (model !== undefined && model !== '') read.model = model;
  return read;
}

/** Moonshot puts it into the choice. */
function usageOfChoice(choices: unknown): unknown {
  return Array.isArray(choices) && isObject(choices[0]) ? choices[0]['usage'] : undefined;
}

function toUsage(usage: JsonObject, tier: string | undefined): Usage | undefined {
  const input = maybe.object(usage['prompt_tokens_details']);
  const output = maybe.object(usage['completion_tokens_details']);
  const inputTokens = maybe.number(usage['prompt_tokens']);
  const completion = maybe.number(usage['completion_tokens']);
  const totalTokens = maybe.number(usage['total_tokens']);
  const reasoningTokens = maybe.number(output['reasoning_tokens']);
  // xAI counts reasoning beside the completion, not in it: its total tells.
  const beside = reasoningTokens !== undefined && totalTokens === (inputTokens ?? 0) + (completion ?? 0) + reasoningTokens;
  const read: { -readonly [K in keyof Usage]: Usage[K] } = {};
  const set = (key: Exclude<keyof Usage, 'estimated' | 'tier'>, value: number | undefined): void => {
    if (value !== undefined) read[key] = value;
  };
  set('inputTokens', inputTokens);
  set('outputTokens', beside && completion !== undefined ? completion + reasoningTokens : completion);
  set('totalTokens', totalTokens);
  set('cacheReadTokens', maybe.number(input['cached_tokens']) ?? maybe.number(usage['prompt_cache_hit_tokens']));
  set('cacheWriteTokens', maybe.number(input['cache_write_tokens']));
  set('cacheWriteLongTokens', maybe.number(maybe.object(input['cache_write_tokens_details'])['ttl_12h_tokens']));
  set('reasoningTokens', reasoningTokens);
  set('inputAudioTokens', maybe.number(input['audio_tokens']));
  set('outputAudioTokens', maybe.number(output['audio_tokens']));
  if (tier !== undefined) read.tier = tier;
  // MiniMax sends {"total_tokens": 0, …} with every event before the last.
  const said = inputTokens !== undefined || completion !== undefined || (totalTokens ?? 0) > 0;
  return said ? read : undefined;
}

/** What is unknown stays away. */
export function writeUsage(usage: Usage): JsonObject {
  const { inputTokens, outputTokens } = usage;
  const sum = inputTokens === undefined || outputTokens === undefined ? undefined : inputTokens + outputTokens;
  return given({
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: usage.totalTokens ?? sum,
    prompt_tokens_details: filled({
      cached_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWriteTokens,
      audio_tokens: usage.inputAudioTokens,
    }),
    completion_tokens_details: filled({ reasoning_tokens: usage.reasoningTokens, audio_tokens: usage.outputAudioTokens }),
  });
}

function filled(fields: object): JsonObject | undefined {
  const kept = given(fields);
  return Object.keys(kept).length === 0 ? undefined : (kept as JsonObject);
}
