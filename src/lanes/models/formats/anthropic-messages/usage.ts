import type { JsonObject } from '../../../../core/json.ts';
import type { Usage } from '../../../../core/usage.ts';
import { maybe } from '../_read.ts';

/**
 * The usage of a message or of an event. `input_tokens` leaves out what was read from and written to the cache: `inputTokens` is the sum.
 * An object without any number gives undefined.
 */
export function readUsage(usage: JsonObject): Usage | undefined {
  const read = maybe.number(usage['cache_read_input_tokens']);
  const written = maybe.number(usage['cache_creation_input_tokens']);
  const fresh = maybe.number(usage['input_tokens']);
  const output = maybe.number(usage['output_tokens']);
  const long = maybe.number(maybe.object(usage['cache_creation'])['ephemeral_1h_input_tokens']);
  const thinking = maybe.number(maybe.object(usage['output_tokens_details'])['thinking_tokens']);
  const all: Usage = {
    ...(fresh !== undefined && { inputTokens: fresh + (read ?? 0) + (written ?? 0) }),
    ...(output !== undefined && { outputTokens: output }),
    ...(read !== undefined && { cacheReadTokens: read }),
    ...(written !== undefined && { cacheWriteTokens: written }),
    ...(long !== undefined && { cacheWriteLongTokens: long }),
    ...(thinking !== undefined && { reasoningTokens: thinking }),
  };
  if (Object.keys(all).length === 0) return undefined;
  const tier = tierOf(usage);
  return tier === undefined ? all : { ...all, tier };
}

/** Where prices are others: fast mode, committed capacity, batches. */
function tierOf({ speed, service_tier: tier }: JsonObject): string | undefined {
  if (speed === 'fast') return speed;
  return tier === 'priority' || tier === 'batch' ? tier : undefined;
}

/** `usage` of a `message_delta` may repeat counts of `message_start`, or say null: the last number that was said holds. */
export function joinUsage(earlier: JsonObject, later: JsonObject): JsonObject {
  const said = Object.entries(later).filter(([, value]) => value !== null && value !== undefined);
  return { ...earlier, ...Object.fromEntries(said) };
}

/** Of a whole body, of `message_start` (in its `message`) and of `message_delta`. */
export function usageOf(body: JsonObject): { readonly usage?: Usage; readonly model?: string } {
  const message = body['type'] === 'message_start' ? maybe.object(body['message']) : body;
  const usage = readUsage(maybe.object(message['usage']));
  const model = maybe.text(message['model']);
  return { ...(usage && { usage }), ...(model !== undefined && { model }) };
}

/**
 * The other way. The format demands both totals, so an unknown input is what `estimate` counts; an unknown output is 0, as there is no word for
 * unknown. Counts of the cache may be null and are, when nobody said them.
 */
export function writeUsage(usage: Usage | undefined, estimate: () => number): JsonObject {
  const { inputTokens, outputTokens, cacheReadTokens: read, cacheWriteTokens: written, cacheWriteLongTokens: long } = usage ?? {};
  const fresh = inputTokens === undefined ? estimate() : Math.max(0, inputTokens - (read ?? 0) - (written ?? 0));
  return {
    input_tokens: fresh,
    cache_creation_input_tokens: written ?? null,
    cache_read_input_tokens: read ?? null,
    output_tokens: outputTokens ?? 0,
    ...(long !== undefined && {
      cache_creation: { ephemeral_5m_input_tokens: Math.max(0, (written ?? long) - long), ephemeral_1h_input_tokens: long },
    }),
    ...(usage?.reasoningTokens !== undefined && { output_tokens_details: { thinking_tokens: usage.reasoningTokens } }),
  };
}
