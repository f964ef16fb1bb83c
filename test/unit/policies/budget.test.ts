import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkOptions } from '../../../src/config/extensions.ts';
import type { AnyCall } from '../../../src/core/call.ts';
import type { PolicyHooks, Question } from '../../../src/core/contracts/policy.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import budget from '../../../src/policies/budget.ts';
import { MemoryState } from '../../../src/storage/state/memory-state.ts';
import {
  begun,
  chat,
  created,
  FakeStore,
  fakeHost,
  message,
  outcome,
  passing,
  refusalOf,
  runAll,
  settled,
  silent,
  START,
  toolCall,
  type FakeHost,
} from './limit-calls.ts';

type Options = Parameters<typeof budget.create>[0];

async function spend(options: Options, host: FakeHost = fakeHost()): Promise<{ hooks: PolicyHooks; host: FakeHost }> {
  return { hooks: await created(budget, options, host), host };
}

/** Makes a call that costs what was expected, or something else. */
async function paid(
  hooks: PolicyHooks,
  cost: number | null,
  call: AnyCall = chat({ estimate: { cost } }),
): Promise<GatewayError | undefined> {
  const error = await refusalOf(hooks, call);
  await hooks.onEnd!(call, outcome({ usage: { cost }, ...(error === undefined ? {} : { ok: false, attempts: 0, error }) }));
  return error;
}

const ALICE: Question = { consumer: { name: 'alice', groups: [], anonymous: false }, lane: 'models', route: 'fast', model: 'gpt-5' };
const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
/** Billionths of a dollar, of alice in this month. */
const spent = async ({ state }: FakeHost): Promise<number> => {
  const meter = { kind: 'period', key: 'usd/month/2026-11-01T00:00:00.000Z/consumer=alice', limit: 0, until: Date.UTC(2026, 11) } as const;
  return (await state.read([meter]))[0]!;
};
const valueOf = async (hooks: PolicyHooks): Promise<string | undefined> => (await hooks.explain!(ALICE))[0]?.value;

// Nobody waits for the second after which a call asks again by itself, unless a test lets it go by.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

describe('parallel calls', () => {
  const COSTS = [0.01, 0.07, 0.1, 0.3, 1, 1.1, 0.000_000_7];
  const cases = COSTS.flatMap((cost) => [1, 1.3, 40, 1_000].map((times) => ({ cost, times })));

  it.each(cases)(
    'a budget for 50 calls of $cost takes exactly 50 of 200, where $times times as much is expected',
    async ({ cost, times }) => {
      const order = fc.array(fc.nat(), { minLength: 1, maxLength: 200 });
      await fc.assert(
        fc.asyncProperty(order, async (order) => {
          const { hooks, host } = await spend({ by: 'consumer', usd: `${(cost * 50).toFixed(6)}/month` });
          const calls = many(200, () => chat({ estimate: { cost: cost * times } }));
          const { passed, refused } = await runAll(hooks, calls, order, () => ({ usage: { cost } }));
          expect([passed.length, refused.length]).toEqual([50, 150]);
          expect(await spent(host)).toBe(Math.round(cost * 50 * 1e9));
          expect(await paid(hooks, cost)).toMatchObject({ code: 'limit_exceeded' });
        }),
        { numRuns: 3 },
      );
    },
  );

  it('that cost more than was expected are counted in full, and nothing passes afterwards', async () => {
    const { hooks, host } = await spend({ by: 'consumer', usd: '50/month' });
    const calls = many(200, () => chat({ estimate: { cost: 0.5 } }));
    const { passed } = await runAll(hooks, calls, [7, 0, 2], () => ({ usage: { cost: 0.75 } }));
    expect(passed).toHaveLength(100);
    expect(await spent(host)).toBe(75e9);
  });

  it('the budget is overdrawn by a part of one call at most, where no estimate is too low', async () => {
    const cost = fc.integer({ min: 1, max: 3_000_000 });
    const prices = fc.array(fc.record({ real: cost, more: fc.nat(9_000_000), at: fc.nat() }), { minLength: 1, maxLength: 60, size: 'max' });
    await fc.assert(
      fc.asyncProperty(prices, async (given) => {
        const { hooks, host } = await spend({ by: 'consumer', usd: '20/month' });
        const calls = given.map(({ real, more }) => ({ real, call: chat({ estimate: { cost: (real + more) / 1e6 } }) }));
        const realOf = new Map(calls.map(({ real, call }) => [call, real]));
        const order = given.map(({ at }) => at);
        const { passed, refused } = await runAll(hooks, [...realOf.keys()], order, (call) => ({
          usage: { cost: realOf.get(call)! / 1e6 },
        }));
        const total = passed.reduce((sum, call) => sum + realOf.get(call)!, 0);
        expect(await spent(host)).toBe(total * 1_000);
        expect(total).toBeLessThan(20_000_000 + 3_000_000);
        // Whoever is refused is refused because all of it is spent.
        if (refused.length > 0) expect(total).toBeGreaterThanOrEqual(20_000_000);
      }),
      { numRuns: 100 },
    );
  });

  it.each([1, 21])('tokens too, where %d times as much is expected', async (times) => {
    const { hooks } = await spend({ tokens: '5k/day' });
    const calls = many(200, () => chat({ estimate: { inputTokens: 40, outputTokens: 60 * times } }));
    const { passed } = await runAll(hooks, calls, [5, 0, 8], () => ({ usage: { inputTokens: 40, outputTokens: 60 } }));
    expect(passed).toHaveLength(50);
    expect(await valueOf(hooks)).toBe('5,000 used or reserved, 0 left');
  });

  it('and tools and agents that have a price', async () => {
    const { hooks } = await spend({ usd: '1/day' });
    const estimate = { cost: 0.02 };
    const calls = many(100, () => [toolCall('find', { estimate }), message('travel', { estimate })]).flat();
    const { passed, refused } = await runAll<AnyCall>(hooks, calls, [2, 9], () => ({}));
    expect([passed.length, refused.length]).toEqual([50, 150]);
    expect(await valueOf(hooks)).toBe('$1.00 used or reserved, $0.00 left');
  });
});

describe('a refusal', () => {
  it('says what is spent, and when the budget begins anew', async () => {
    const { hooks } = await spend({ by: 'consumer', usd: '50/month' });
    await paid(hooks, 49.98);
    expect(await paid(hooks, 0.05)).toBeUndefined();
    const error = await paid(hooks, 0.05);
    expect(error?.message).toBe('The budget of $50 a month for consumer alice is used up ($50.03 used). It begins anew on 2026-12-01.');
    expect(error).toMatchObject({ code: 'limit_exceeded', rule: 'budget', retryAfterMs: Date.UTC(2026, 11) - START });
    expect(await paid(hooks, 0.02)).toMatchObject({ code: 'limit_exceeded' });
  });

  it.each<[Options, AnyCall, string]>([
    [
      { tokens: '1k/day' },
      chat({ estimate: { totalTokens: 1_200 } }),
      'The budget of 1,000 tokens a day is used up (1,200 used). It begins anew on 2026-11-22.',
    ],
    [
      { by: 'group', usd: '0.001/week' },
      chat({ groups: ['a', 'b'], estimate: { cost: 0.001_61 } }),
      'The budget of $0.001 a week for group a is used up ($0.0016 used). It begins anew on 2026-11-23.',
    ],
    [
      { by: 'route', usd: ['2/month', '0.5/hour'] },
      chat({ estimate: { cost: 1.3 } }),
      'The budget of $0.5 an hour for route fast is used up ($1.30 used). It begins anew at 2026-11-21 09:00 UTC.',
    ],
  ])('%j', async (options, call, text) => {
    const { hooks } = await spend(options);
    await hooks.onCall!(call);
    await hooks.onEnd!(call, outcome({ usage: call.estimate() }));
    const error = await refusalOf(hooks, call);
    expect(error?.message).toBe(text);
    expect(error?.retryAfterMs).toBeGreaterThan(0);
  });

  it('of what others have reserved for ten seconds says so, and promises no time', async () => {
    const { hooks } = await spend({ by: 'consumer', usd: '50/month' });
    await paid(hooks, 12);
    const holder = chat({ estimate: { cost: 38 } });
    await hooks.onCall!(holder);
    const { refused } = await begun(hooks, [chat({ estimate: { cost: 0.05 } })]);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(refused).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await settled();
    expect(refused).toMatchObject([{ code: 'limit_exceeded', rule: 'budget', retryAfterMs: undefined }]);
    expect(refused[0]?.message).toBe(
      'The budget of $50 a month for consumer alice is reserved by calls under way ($12.00 used, $38.00 reserved). Try again when one of them has ended.',
    );
    await hooks.onEnd!(holder, outcome({ usage: { cost: 1 } }));
    expect(await valueOf(hooks)).toBe('$13.00 used or reserved, $37.00 left');
  });

  it('does not come for what is expected to cost more than the whole budget', async () => {
    const { hooks } = await spend({ usd: '1/day' });
    const [first, second] = many(2, () => chat({ estimate: { cost: 1.5 } }));
    const calls = await begun(hooks, [first!, second!]);
    expect(calls.passed).toEqual([first]);
    await hooks.onEnd!(first!, outcome({ usage: { cost: 0.2 } }));
    await settled();
    expect(calls.passed).toEqual([first, second]);
  });
});

describe('periods', () => {
  it('begin with the calendar', async () => {
    const { hooks, host } = await spend({ usd: '1/month' });
    expect(await paid(hooks, 1)).toBeUndefined();
    host.clock = Date.UTC(2026, 11) - 1;
    expect(await paid(hooks, 0.01)).toBeDefined();
    host.clock += 1;
    expect(await paid(hooks, 1)).toBeUndefined();
  });

  it('what began in one is settled in it', async () => {
    const { hooks, host } = await spend({ usd: '1/day' });
    const call = chat({ estimate: { cost: 0.9 } });
    await hooks.onCall!(call);
    host.clock = Date.UTC(2026, 10, 22);
    await hooks.onEnd!(call, outcome({ usage: { cost: 0.8 } }));
    expect(await valueOf(hooks)).toBe('$0.00 used or reserved, $1.00 left');
  });

  it('outlive a restart, and a change of the amount', async () => {
    const store = new FakeStore();
    const before = fakeHost({ state: new MemoryState({ store, log: silent, now: () => START }) });
    await paid((await spend({ by: 'consumer', usd: '1/month' }, before)).hooks, 0.75);
    await before.state.close();
    const { hooks } = await spend(
      { by: 'consumer', usd: '2/month' },
      fakeHost({ state: new MemoryState({ store, log: silent, now: () => START }) }),
    );
    expect(await valueOf(hooks)).toBe('$0.75 used or reserved, $1.25 left');
  });
});

describe('what is settled', () => {
  it.each<[string, Parameters<typeof outcome>[0], string]>([
    ['the cost', { usage: { cost: 0.3 } }, '$0.30'],
    ['more than was reserved', { usage: { cost: 1.25 } }, '$1.25'],
    [
      'an abort, as far as it came',
      { ok: false, error: new GatewayError('client_closed'), usage: { cost: 0.1, estimated: true } },
      '$0.10',
    ],
    ['an abort of which nobody knows', { ok: false, error: new GatewayError('client_closed') }, '$0.50'],
    ['a price that is not known for the tier that was asked for', { usage: { cost: null, totalTokens: 5, tier: 'priority' } }, '$0.50'],
    ['a tool that says nothing', {}, '$0.50'],
    ['an error', { ok: false, error: new GatewayError('upstream_overloaded') }, '$0.00'],
    ['a cached answer', { attempts: 0 }, '$0.00'],
    ['refused by a later rule', { ok: false, attempts: 0, error: new GatewayError('rule_refused') }, '$0.00'],
  ])('%s', async (_name, ended, value) => {
    const { hooks } = await spend({ usd: '2/day' });
    const call = chat({ estimate: { cost: 0.5 } });
    await hooks.onCall!(call);
    await hooks.onEnd!(call, outcome(ended));
    expect((await valueOf(hooks))?.split(' ')[0]).toBe(value);
  });
});

describe('what has no price', () => {
  it('weighs nothing and passes when the budget is used up, and what it then did cost is counted', async () => {
    const { hooks } = await spend({ usd: '1/day' });
    await paid(hooks, 1);
    expect(await paid(hooks, null)).toBeUndefined();
    // The first target has no price, and the one that it fell back to has.
    const call = chat({ estimate: { cost: null } });
    await hooks.onCall!(call);
    await hooks.onEnd!(call, outcome({ attempts: 2, usage: { cost: 0.25 } }));
    expect(await valueOf(hooks)).toBe('$1.25 used or reserved, $0.00 left');
  });

  it('is the same as what has a price of 0', async () => {
    const { hooks } = await spend({ usd: '1/day' });
    const holder = chat({ estimate: { cost: 1 } });
    await hooks.onCall!(holder);
    expect(await passing(hooks, [chat({ estimate: { cost: 0 } }), chat({ estimate: { cost: 0 } })])).toBe(2);
    await hooks.onEnd!(holder, outcome({ usage: { cost: 1 } }));
    expect(await paid(hooks, 0)).toBeUndefined();
    expect(await paid(hooks, 0.000_000_001)).toMatchObject({ code: 'limit_exceeded' });
  });

  it('is refused where the budget says so, but for tools', async () => {
    const { hooks } = await spend({ by: 'consumer', usd: '1/day', tokens: '1k/day', unpriced: 'refuse' });
    const error = await paid(hooks, null, chat({ model: 'llama3', estimate: { cost: null, totalTokens: 5 } }));
    expect(error).toMatchObject({ code: 'rule_refused', rule: 'budget', retryable: false });
    expect(error?.message).toBe(
      'The model llama3 has no known price, and the budget for consumer alice takes none without. Ask for another model, or have its price set under prices in the configuration.',
    );
    expect(
      await passing(hooks, [toolCall('find'), message('travel'), chat({ operation: 'models' }), chat({ operation: 'count_tokens' })]),
    ).toBe(4);
    expect((await hooks.explain!(ALICE)).map(({ value }) => value)).toEqual([
      '$0.00 used or reserved, $1.00 left',
      '0 used or reserved, 1,000 left',
    ]);
  });

  it('is refused for single consumers', async () => {
    const { hooks } = await spend({ consumers: { alice: { usd: '1/day', unpriced: 'refuse' }, bob: { usd: { amount: 1, per: 'day' } } } });
    const calls = ['alice', 'bob', 'carol'].map((consumer) => chat({ consumer, estimate: { cost: null } }));
    expect(await passing(hooks, calls)).toBe(2);
  });
});

it('explain tells the present values', async () => {
  const { hooks } = await spend({ by: 'consumer', usd: ['5/day', '50/month'], consumers: { alice: { tokens: '1M/week' } } });
  await paid(hooks, 1.5, chat({ estimate: { cost: 2, totalTokens: 100 } }));
  expect(await hooks.explain!(ALICE)).toEqual([
    { rule: 'budget: $5 a day for consumer alice', value: '$1.50 used or reserved, $3.50 left' },
    { rule: 'budget: $50 a month for consumer alice', value: '$1.50 used or reserved, $48.50 left' },
    { rule: 'budget: 1,000,000 tokens a week for consumer alice', value: '100 used or reserved, 999,900 left' },
  ]);
});

it('a budget of nothing lets nothing pass that costs anything', async () => {
  const { hooks } = await spend({ usd: '0/day' });
  expect(await paid(hooks, 0)).toBeUndefined();
  expect(await paid(hooks, 0.01)).toMatchObject({ message: expect.stringContaining('is used up ($0.00 used)') as string });
});

describe('options', () => {
  it.each<[unknown, string]>([
    [{ usd: '50/year' }, 'Write an amount and a time: 600/min, 200k/min, 50/month.'],
    [{ tokens: '1k/day', unpriced: 'refuse' }, 'Beside "unpriced" the key "usd" is needed. '],
    [{ usd: '1/day', alerts: [50] }, 'Beside "alerts" the key "webhook" is needed.'],
    [{ usd: '1/day', webhook: 'hooks.example.com' }, 'This must match pattern "^https?://[^/]".'],
    [{ usd: '1/day', webhook: { secret: 'x' } }, 'The key "url" is missing.'],
    [{ usd: '1/day', webhook: 'https://x.example', alerts: [120] }, 'This must be <= 100.'],
  ])('%j are refused with their place', (options, text) => {
    expect(checkOptions(budget, options).map(({ message }) => message)).toEqual([text.trim()]);
  });

  it('without a budget there is none', () => {
    expect(() => budget.create({ by: 'consumer' }, fakeHost())).toThrow(/Say what the budget is/);
  });
});

describe('whatever happens', () => {
  const micro = fc.nat(2_000_000).map((millionths) => millionths / 1e6);
  const begins = fc.record({
    estimate: fc.option(micro, { nil: null }),
    real: fc.option(micro, { nil: undefined }),
    tokens: fc.nat(1000),
    end: fc.constantFrom('ok', 'error', 'abort', 'never sent'),
  });
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ begins }) },
    { weight: 4, arbitrary: fc.record({ finishes: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ leaves: fc.nat() }) },
  );

  it('the budget is overdrawn by what was not expected, and counters end at the sum of what was used', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), async (steps) => {
        const host = fakeHost({ fetch: async () => new Response() });
        const { hooks } = await spend({ by: 'consumer', usd: '20/month', tokens: '1M/month', webhook: 'https://x.example' }, host);
        let dollars = 0n;
        let tokens = 0;
        let beyond = 0n;
        const waiting = new Map<AnyCall, AbortController>();
        const running = new Map<AnyCall, () => Promise<void>>();
        const billionths = (amount: number): bigint => BigInt(Math.round(amount * 1e6)) * 1000n;
        const pick = <T>(all: Map<AnyCall, T>, index: number): T | undefined => [...all.values()][index % Math.max(1, all.size)];
        const begin = ({ estimate, real, tokens: asked, end }: ReturnType<(typeof begins)['generate']>['value']): void => {
          const leaving = new AbortController();
          const call = chat({ estimate: { cost: estimate, totalTokens: asked }, signal: leaving.signal });
          const finish = async (): Promise<void> => {
            running.delete(call);
            if (end !== 'never sent') {
              const cost = real ?? (end === 'error' ? 0 : (estimate ?? 0));
              dollars += billionths(cost);
              tokens += real === undefined && end === 'error' ? 0 : asked;
              beyond += billionths(Math.max(0, cost - (estimate ?? 0)));
            }
            const error = new GatewayError(end === 'abort' ? 'client_closed' : 'upstream_failed');
            const usage = real === undefined ? {} : { usage: { cost: real, totalTokens: asked } };
            const attempts = end === 'never sent' ? 0 : 1;
            await hooks.onEnd!(call, outcome({ ok: end === 'ok', attempts, ...(end === 'ok' ? {} : { error }), ...usage }));
          };
          waiting.set(call, leaving);
          void refusalOf(hooks, call).then((refused) => {
            waiting.delete(call);
            if (refused === undefined) running.set(call, finish);
          });
        };
        for (const one of steps) {
          if ('begins' in one) begin(one.begins);
          else if ('finishes' in one) await pick(running, one.finishes)?.();
          else pick(waiting, one.leaves)?.abort();
          await settled();
          if (running.size === 0) expect(waiting.size).toBe(0);
        }
        while (running.size > 0) {
          await pick(running, 0)!();
          await settled();
        }
        expect(waiting.size).toBe(0);
        // Of the last one less was left than it may have cost.
        expect(dollars - beyond).toBeLessThan(billionths(20) + billionths(2));
        const month = '/month/2026-11-01T00:00:00.000Z/consumer=alice';
        const keys = [`usd${month}`, `settled/usd${month}`, `tokens${month}`, `settled/tokens${month}`];
        const meters = keys.map((key) => ({ kind: 'period', key, limit: 0, until: Date.UTC(2026, 11) }) as const);
        expect(await host.state.read(meters)).toEqual([Number(dollars), Number(dollars), tokens, tokens]);
      }),
      { numRuns: 200 },
    );
  });
});
