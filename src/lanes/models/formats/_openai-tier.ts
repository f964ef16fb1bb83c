import type { JsonObject } from '../../../core/json.ts';

/** `fast` is answered as `priority`. */
const PRICED_APART: ReadonlySet<unknown> = new Set(['priority', 'fast', 'ultrafast', 'flex', 'scale']);

/** The service tier that an answer of OpenAI says it was made in, where it has other prices than the usual one. */
export function openaiTier({ service_tier: tier }: JsonObject): string | undefined {
  return PRICED_APART.has(tier) ? (tier as string) : undefined;
}
