import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../../src/core/contracts/call-log.ts';
import { inParallel } from '../models/in-parallel.ts';
import { consumer, type Door, recordsOf, type Said, say, type Saying, spentIn, standing, tokensIn, tokensOf, usageOf } from './_limits.ts';
import { anthropic, apiKey, openai, PATIENCE, type Stage, startStage } from './_stage.ts';

const PROVIDERS = ['gpt', 'claude', 'gemini'] as const;
const DOORS: readonly Door[] = ['chat', 'responses', 'messages'];
const LIMITS = { limits: { tokens: '1000M/h', requests: '100k/h' }, budget: { usd: '1000/month', tokens: '1000M/day' } };
/** A breaker that does not open in here. */
const NEVER = { failures: 10_000, minimum: 10_000 };

/**
 * What becomes of a call, how its model is asked for that (what mocks are told stands behind the name), and what a call with four tokens in and twelve
 * out has used then, at least and at most.
 */
const ENDS = {
  whole: { suffix: '', outcome: /^ok$/, least: 16, most: 16 },
  stream: { suffix: '', stream: true, outcome: /^ok$/, least: 16, most: 16 },
  // Counted by the hub, roughly.
  'without usage': { suffix: '--fault-no-usage', outcome: /^ok$/, least: 10, most: 100 },
  'left in the middle': { suffix: '--fault-slow~ms=10', stream: true, leaves: /\b3\b/, outcome: /^client_closed$/, least: 5, most: 120 },
  'stream cut off': { suffix: '--fault-cut-midstream~after=6', stream: true, outcome: /^upstream_failed$/, least: 5, most: 20 },
  'stream failed': { suffix: '--fault-error-midstream~after=5', stream: true, outcome: /^upstream_/, least: 5, most: 20 },
  'answer cut off': { suffix: '--fault-cut-midstream', outcome: /^upstream_failed$/, least: 0, most: 0 },
  'vendor failed': { suffix: '--fault-500', outcome: /^upstream_failed$/, least: 0, most: 0 },
  'vendor overloaded': { suffix: '--fault-503', stream: true, outcome: /^upstream_overloaded$/, least: 0, most: 0 },
} as const satisfies Record<string, Partial<Saying> & { suffix: string; outcome: RegExp; least: number; most: number }>;
type End = keyof typeof ENDS;
const KINDS = Object.keys(ENDS) as End[];
const CASES = KINDS.flatMap((end) => PROVIDERS.map((provider) => ({ end, provider })));

describe('what calls have used', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage({
      arms: 1,
      only: ['openai', 'anthropic', 'gemini'],
      config: ([arm]) => ({
        providers: {
          gpt: openai(arm!.openai, { breaker: NEVER }),
          claude: anthropic(arm!.anthropic, { breaker: NEVER }),
          gemini: { type: 'gemini', baseUrl: arm!.gemini.url, apiKey, breaker: NEVER },
        },
        models: PROVIDERS.map((name) => ({ match: { model: `${name}-*` }, targets: [{ provider: name }], retries: 0 })),
        prices: PROVIDERS.map((name, index) => ({ model: `${name}-*`, input: 1 + index, output: 4 + index })),
        consumers: ['mixed', 'left-early', ...CASES.map(({ end, provider }) => nameOf(end, provider))].map((name) =>
          consumer(name, LIMITS),
        ),
      }),
    });
  });
  afterAll(() => stage?.stop());

  const ask = (as: string, end: End, provider: string, door: Door, count = 12): Promise<Said> => {
    const { suffix, ...how }: Partial<Saying> & { suffix: string } = ENDS[end];
    // Whoever leaves does so long before the end.
    const last = how.leaves === undefined ? count : count + 100;
    return say(stage.hub, { as, model: `${provider}-mock${suffix}`, door, text: `please count to ${last}`, ...how });
  };

  /** Counters, records and sums of the admin API, which are three. Gives the records. */
  async function agree(as: string, count: number): Promise<readonly CallRecord[]> {
    const records = await recordsOf(stage.hub, as, count);
    expect(records).toHaveLength(count);
    const { tokens, usd } = spentIn(records);
    const used = await usageOf(stage.hub, as);
    expect(used.tokens).toBe(tokens);
    expect(used.usd).toBeCloseTo(usd, 9);
    const query = { model: 'gpt-mock', consumer: as };
    for (const rule of [/tokens an hour/, /tokens a day/])
      await expect
        .poll(() => standing(stage.hub, rule, query))
        .toBe(`${tokens.toLocaleString('en-US')} used or reserved, ${(1e9 - tokens).toLocaleString('en-US')} left`);
    return records;
  }

  it.each(CASES)('is what came, where it ends so: $end, from $provider', async ({ end, provider }) => {
    const as = nameOf(end, provider);
    const said: Said[] = [];
    for (const door of DOORS) said.push(await ask(as, end, provider, door));
    const records = await agree(as, DOORS.length);
    const { outcome, least, most } = ENDS[end];
    for (const [index, record] of records.entries()) {
      expect(record).toMatchObject({ outcome: expect.stringMatching(outcome), attempts: 1 });
      expect(tokensOf(record)).toBeGreaterThanOrEqual(least);
      expect(tokensOf(record)).toBeLessThanOrEqual(most);
      if (record.outcome === 'ok' && record.usage?.estimated !== true) expect(tokensIn(said[index]!)).toBe(tokensOf(record));
    }
    // Whatever is told in the middle of a call: nothing stays reserved.
    expect(await standing(stage.hub, /requests an hour/, { model: 'gpt-mock', consumer: as })).toBe('3 used, 99,997 left');
  });

  it('keeps its estimate where the caller left before anybody could count', async () => {
    const leaving = new AbortController();
    const call = say(stage.hub, { as: 'left-early', model: 'gpt-mock--fault-hang-headers', text: 'x'.repeat(400), signal: leaving.signal });
    const used = (): Promise<string> => standing(stage.hub, /tokens an hour/, { model: 'gpt-mock', consumer: 'left-early' });
    await expect.poll(used, PATIENCE).toMatch(/^2,1\d\d used or reserved/);
    const reserved = await used();
    leaving.abort();
    await expect(call).rejects.toThrow(/abort/);
    expect(await recordsOf(stage.hub, 'left-early', 1)).toMatchObject([{ outcome: 'client_closed', attempts: 1 }]);
    expect(await used()).toBe(reserved);
  });

  it('is the same to vendors, records, sums and counters, after 300 calls of all kinds', async () => {
    const call = fc.record({
      end: fc.constantFrom(...KINDS),
      provider: fc.constantFrom(...PROVIDERS),
      door: fc.constantFrom(...DOORS),
      count: fc.integer({ min: 5, max: 60 }),
    });
    let before = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 300, maxLength: 300 }), async (calls) => {
        const answers = await inParallel(calls, 30, ({ end, provider, door, count }) => ask('mixed', end, provider, door, count));
        const records = (await agree('mixed', before + calls.length)).slice(before);
        before += calls.length;
        const byId = new Map(records.map((record) => [record.id, record]));
        let vendors = 0;
        let completed = 0;
        for (const [index, answer] of answers.entries()) {
          const { end, count } = calls[index]!;
          const record = byId.get(answer.id)!;
          expect(record.outcome, `${answer.id} ${JSON.stringify(calls[index])}`).toMatch(ENDS[end].outcome);
          if (record.outcome !== 'ok' || record.usage?.estimated === true) continue;
          // What the caller read is what the vendor counted: a word is a token.
          expect(tokensIn(answer)).toBe(4 + count);
          vendors += 4 + count;
          completed += tokensOf(record);
        }
        expect(completed).toBe(vendors);
        expect(vendors).toBeGreaterThan(0);
      }),
      { numRuns: 1, endOnFailure: true },
    );
  });
});

function nameOf(end: string, provider: string): string {
  return `${provider}-${end.replaceAll(' ', '-')}`;
}
