import { calcPrice, waitForUpdate, type Provider } from '@pydantic/genai-prices';
import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createPrices, preloadPrices } from '../../../src/telemetry/prices.ts';
import { costOf } from '../../../src/telemetry/rates.ts';

const prices = createPrices();
const million = { inputTokens: 1_000_000, outputTokens: 1_000_000 };

afterEach(() => void vi.useRealTimers());

/** Our types of providers and the vendors they are. */
const VENDORS: Record<string, string> = {
  openai: 'openai',
  anthropic: 'anthropic',
  gemini: 'google',
  vertex: 'google',
  azure: 'azure',
  bedrock: 'aws',
  groq: 'groq',
  deepseek: 'deepseek',
  mistral: 'mistral',
  xai: 'x-ai',
  together: 'together',
  cohere: 'cohere',
  openrouter: 'openrouter',
  minimax: 'minimax',
};

/** Types of providers whose models have no price in the list. */
const UNPRICED = ['dashscope', 'demo', 'ollama', 'openai-compatible', 'sglang', 'vllm'];

/** What is not billed by tokens that the hub counts. A model without any price in the list may be free or not: nobody knows. */
const UNMEASURED = /image|video|_hours|_kpages|citation|_text_messages_|mchars/;

const usages = fc
  .record({
    input: fc.nat(1_500_000),
    output: fc.nat(100_000),
    read: fc.double({ min: 0, max: 1, noNaN: true }),
    write: fc.double({ min: 0, max: 1, noNaN: true }),
    long: fc.double({ min: 0, max: 1, noNaN: true }),
    reasoning: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ input, output, read, write, long, reasoning }) => {
    const cacheReadTokens = Math.floor(input * read);
    const cacheWriteTokens = Math.floor((input - cacheReadTokens) * write);
    return {
      inputTokens: input,
      outputTokens: output,
      cacheReadTokens,
      cacheWriteTokens,
      cacheWriteLongTokens: Math.floor(cacheWriteTokens * long),
      reasoningTokens: Math.floor(output * reasoning),
    };
  });

describe('the list', () => {
  it('gives for every model of every vendor what its own calculation gives', async () => {
    const list = (await waitForUpdate()) as Provider[];
    let priced = 0;
    for (const [provider, vendor] of Object.entries(VENDORS)) {
      for (const { id } of list.find((one) => one.id === vendor)!.models) {
        for (const usage of fc.sample(usages, 3)) {
          const expected = calcPrice(
            {
              input_tokens: usage.inputTokens,
              output_tokens: usage.outputTokens,
              cache_read_tokens: usage.cacheReadTokens,
              cache_write_tokens: usage.cacheWriteTokens,
              cache_write_1h_tokens: usage.cacheWriteLongTokens,
              output_reasoning_tokens: usage.reasoningTokens,
            },
            id,
            { providerId: vendor },
          );
          const cost = prices(provider, id, usage);
          const priceNames = Object.keys(expected?.model_price ?? {});
          if (expected === null || !priceNames.includes('input_mtok') || priceNames.some((name) => UNMEASURED.test(name))) {
            expect(cost, `${provider} ${id}`).toBeNull();
          } else {
            expect(cost, `${provider} ${id}`).not.toBeNull();
            expect(Math.abs(cost! - expected.total_price), `${provider} ${id}`).toBeLessThan(1e-9 * Math.max(1, expected.total_price));
            priced += 1;
          }
        }
      }
    }
    expect(priced).toBeGreaterThan(2000);
  });

  it('knows of each type of provider whether it has prices', () => {
    const types = readdirSync(`${import.meta.dirname}/../../../src/lanes/models/providers`)
      .filter((file) => !file.startsWith('_'))
      .map((file) => file.replace(/\.ts$/, ''));
    expect([...Object.keys(VENDORS), ...UNPRICED].toSorted()).toEqual(types.toSorted());
    for (const provider of UNPRICED)
      for (const model of ['gpt-5-mini', 'claude-sonnet-4-5', 'qwen-max', 'gemini-2.5-flash'])
        expect(prices(provider, model, million), `${provider} ${model}`).toBeNull();
  });

  it('knows models by the names that vendors answer with', () => {
    preloadPrices();
    const of = (provider: string, model: string): number | null => prices(provider, model, million);
    expect(of('openai', 'gpt-5-mini-2025-08-07')).toBeCloseTo(2.25);
    expect(of('bedrock', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0')).toBeGreaterThan(1);
    expect(of('vertex', 'claude-sonnet-4@20250514')).toBeGreaterThan(1);
    expect(of('azure', 'gpt-4o-2024-08-06')).toBeCloseTo(12.5);
    expect(prices('openai', 'text-embedding-3-small', { inputTokens: 1_000_000 })).toBeCloseTo(0.02);
  });

  it('gives null, never 0, for what it does not know', () => {
    for (const [provider, model] of [
      ['openai', 'no-such-model'],
      ['openai', ''],
      ['openai', 'constructor'],
      [undefined, 'gpt-5-mini'],
      ['no-such-type', 'gpt-5-mini'],
      ['toString', 'gpt-5-mini'],
      ['azure', 'my-deployment'],
      // Image tokens cost twelve times the others, and nobody says how many they are.
      ['gemini', 'gemini-2.5-flash-image'],
    ] as const)
      expect(prices(provider, model, million), `${provider} ${model}`).toBeNull();
    expect(prices('openai', 'gpt-5-mini', {})).toBeNull();
    expect(prices('openai', 'gpt-5-mini', { inputTokens: 5 })).toBeNull();
    expect(prices('openai', 'gpt-5-mini', { outputTokens: 5 })).toBeNull();
    expect(prices('openai', 'gpt-5-mini', { inputTokens: 0, outputTokens: 0 })).toBe(0);
  });

  it('follows prices that change with the hour', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2025, 5, 1, 12) });
    const changing = createPrices();
    const night = changing('deepseek', 'deepseek-reasoner', million);
    vi.setSystemTime(Date.UTC(2025, 5, 1, 20));
    const day = changing('deepseek', 'deepseek-reasoner', million);
    expect(night).toBeGreaterThan(0);
    expect(day).not.toBe(night);
    expect(day).toBe(
      calcPrice({ input_tokens: 1_000_000, output_tokens: 1_000_000 }, 'deepseek-reasoner', { providerId: 'deepseek' })?.total_price,
    );
  });

  it('remembers a bounded number of names, and forgets nothing that matters', () => {
    const before = prices('openai', 'gpt-5-mini', million);
    for (let n = 0; n < 2500; n += 1) prices('openai', `nonsense-${n}`, million);
    expect(prices('openai', 'gpt-5-mini', million)).toBe(before);
  });
});

describe('overrides', () => {
  const own = createPrices([
    { model: 'gpt-5-mini', provider: 'openai', input: 1, output: 2, cacheRead: 0.1, cacheWrite: 1.5 },
    { model: 'llama*', input: 3, output: 4 },
    { model: 'gpt-*', input: 100, output: 100 },
    { model: 'free', input: 0, output: 0 },
  ]);

  it('hold for every service tier, which the list does not', () => {
    for (const tier of ['priority', 'flex', 'batch', 'fast']) {
      expect(prices('openai', 'gpt-5-mini', { ...million, tier })).toBeNull();
      expect(own('openai', 'gpt-5-mini', { ...million, tier })).toBe(3);
    }
    expect(prices('openai', 'gpt-5-mini', million)).toBeCloseTo(2.25);
  });

  it('win over the list, the first that matches before the others', () => {
    expect(own('openai', 'gpt-5-mini', million)).toBe(3);
    expect(own('azure', 'gpt-5-mini', million)).toBe(200);
    expect(own('openai', 'gpt-4o', million)).toBe(200);
    expect(own('anthropic', 'claude-sonnet-4-5', { inputTokens: 1000, outputTokens: 1000 })).toBeCloseTo(0.018);
  });

  it('price what people host themselves, and may say that it is free', () => {
    expect(own('ollama', 'llama3', million)).toBe(7);
    expect(own(undefined, 'llama3', million)).toBe(7);
    expect(own('demo', 'free', million)).toBe(0);
    expect(own('ollama', 'qwen3', million)).toBeNull();
  });

  it('bill what is cached once, at its own price where it has one', () => {
    const cached = {
      inputTokens: 1_000_000,
      outputTokens: 0,
      cacheReadTokens: 600_000,
      cacheWriteTokens: 100_000,
      cacheWriteLongTokens: 50_000,
    };
    expect(own('openai', 'gpt-5-mini', cached)).toBeCloseTo(0.3 + 0.06 + 0.15);
    expect(own('ollama', 'llama3', cached)).toBe(3);
  });
});

describe('costOf', () => {
  it('bills each token once: with one price for all, parts change nothing', () => {
    fc.assert(
      fc.property(usages, fc.nat(2_000_000), fc.nat(200_000), (usage, inputAudioTokens, outputAudioTokens) => {
        const one = { input: 2, cacheRead: 2, cacheWrite: 2, cacheWriteLong: 2, inputAudio: 2, output: 2, outputAudio: 2, reasoning: 2 };
        const cost = costOf(one, { ...usage, inputAudioTokens, outputAudioTokens });
        expect(cost).toBeCloseTo((2 * (usage.inputTokens + usage.outputTokens)) / 1e6, 9);
      }),
    );
  });

  it('is the sum of what each part costs alone', () => {
    const rates = {
      input: 2,
      cacheRead: 0.2,
      cacheWrite: 2.5,
      cacheWriteLong: 4,
      inputAudio: 20,
      output: 8,
      outputAudio: 64,
      reasoning: 3,
      request: 0.01,
    };
    const usage = {
      inputTokens: 1000,
      cacheReadTokens: 300,
      cacheWriteTokens: 200,
      cacheWriteLongTokens: 50,
      inputAudioTokens: 100,
      outputTokens: 500,
      outputAudioTokens: 100,
      reasoningTokens: 150,
    };
    const millionths = 400 * 2 + 300 * 0.2 + 150 * 2.5 + 50 * 4 + 100 * 20 + 250 * 8 + 100 * 64 + 150 * 3;
    expect(costOf(rates, usage)).toBeCloseTo(millionths / 1e6 + 0.01, 12);
  });

  it('takes the tier that the whole input reaches, for all parts', () => {
    const tiered = (base: number, price: number) => ({ base, tiers: [{ start: 200_000, price }] });
    const rates = { input: tiered(1, 2), cacheRead: tiered(0.1, 0.2), output: tiered(10, 15) };
    expect(costOf(rates, { inputTokens: 200_000, cacheReadTokens: 100_000, outputTokens: 1000 })).toBeCloseTo(0.1 + 0.01 + 0.01);
    expect(costOf(rates, { inputTokens: 200_001, cacheReadTokens: 100_000, outputTokens: 1000 })).toBeCloseTo(0.200_002 + 0.02 + 0.015);
  });

  it('never bills less than nothing when a vendor counts parts larger than the whole', () => {
    const rates = { input: 2, cacheRead: 0.2, cacheWrite: 2.5, output: 8, reasoning: 3 };
    const usage = { inputTokens: 10, cacheReadTokens: 50, cacheWriteTokens: 50, outputTokens: 5, reasoningTokens: 9 };
    expect(costOf(rates, usage)).toBeCloseTo((10 * 0.2 + 5 * 3) / 1e6, 12);
  });
});
