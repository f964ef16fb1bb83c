import type { ModelPrice } from '@pydantic/genai-prices';
import { createRequire } from 'node:module';
import { compileGlob } from '../core/conditions.ts';
import type { Usage } from '../core/usage.ts';
import { costOf, type Rate, type Rates } from './rates.ts';

/**
 * What one call cost in US dollars, by the type of its provider (`openai`, `bedrock`), the vendor's name of the model and the tokens. Null when
 * the model has no known price, tokens that cost something were not counted, or the list does not have the prices of the service tier; never 0
 * for what is unknown.
 */
export type PriceOf = (provider: string | undefined, model: string, usage: Usage) => number | null;

/** A price that the operator sets. US dollars per million tokens; reads and writes of a cache cost what input costs when they are absent. */
export interface PriceOverride {
  /** Glob over the vendor's name of the model. */
  readonly model: string;
  /** Glob over the type of provider; absent: any. */
  readonly provider?: string;
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
}

type PriceList = typeof import('@pydantic/genai-prices');

/** The list's vendors by our types of providers. */
const VENDORS: ReadonlyMap<string, string> = new Map([
  ['anthropic', 'anthropic'],
  ['azure', 'azure'],
  ['bedrock', 'aws'],
  ['cohere', 'cohere'],
  ['deepseek', 'deepseek'],
  ['gemini', 'google'],
  ['groq', 'groq'],
  ['minimax', 'minimax'],
  ['mistral', 'mistral'],
  ['openai', 'openai'],
  ['openrouter', 'openrouter'],
  ['together', 'together'],
  ['vertex', 'google'],
  ['xai', 'x-ai'],
  // Without a price: dashscope, which the list does not have, and what people host themselves (demo, ollama, openai-compatible, sglang, vllm).
]);

/** The list's names of prices by ours. */
const RATES: ReadonlyMap<string, keyof Rates> = new Map([
  ['input_mtok', 'input'],
  ['output_mtok', 'output'],
  ['cache_read_mtok', 'cacheRead'],
  ['cache_write_mtok', 'cacheWrite'],
  ['cache_write_1h_mtok', 'cacheWriteLong'],
  ['input_audio_mtok', 'inputAudio'],
  ['output_audio_mtok', 'outputAudio'],
  ['output_reasoning_mtok', 'reasoning'],
]);
/** Prices that change no figure here: fees of tools that a vendor runs, and audio from a cache, which is counted as text. */
const LEFT_OUT = new Set(['web_searches_kcount', 'storage_searches_kcount', 'cache_audio_read_mtok']);

const REMEMBERED = 2000;
/** Some prices hold from a day on, or by the hour. */
const CHANGING_MS = 60_000;

let list: PriceList | undefined;

/** Loading the list takes some 35 ms and 20 MB, so it is loaded when the first price is asked for that the configuration does not say. */
function priceList(): PriceList {
  list ??= createRequire(import.meta.url)('@pydantic/genai-prices') as PriceList;
  return list;
}

/** Loads the list of prices now, so that no call has to. */
export function preloadPrices(): void {
  priceList();
}

interface Known {
  /** By the list, which has the prices of the usual tier only. */
  readonly listed: boolean;
  readonly rates: Rates | undefined;
  readonly until: number;
}

const UNKNOWN: Known = { listed: false, rates: undefined, until: Infinity };

/** Prices of the built-in list, those of the configuration first: the first that matches wins. Nothing is fetched. */
export function createPrices(overrides: readonly PriceOverride[] = []): PriceOf {
  const rules = overrides.map(({ model, provider, ...rates }) => ({
    matchesModel: compileGlob(model),
    matchesProvider: provider === undefined ? undefined : compileGlob(provider),
    rates: rates satisfies Rates as Rates,
  }));
  const find = (provider: string, model: string): Known => {
    const rule = rules.find((one) => one.matchesModel(model) && (one.matchesProvider?.(provider) ?? true));
    if (rule !== undefined) return { listed: false, rates: rule.rates, until: Infinity };
    const vendor = VENDORS.get(provider);
    return vendor === undefined ? UNKNOWN : listed(vendor, model);
  };
  // By provider, then by model: a key of both costs more to make than it is to find.
  const known = new Map<string, Map<string, Known>>();
  return (provider = '', model, usage) => {
    let models = known.get(provider);
    if (models === undefined) known.set(provider, (models = new Map()));
    let found = models.get(model);
    if (found === undefined || (found.until !== Infinity && found.until <= Date.now())) {
      found = find(provider, model);
      if (models.size >= REMEMBERED) models.delete(models.keys().next().value as string);
      models.set(model, found);
    }
    return found.rates === undefined || (found.listed && usage.tier !== undefined) ? null : costOf(found.rates, usage);
  };
}

function listed(vendor: string, model: string): Known {
  const found = priceList().calcPrice({ input_tokens: 0, output_tokens: 0 }, model, { providerId: vendor });
  if (found === null) return UNKNOWN;
  return {
    listed: true,
    rates: ratesOf(found.model_price),
    until: Array.isArray(found.model.prices) ? Date.now() + CHANGING_MS : Infinity,
  };
}

/** Undefined for a model that is not billed by the tokens we count: by the hour, the page, or images apart from text. */
function ratesOf(prices: ModelPrice): Rates | undefined {
  const rates: { -readonly [key in keyof Rates]?: Rate } = {};
  for (const [name, price] of Object.entries(prices)) {
    if (price === undefined || LEFT_OUT.has(name)) continue;
    const rate = RATES.get(name);
    if (rate !== undefined) rates[rate] = price;
    else if (name === 'requests_kcount' && typeof price === 'number') rates.request = price / 1000;
    else return undefined;
  }
  return rates.input === undefined ? undefined : (rates as Rates);
}
