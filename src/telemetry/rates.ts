import type { Usage } from '../core/usage.ts';

/** US dollars per million tokens; with `tiers`, that of the last one whose `start` the whole input exceeds. */
export type Rate = number | { readonly base: number; readonly tiers: readonly { readonly start: number; readonly price: number }[] };

/** What a model costs. A part without a rate of its own costs what the whole costs that it is part of. */
export interface Rates {
  readonly input: Rate;
  readonly output?: Rate;
  readonly cacheRead?: Rate;
  readonly cacheWrite?: Rate;
  /** For what is kept an hour or more. */
  readonly cacheWriteLong?: Rate;
  readonly inputAudio?: Rate;
  readonly outputAudio?: Rate;
  readonly reasoning?: Rate;
  /** US dollars for a request. */
  readonly request?: number;
}

/**
 * US dollars of one call; null when a side that costs something was not counted. Each token is billed once: parts leave the whole that they
 * are in. Nothing says which tokens were both audio and read from a cache, so cached ones count as text, audio only where there is room.
 */
export function costOf(rates: Rates, usage: Usage): number | null {
  const { inputTokens, outputTokens } = usage;
  if ((inputTokens === undefined && rates.input !== 0) || (outputTokens === undefined && (rates.output ?? 0) !== 0)) return null;
  const input = inputTokens ?? 0;
  const output = outputTokens ?? 0;
  const read = part(rates.cacheRead, usage.cacheReadTokens, input);
  const written = part(rates.cacheWrite, usage.cacheWriteTokens, input - read);
  const long = part(rates.cacheWriteLong, usage.cacheWriteLongTokens, written);
  const audio = part(rates.inputAudio, usage.inputAudioTokens, input - read - written);
  const outAudio = part(rates.outputAudio, usage.outputAudioTokens, output);
  const reasoning = part(rates.reasoning, usage.reasoningTokens, output - outAudio);
  const millions =
    price(input - read - written - audio, rates.input, input) +
    price(read, rates.cacheRead, input) +
    price(written - long, rates.cacheWrite, input) +
    price(long, rates.cacheWriteLong, input) +
    price(audio, rates.inputAudio, input) +
    price(output - outAudio - reasoning, rates.output, input) +
    price(outAudio, rates.outputAudio, input) +
    price(reasoning, rates.reasoning, input);
  return millions / 1e6 + (rates.request ?? 0);
}

/** How many tokens have a rate of their own. */
function part(rate: Rate | undefined, tokens: number | undefined, of: number): number {
  return rate === undefined || tokens === undefined ? 0 : Math.min(tokens, of);
}

function price(tokens: number, rate: Rate | undefined, input: number): number {
  if (tokens === 0 || rate === undefined) return 0;
  if (typeof rate === 'number') return tokens * rate;
  let reached = rate.base;
  for (const tier of rate.tiers) if (input > tier.start) reached = tier.price;
  return tokens * reached;
}
