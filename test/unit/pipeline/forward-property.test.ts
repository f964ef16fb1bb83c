import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../../src/core/errors.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import { toolReplies } from '../../../src/lanes/tools/segments.ts';
import { composeChain } from '../../../src/pipeline/chain.ts';
import { forward, type Way } from '../../../src/pipeline/forward.ts';
import { run } from '../../../src/pipeline/run.ts';
import { toolCall } from './live-calls.ts';
import { choiceOf, failure, handledBy, note, planOf, RESULT, type Fate } from './plans.ts';

const CODES: readonly ErrorCode[] = [
  'upstream_unreachable',
  'upstream_failed',
  'upstream_overloaded',
  'upstream_cut',
  'upstream_timeout',
  'upstream_limited',
  'upstream_unauthorized',
  'upstream_no_credit',
  'upstream_too_large',
  'not_implemented',
  'bad_request',
  'content_refused',
  'internal',
];
const failing = fc.tuple(fc.constantFrom(...CODES), fc.option(fc.constantFrom(0, 1, 500, 2_000, 60_000), { nil: undefined }));
const thrown = failing.map(([code, wait]) => failure(code, wait));
const piece = fc.oneof(fc.constant(note(1)), thrown, fc.constant('hang' as const));
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 2, arbitrary: fc.constant('reply' as const) },
  { weight: 4, arbitrary: thrown },
  { weight: 1, arbitrary: fc.constant('hang' as const) },
  { weight: 3, arbitrary: fc.array(piece, { maxLength: 3 }).map((pieces) => [...pieces, RESULT]) },
);
const way: fc.Arbitrary<Way<'tools'>> = fc.record(
  {
    peeks: fc.boolean(),
    session: fc.constantFrom('one', 'two'),
    firstChunkMs: fc.constantFrom(100, 3_000),
    retries: fc.nat(3),
  },
  { requiredKeys: ['peeks'] },
);
const calls = fc.array(
  fc.record({
    way,
    /** One for each attempt; the last goes on. */
    fates: fc.array(fate, { minLength: 1, maxLength: 6 }),
    beginsMs: fc.nat(3_000),
    /** Everybody leaves at last: some upstreams never answer. */
    leavesMs: fc.constantFrom(0, 50, 400, 90_000),
    /** The reader of a stream leaves after so many chunks. */
    reads: fc.constantFrom(0, 1, Infinity),
  }),
  { minLength: 1, maxLength: 12 },
);
const choices = fc.array(fc.record({ upstream: fc.constantFrom('x', 'y', 'z'), keys: fc.nat(3), failures: fc.constantFrom(1, 5, 1_000) }), {
  minLength: 1,
  maxLength: 3,
});
const plans = fc.record({
  pools: fc.array(choices, { minLength: 1, maxLength: 3 }),
  retries: fc.nat(3),
  totalMs: fc.option(fc.constantFrom(300, 5_000), { nil: undefined }),
  fallbackOn: fc.boolean(),
});

afterEach(() => void vi.useRealTimers());

it('whatever happens: tries are bounded, every call ends, and nothing is left on its way', async () => {
  await fc.assert(
    fc.asyncProperty(plans, calls, async ({ pools, retries, totalMs, fallbackOn }, all) => {
      vi.useFakeTimers({ now: Date.UTC(2026, 10, 21) });
      const made = pools.map((pool, at) =>
        pool.map(({ upstream, keys, failures }, index) =>
          choiceOf(`${upstream}/${at}${index}`, {
            upstream,
            settings: { breaker: { failures } },
            ...(keys === 0 ? {} : { keys: Array.from({ length: keys }, (_, key) => ({ label: String(key) })) }),
          }),
        ),
      );
      const plan = planOf(made, {
        retries,
        ...(totalMs === undefined ? {} : { totalMs }),
        ...(fallbackOn ? { fallbackOn: new Set<ErrorCode>(['content_refused']) } : {}),
      });
      const going = all.map(async ({ way: own, fates, beginsMs, leavesMs, reads }) => {
        await new Promise((resolve) => setTimeout(resolve, beginsMs));
        const call = toolCall();
        const leaving = setTimeout(() => call.abort(failure('client_closed')), leavesMs);
        let attempts = 0;
        const attempting = () => handledBy(call, fates[Math.min(attempts++, fates.length - 1)]!);
        let error: unknown;
        try {
          const handled = await run(call, composeChain([], 'tools'), toolReplies, () => forward(call, plan, own, attempting));
          let left = reads;
          if ('stream' in handled) for await (const _ of handled.stream) if (left-- <= 0) break;
        } catch (ended) {
          error = ended;
        }
        clearTimeout(leaving);
        return { call, attempts, error, retries: own.retries ?? retries };
      });
      await vi.runAllTimersAsync();
      const ended = await Promise.all(going);
      const each = made.flat();
      const mostKeys = Math.max(1, ...pools.flat().map(({ keys }) => keys));
      let repeats = 0;
      for (const { call, attempts, error, retries: own } of ended) {
        expect(attempts).toBe(call.attempts);
        expect(attempts).toBeLessThanOrEqual((each.length + own) * mostKeys);
        if (error !== undefined) expect(error).toBeInstanceOf(GatewayError);
        if (attempts === 0) expect(error).toMatchObject({ retryAfterMs: expect.any(Number) });
        const again = call.events.filter(({ type, detail }) => type === 'retried' && / after \w+, \d+ ms later$/.test(detail!));
        expect(again.length).toBeLessThanOrEqual(own);
        repeats += again.length;
      }
      expect(repeats).toBeLessThanOrEqual(3 + 0.2 * all.length);
      expect(each.map(({ gauge }) => gauge.inFlight)).toEqual(each.map(() => 0));
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 500 },
  );
});
