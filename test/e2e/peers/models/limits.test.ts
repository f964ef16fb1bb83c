import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consumer, keyOf, SIX_WORDS, usageOf } from '../../traffic/_limits.ts';
import { callsAt, openai, type Stage, startStage } from '../../traffic/_stage.ts';

const CALLS = 200;
/** Six tokens in and seven out. */
const USD = (6 * 1 + 7 * 4) / 1e6;

describe('official clients, 200 at once on a limit for 50', () => {
  let stage: Stage;
  beforeAll(async () => {
    const kinds = ['chat', 'responses', 'messages'].flatMap((door) => [
      consumer(`requests-${door}`, { limits: { requests: '50/h' } }),
      consumer(`dollars-${door}`, { budget: { usd: `${(50 * USD).toFixed(6)}/month` } }),
      consumer(`pace-${door}`, { limits: { requests: '2/s' } }),
    ]);
    stage = await startStage({
      arms: 1,
      config: ([arm]) => ({
        providers: { vendor: openai(arm!.openai) },
        models: [{ match: { model: 'gpt-*' }, targets: [{ provider: 'vendor' }] }],
        prices: [{ model: 'gpt-*', input: 1, output: 4 }],
        consumers: kinds,
      }),
    });
  });
  afterAll(() => stage?.stop());

  const model = 'gpt-mock';
  const messages = [{ role: 'user' as const, content: SIX_WORDS }];
  const openaiAs = (as: string, maxRetries = 0): OpenAI => new OpenAI({ baseURL: `${stage.hub.url}/v1`, apiKey: keyOf(as), maxRetries });
  const CLIENTS = [
    ['chat', OpenAI.RateLimitError, (as: string, retries?: number) => openaiAs(as, retries).chat.completions.create({ model, messages })],
    [
      'responses',
      OpenAI.RateLimitError,
      (as: string, retries?: number) => openaiAs(as, retries).responses.create({ model, input: SIX_WORDS }),
    ],
    [
      'messages',
      Anthropic.RateLimitError,
      (as: string, maxRetries = 0) =>
        new Anthropic({ baseURL: stage.hub.url, apiKey: keyOf(as), maxRetries }).messages.create({ model, messages, max_tokens: 4_096 }),
    ],
  ] as const;

  async function all(create: () => Promise<unknown>): Promise<readonly unknown[]> {
    stage.reset();
    const settled = await Promise.allSettled(Array.from({ length: CALLS }, create));
    const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(callsAt(stage.arms[0]!.openai)).toBe(CALLS - refused.length);
    return refused;
  }

  describe.each(CLIENTS)('%s', (door, RateLimitError, create) => {
    it('pass exactly 50 requests, and the others read why', async () => {
      const refused = await all(() => create(`requests-${door}`));
      expect(refused).toHaveLength(150);
      for (const error of refused) {
        expect(error).toBeInstanceOf(RateLimitError);
        expect(String(error)).toMatch(
          /The limit of 50 requests an hour for consumer \S+ is reached \(50 used\)\. Try again in (?:59|60) min\./,
        );
      }
      const [first] = refused as [InstanceType<typeof RateLimitError>];
      expect(first).toMatchObject({ status: 429 });
      expect(Number(first.headers?.get('retry-after'))).toBeGreaterThan(3_480);
      if (first instanceof OpenAI.RateLimitError) expect(first).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' });
      else expect(first.error).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
    });

    it('spend exactly the money for 50', async () => {
      const refused = await all(() => create(`dollars-${door}`));
      expect(refused).toHaveLength(150);
      for (const error of refused) expect(String(error)).toMatch(/is used up \(\$0\.0017 used\)\. It begins anew on \d{4}-\d\d-01\./);
      expect((await usageOf(stage.hub, `dollars-${door}`)).usd).toBeCloseTo(50 * USD, 12);
    });

    it('are told when to come again, and do', async () => {
      const began = performance.now();
      await Promise.all(Array.from({ length: 4 }, () => create(`pace-${door}`, 5)));
      expect(performance.now() - began).toBeGreaterThanOrEqual(1_000);
    });
  });
});
