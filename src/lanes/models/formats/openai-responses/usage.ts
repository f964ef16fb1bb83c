import { isObject, type JsonObject } from '../../../../core/json.ts';
import type { Usage } from '../../../../core/usage.ts';
import { openaiTier } from '../_openai-tier.ts';
import { maybe } from '../_read.ts';

/** What a response says in `usage` and `service_tier`; undefined without any number. `input_tokens` includes what the cache gave and took. */
export function readResponseUsage(response: JsonObject): Usage | undefined {
  const value = response['usage'];
  if (!isObject(value)) return undefined;
  const input = maybe.object(value['input_tokens_details']);
  const output = maybe.object(value['output_tokens_details']);
  const usage = {
    inputTokens: maybe.number(value['input_tokens']),
    outputTokens: maybe.number(value['output_tokens']),
    totalTokens: maybe.number(value['total_tokens']),
    cacheReadTokens: maybe.number(input['cached_tokens']),
    cacheWriteTokens: maybe.number(input['cache_write_tokens']),
    cacheWriteLongTokens: maybe.number(maybe.object(input['cache_write_tokens_details'])['ttl_12h_tokens']),
    reasoningTokens: maybe.number(output['reasoning_tokens']),
  };
  const known = Object.entries(usage).filter(([, tokens]) => tokens !== undefined);
  if (known.length === 0) return undefined;
  const tier = openaiTier(response);
  return { ...Object.fromEntries(known), ...(tier !== undefined && { tier }) };
}

/** Null when nothing is known. The members that the official types demand are 0 when only they are unknown. */
export function writeResponseUsage(usage: Usage | undefined): JsonObject | null {
  if (usage === undefined || (usage.inputTokens ?? usage.outputTokens ?? usage.totalTokens) === undefined) return null;
  const { inputTokens = 0, outputTokens = 0, cacheWriteTokens = 0, cacheWriteLongTokens: long } = usage;
  return {
    input_tokens: inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cacheReadTokens ?? 0,
      cache_write_tokens: cacheWriteTokens,
      ...(long !== undefined && {
        cache_write_tokens_details: { ttl_30m_tokens: Math.max(0, cacheWriteTokens - long), ttl_12h_tokens: long },
      }),
    },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.totalTokens ?? inputTokens + outputTokens,
  };
}

/** Usage and served model of a whole response, or of one event, which carries the response in `response`. */
export function readUsage(body: JsonObject): { readonly usage?: Usage; readonly model?: string } {
  const response = isObject(body['response']) ? body['response'] : body;
  const usage = readResponseUsage(response);
  const model = maybe.text(response['model']);
  return { ...(usage && { usage }), ...(model !== undefined && { model }) };
}
