import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../../src/core/errors.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import { SourceError } from '../../../src/core/contracts/tool-source.ts';
import type { Outcome } from '../../../src/core/call.ts';
import type { ToolsChunk } from '../../../src/core/tools.ts';
import { toolReplies } from '../../../src/lanes/tools/segments.ts';
import { composeChain } from '../../../src/pipeline/chain.ts';
import { forward, type Choice, type Plan, type Way } from '../../../src/pipeline/forward.ts';
import type { LiveCall } from '../../../src/pipeline/live-call.ts';
import { run } from '../../../src/pipeline/run.ts';
import { RetryBudget } from '../../../src/upstreams/health/retry-budget.ts';
import { toolCall } from './live-calls.ts';
import { choiceOf, failure, NEVER, note, planOf, playing, RESULT, type ChoiceParts, type Fate } from './plans.ts';

const START = Date.UTC(2026, 10, 21, 8);
const made: Choice[] = [];
const choice = (name: string, parts?: ChoiceParts): Choice => {
  const one = choiceOf(name, parts);
  made.push(one);
  return one;
};

beforeEach(() => {
  made.length = 0;
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  expect(vi.getTimerCount(), 'a timer was left behind').toBe(0);
  vi.useRealTimers();
  for (const { target, gauge } of made) expect({ [target.name]: gauge.inFlight }).toEqual({ [target.name]: 0 });
});

interface Gone {
  readonly tried: readonly string[];
  readonly call: LiveCall<'tools'>;
  /** What the caller got: `reply`, or chunks. */
  readonly got: 'reply' | readonly ToolsChunk[];
  readonly error: GatewayError | undefined;
  readonly outcome: Outcome;
  readonly events: readonly string[];
  readonly tookMs: number;
}

type Fates = Readonly<Record<string, readonly Fate[]>>;

interface GoParts {
  readonly way?: Partial<Way<'tools'>>;
  /** Runs while the call is on its way. */
  readonly meanwhile?: (call: LiveCall<'tools'>) => Promise<unknown> | void;
}

/** One call through the pipeline and the plan, read to its end, with time passing as fast as it can. */
async function go(plan: Plan, fates: Fates, { way = {}, meanwhile }: GoParts = {}): Promise<Gone> {
  const outcomes: Outcome[] = [];
  const chain = composeChain([{ name: 'watch', stage: 'observe', hooks: { onEnd: (_, outcome) => void outcomes.push(outcome) } }], 'tools');
  const call = toolCall();
  const { tried, attempting } = playing(call, fates);
  const began = Date.now();
  const chunks: ToolsChunk[] = [];
  let got: 'reply' | undefined;
  let error: unknown;
  let tookMs = 0;
  const going = (async () => {
    try {
      const handled = await run(call, chain, toolReplies, () => forward(call, plan, { peeks: true, ...way }, attempting));
      if ('reply' in handled) got = 'reply';
      else for await (const chunk of handled.stream) chunks.push(chunk);
    } catch (thrown) {
      error = thrown;
    }
    tookMs = Date.now() - began;
  })();
  await meanwhile?.(call);
  await vi.runAllTimersAsync();
  await going;
  expect(outcomes).toHaveLength(1);
  expect(call.attempts).toBe(tried.length);
  const events = call.events.map(({ type, detail }) => `${type}: ${detail}`);
  if (error !== undefined && !(error instanceof GatewayError)) throw error;
  return { tried, call, got: got ?? chunks, error, outcome: outcomes[0]!, events, tookMs };
}

const code = ({ error }: Gone): ErrorCode | undefined => error?.code;

describe('a target that answers', () => {
  it('is asked once, and its gauge hears of it', async () => {
    const a = choice('a');
    const gone = await go(planOf([[a]]), { a: ['reply'] });
    expect(gone).toMatchObject({ tried: ['a'], got: 'reply', events: [], outcome: { ok: true, attempts: 1, target: { name: 'a' } } });
    expect(a.gauge.status(Date.now())).toMatchObject({ health: 'healthy', samples: 1, errorRate: 0, latencyMs: 0 });
    const stream = await go(planOf([[a]]), { a: [[note(1), RESULT]] });
    expect(stream.got).toEqual([note(1), RESULT]);
    expect(a.gauge.status(Date.now())).toMatchObject({ samples: 2, firstChunkMs: 0, errorRate: 0 });
  });

  it('that the hub answered for, without asking it, is known no better than before', async () => {
    const a = choice('a', { keys: [{ label: 'one' }], settings: { breaker: { failures: 1 } } });
    a.gauge.begin(Date.now()).ended(Date.now(), 'failed');
    a.keys!.failed(0, Date.now(), 'upstream_unauthorized');
    await vi.advanceTimersByTimeAsync(30_000);
    const call = toolCall();
    await forward(call, planOf([[a]]), { peeks: true }, async () => {
      call.answeredHere = true;
      return { reply: {} };
    });
    expect(a.gauge.status(Date.now())).toMatchObject({ breaker: 'half-open', samples: 1, inFlight: 0 });
    a.keys!.failed(0, Date.now(), 'upstream_unauthorized');
    expect(a.keys!.status(Date.now()), 'its refusal is not forgotten: the rest is twice as long').toMatchObject([
      { until: Date.now() + 60_000 },
    ]);
  });

  it('with a stream is busy until its end', async () => {
    const a = choice('a');
    const call = toolCall();
    const { attempting } = playing(call, { a: [[note(1), RESULT]] });
    const handled = await run(call, composeChain([], 'tools'), toolReplies, () =>
      forward(call, planOf([[a]]), { peeks: true }, attempting),
    );
    if (!('stream' in handled)) return expect.unreachable();
    const busy: number[] = [];
    for await (const _ of handled.stream) busy.push(a.gauge.inFlight);
    expect([...busy, a.gauge.inFlight]).toEqual([1, 1, 0]);
  });

  it('is let go when the reader leaves in the middle', async () => {
    const a = choice('a');
    const call = toolCall();
    const { attempting } = playing(call, { a: [[note(1), note(2), RESULT]] });
    const handled = await run(call, composeChain([], 'tools'), toolReplies, () =>
      forward(call, planOf([[a]]), { peeks: true }, attempting),
    );
    if (!('stream' in handled)) return expect.unreachable();
    for await (const _ of handled.stream) break;
    expect(a.gauge.status(Date.now())).toMatchObject({ inFlight: 0, samples: 0 });
  });
});

describe('after a failure', () => {
  it.each<ErrorCode>([
    'upstream_unreachable',
    'upstream_failed',
    'upstream_overloaded',
    'upstream_cut',
    'upstream_timeout',
    'upstream_too_large',
    'egress_refused',
    'model_unknown',
    'not_implemented',
  ])('%s the target beside it is tried, at once', async (thrown) => {
    const gone = await go(planOf([[choice('a'), choice('b')]]), { a: [failure(thrown)] });
    expect(gone).toMatchObject({ tried: ['a', 'b'], got: 'reply', tookMs: 0, events: [`fallback: a → b after ${thrown}`] });
    expect(gone.outcome).toMatchObject({ ok: true, attempts: 2, target: { name: 'b' } });
  });

  it.each<[ErrorCode, number]>([
    ['upstream_overloaded', 1],
    ['upstream_timeout', 1],
    ['upstream_too_large', 0],
    ['model_unknown', 0],
    ['bad_request', 0],
    ['internal', 0],
  ])('%s counts %i against the target', async (thrown, failures) => {
    const a = choice('a');
    await go(planOf([[a]], { retries: 0 }), { a: [failure(thrown)] });
    expect(a.gauge.status(Date.now())).toMatchObject({ samples: failures, errorRate: failures });
  });

  it.each<ErrorCode>(['bad_request', 'model_refused', 'context_too_long', 'content_refused', 'rule_refused', 'limit_exceeded', 'internal'])(
    '%s of the caller nobody else is tried',
    async (thrown) => {
      const gone = await go(planOf([[choice('a'), choice('b')], [choice('c')]]), { a: [failure(thrown)] });
      expect([gone.tried, code(gone), gone.events]).toEqual([['a'], thrown, []]);
    },
  );

  it('in the words of a protocol nobody else is tried, and the target is well', async () => {
    const a = choice('a');
    const plan = planOf([[a, choice('b')]]);
    const call = toolCall();
    const thrown = new SourceError(-32_000, 'its own words');
    await expect(forward(call, plan, { peeks: true }, () => Promise.reject(thrown))).rejects.toMatchObject({
      code: 'upstream_failed',
      cause: thrown,
    });
    expect([call.attempts, a.gauge.samples]).toEqual([1, 0]);
  });

  it('that the route names, another is tried although the caller is at fault', async () => {
    const plan = planOf([[choice('a')], [choice('b')]], { fallbackOn: new Set(['content_refused']) });
    expect(await go(plan, { a: [failure('content_refused')] })).toMatchObject({ tried: ['a', 'b'], got: 'reply' });
    const others = await go(plan, { a: [failure('context_too_long')] });
    expect([others.tried, code(others)]).toEqual([['a'], 'context_too_long']);
    const last = await go(plan, { a: [failure('content_refused')], b: [failure('content_refused')] });
    expect([last.tried, code(last), last.tookMs]).toEqual([['a', 'b'], 'content_refused', 0]);
  });

  it('all of one pool are tried, then each of the next, and the last failure is the one that is told', async () => {
    const plan = planOf([[choice('a'), choice('b')], [choice('c')], [choice('d')]], { retries: 0 });
    const fates = {
      a: [failure('upstream_cut')],
      b: [failure('upstream_overloaded')],
      c: [failure('upstream_timeout')],
      d: [failure('upstream_unreachable')],
    };
    const gone = await go(plan, fates);
    expect([gone.tried, code(gone)]).toEqual([['a', 'b', 'c', 'd'], 'upstream_unreachable']);
    expect(gone.events).toEqual([
      'fallback: a → b after upstream_cut',
      'fallback: b → c after upstream_overloaded',
      'fallback: c → d after upstream_timeout',
    ]);
  });

  it('what the first said of itself is forgotten', async () => {
    const call = toolCall();
    const plan = planOf([[choice('a'), choice('b')]]);
    await forward(call, plan, { peeks: true }, async ({ target }) => {
      if (target.name === 'b') return { reply: {} };
      call.modelServed = 'of a';
      call.firstByteAt = Date.now();
      throw failure('upstream_cut');
    });
    expect([call.modelServed, call.firstByteAt]).toEqual([undefined, undefined]);
  });
});

describe('the same target', () => {
  it('is tried again when there is no other, after pauses that grow', async () => {
    const gone = await go(planOf([[choice('a')]]), { a: [failure('upstream_overloaded'), failure('upstream_cut'), 'reply'] });
    expect(gone).toMatchObject({ tried: ['a', 'a', 'a'], got: 'reply' });
    expect(gone.tookMs).toBeGreaterThanOrEqual(50 + 100);
    expect(gone.tookMs).toBeLessThanOrEqual(100 + 200);
    expect(gone.events).toEqual([
      expect.stringMatching(/^retried: a after upstream_\w+, \d+ ms later$/),
      expect.stringMatching(/^retried: a after upstream_\w+, \d+ ms later$/),
    ]);
  });

  it('is tried as often as the plan says, then the next pool', async () => {
    const always = failure('upstream_overloaded');
    const gone = await go(planOf([[choice('a')], [choice('b')]], { retries: 1 }), { a: [always] });
    expect([gone.tried, gone.got]).toEqual([['a', 'a', 'b'], 'reply']);
    const once = await go(planOf([[choice('c')], [choice('d')]]), { c: [always] }, { way: { retries: 0 } });
    expect([once.tried, once.got]).toEqual([['c', 'd'], 'reply']);
  });

  it('waits for as long as the upstream says, where that is short', async () => {
    const gone = await go(planOf([[choice('a')]]), { a: [failure('upstream_overloaded', 1_500), 'reply'] });
    expect(gone).toMatchObject({
      tried: ['a', 'a'],
      tookMs: 1_500,
      events: [expect.stringMatching(/^retried: a after upstream_\w+, 1500 ms later$/)],
    });
    const long = await go(planOf([[choice('a')]]), { a: [failure('upstream_overloaded', 2_001)] });
    expect([long.tried, code(long), long.tookMs]).toEqual([['a'], 'upstream_overloaded', 0]);
  });

  it('is not waited for twice when it was slow', async () => {
    const gone = await go(planOf([[choice('a')]]), { a: [failure('upstream_timeout')] });
    expect([gone.tried, code(gone), gone.tookMs]).toEqual([['a'], 'upstream_timeout', 0]);
  });

  it('is not tried again where the budget has no retry left, nor is another account of the same upstream', async () => {
    const budget = new RetryBudget();
    while (budget.spend());
    const always = [failure('upstream_overloaded')];
    const gone = await go(planOf([[choice('a')]], { budget }), { a: always });
    expect([gone.tried, gone.tookMs]).toEqual([['a'], 0]);
    const beside = planOf([[choice('x/1', { upstream: 'x' }), choice('x/2', { upstream: 'x' })], [choice('y')]], { budget });
    expect((await go(beside, { 'x/1': always, 'x/2': always })).tried).toEqual(['x/1', 'y']);
    const elsewhere = planOf([[choice('x'), choice('z')]], { budget });
    expect((await go(elsewhere, { x: always })).tried).toEqual(['x', 'z']);
  });

  it('is left alone when others have found out that it is down, while this call paused', async () => {
    const a = choice('a', { settings: { breaker: { failures: 3 } } });
    const gone = await go(
      planOf([[a], [choice('b')]]),
      { a: [failure('upstream_overloaded', 1_000)] },
      {
        async meanwhile() {
          await vi.advanceTimersByTimeAsync(500);
          for (let other = 0; other < 2; other++) a.gauge.begin(Date.now()).ended(Date.now(), 'failed');
        },
      },
    );
    expect([gone.tried, gone.got]).toEqual([['a', 'b'], 'reply']);
  });
});

describe('a target that limits', () => {
  it('rests while the one beside it answers, for as long as it said', async () => {
    const [a, b] = [choice('a'), choice('b')];
    const plan = planOf([[a, b]]);
    expect(await go(plan, { a: [failure('upstream_limited', 30_000)] })).toMatchObject({ tried: ['a', 'b'], got: 'reply' });
    expect(a.gauge.status(Date.now())).toMatchObject({ health: 'resting', samples: 0, retryAt: START + 30_000 });
    await vi.advanceTimersByTimeAsync(29_999);
    expect((await go(plan, {})).tried).toEqual(['b']);
    await vi.advanceTimersByTimeAsync(1);
    expect((await go(plan, {})).tried).toEqual(['a']);
  });

  it('is waited for when it is the only one and says a short time', async () => {
    const gone = await go(planOf([[choice('a')]]), { a: [failure('upstream_limited', 2_000), 'reply'] });
    expect(gone).toMatchObject({
      tried: ['a', 'a'],
      got: 'reply',
      tookMs: 2_000,
      events: ['retried: a after upstream_limited, 2000 ms later'],
    });
  });

  it('is waited for when all others rest as well', async () => {
    const [a, b] = [choice('a'), choice('b')];
    b.gauge.rest(Date.now(), 60_000);
    const gone = await go(planOf([[a], [b]]), { a: [failure('upstream_limited', 1_000), 'reply'] });
    expect(gone).toMatchObject({ tried: ['a', 'a'], got: 'reply', tookMs: 1_000 });
  });

  it.each([[2_001], [60_000], [undefined]])('and says %s ms is told to the caller at once', async (wait) => {
    const a = choice('a');
    const gone = await go(planOf([[a]]), { a: [failure('upstream_limited', wait)] });
    expect([gone.tried, code(gone), gone.error?.retryAfterMs, gone.tookMs]).toEqual([['a'], 'upstream_limited', wait, 0]);
    expect(a.gauge.available(Date.now()), 'alone it is asked the next time').toBe(true);
  });
});

describe('keys', () => {
  const two = { keys: [{ label: 'one' }, { label: 'two' }] };
  const three = { keys: [{ label: 'one' }, { label: 'two' }, { label: 'three' }] };

  it.each<ErrorCode>(['upstream_unauthorized', 'upstream_no_credit', 'upstream_limited'])(
    '%s leads to another key of the same target',
    async (thrown) => {
      const a = choice('a', two);
      const plan = planOf([[a], [choice('b')]]);
      expect(await go(plan, { a: [failure(thrown), 'reply'] })).toMatchObject({
        tried: ['a#0', 'a#1'],
        got: 'reply',
        tookMs: 0,
        events: [`retried: a with another key after ${thrown}`],
      });
      expect(a.keys!.status(Date.now()).map(({ state }) => state)).toEqual(['resting', 'ok']);
      expect(a.gauge.status(Date.now())).toMatchObject({ health: 'healthy', samples: 1, errorRate: 0 });
      expect((await go(plan, {})).tried, 'it is left out by calls that come after').toEqual(['a#1']);
    },
  );

  it('are each tried once, and then the next target', async () => {
    const plan = planOf([[choice('a', three)], [choice('b')]]);
    expect(await go(plan, { a: [failure('upstream_unauthorized')] })).toMatchObject({ tried: ['a#0', 'a#1', 'a#2', 'b'], got: 'reply' });
    expect((await go(plan, { a: [failure('upstream_unauthorized')] })).tried, 'all of them rest').toEqual(['b']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await go(plan, { a: [failure('upstream_unauthorized')] })).tried, 'one call a second tries one').toEqual(['a#0', 'b']);
  });

  it('of the next target are all tried, whatever was tried before it', async () => {
    const plan = planOf([[choice('a', two)], [choice('b', two)]]);
    const gone = await go(plan, { a: [failure('upstream_unauthorized')], b: [failure('upstream_unauthorized'), 'reply'] });
    expect(gone).toMatchObject({ tried: ['a#0', 'a#1', 'b#0', 'b#1'], got: 'reply' });
  });

  it('of which all are limited make the caller wait, or the call, where it is short', async () => {
    const plan = planOf([[choice('a', two)]]);
    const gone = await go(plan, { a: [failure('upstream_limited', 1_000), failure('upstream_limited', 1_000), 'reply'] });
    expect(gone).toMatchObject({ tried: ['a#0', 'a#1', expect.stringMatching(/^a#/)], got: 'reply', tookMs: 1_000 });
    const long = planOf([[choice('b', two)]]);
    const first = await go(long, { b: [failure('upstream_limited', 50_000)] });
    expect([first.tried, code(first), first.error?.retryAfterMs]).toEqual([['b#0', 'b#1'], 'upstream_limited', 50_000]);
    const second = await go(long, {});
    expect([second.tried, code(second), second.error?.retryAfterMs]).toEqual([[], 'upstream_limited', 50_000]);
  });

  it('that are dead: one of three is never used again, and every call is answered', async () => {
    const a = choice('a', three);
    const plan = planOf([[a]]);
    const used = { 0: 0, 1: 0, 2: 0 };
    for (let n = 0; n < 300; n++) {
      const call = toolCall();
      await forward(call, plan, { peeks: true }, async (_, key) => {
        used[key as 0 | 1 | 2] += 1;
        if (key === 1) throw failure('upstream_unauthorized');
        return { reply: {} };
      });
    }
    expect(used[1]).toBe(1);
    expect([used[0], used[2]]).toEqual([expect.closeTo(150, -1), expect.closeTo(150, -1)]);
  });

  it('that are the only one: a refused one rests when there are other targets, and is asked each time when there are none', async () => {
    const one = { keys: [{ label: 'one' }] };
    const a = choice('a', one);
    expect((await go(planOf([[a, choice('b')]]), { a: [failure('upstream_unauthorized')] })).tried).toEqual(['a#0', 'b']);
    expect(a.keys!.status(Date.now())).toEqual([{ label: 'one', state: 'resting', until: START + 30_000 }]);
    expect(a.gauge.status(Date.now()).health, 'other targets may have the same key, and this one another').toBe('healthy');
    const alone = choice('alone', one);
    for (let turn = 0; turn < 3; turn++) {
      const gone = await go(planOf([[alone]]), { alone: [failure('upstream_unauthorized')] });
      expect([gone.tried, code(gone)]).toEqual([['alone#0'], 'upstream_unauthorized']);
    }
  });

  it('that are the only one: what other routes found out about it does not keep a route from its only target', async () => {
    const one = choice('a', { keys: [{ label: 'one' }] });
    await go(planOf([[one], [choice('b')]]), { a: [failure('upstream_unauthorized')] });
    expect(one.keys!.status(Date.now())[0]!.state).toBe('resting');
    expect((await go(planOf([[one]]), {})).tried).toEqual(['a#0']);
  });

  it('that are the only one: a limit is one of the target', async () => {
    const a = choice('a', { keys: [{ label: 'one' }] });
    await go(planOf([[a, choice('b')]]), { a: [failure('upstream_limited', 9_000)] });
    expect([a.keys!.status(Date.now())[0]!.state, a.gauge.status(Date.now()).health]).toEqual(['ok', 'resting']);
  });
});

describe('streams', () => {
  it('that fail before their first chunk fall back', async () => {
    const gone = await go(planOf([[choice('a'), choice('b')]]), { a: [[failure('upstream_cut')]], b: [[note(1), RESULT]] });
    expect(gone).toMatchObject({ tried: ['a', 'b'], got: [note(1), RESULT], outcome: { ok: true, streamed: true, attempts: 2 } });
  });

  it('that fail after it do not, and count against the target', async () => {
    const a = choice('a');
    const gone = await go(planOf([[a, choice('b')]]), { a: [[note(1), failure('upstream_cut')]] });
    expect([gone.tried, gone.got, code(gone)]).toEqual([['a'], [note(1)], 'upstream_cut']);
    expect(a.gauge.status(Date.now())).toMatchObject({ samples: 1, errorRate: 1 });
    const own = await go(planOf([[choice('c'), choice('d')]]), { c: [[note(1), failure('content_refused')]] });
    expect([own.tried, code(own)]).toEqual([['c'], 'content_refused']);
    expect(made[2]!.gauge.samples).toBe(0);
  });

  it('are bound without a look where the lane does not peek', async () => {
    const a = choice('a');
    const gone = await go(planOf([[a, choice('b')]]), { a: [[failure('upstream_cut')]] }, { way: { peeks: false } });
    expect([gone.tried, code(gone)]).toEqual([['a'], 'upstream_cut']);
    expect(a.gauge.status(Date.now())).toMatchObject({ samples: 1, errorRate: 1 });
    const call = toolCall();
    const { attempting } = playing(call, { a: [['hang']] });
    const handled = await forward(call, planOf([[a]]), { peeks: false }, attempting);
    expect([Object.keys(handled), a.gauge.inFlight]).toEqual([['stream'], 1]);
    call.settled?.(undefined);
  });

  it('that fail before a chunk that begins them fall back, and its time is that of the first token', async () => {
    const begins = (chunk: ToolsChunk): boolean => chunk.type === 'result';
    const gone = await go(
      planOf([[choice('a'), choice('b')]]),
      { a: [[note(1), failure('upstream_cut')]], b: [[note(2), note(3), RESULT]] },
      { way: { begins } },
    );
    expect(gone).toMatchObject({ tried: ['a', 'b'], got: [note(2), note(3), RESULT] });
    const late = await go(
      planOf([[choice('c'), choice('d')]]),
      { c: [[note(1), 'hang']], d: [[RESULT]] },
      { way: { begins, firstChunkMs: 2_000 } },
    );
    expect(late).toMatchObject({ tried: ['c', 'd'], got: [RESULT], tookMs: 2_000 });
  });

  it('that are empty end as they are', async () => {
    expect(await go(planOf([[choice('a'), choice('b')]]), { a: [[]] })).toMatchObject({ tried: ['a'], got: [], error: undefined });
  });
});

describe('times', () => {
  it('to the first chunk: another target is tried when it does not come', async () => {
    const a = choice('a');
    const gone = await go(planOf([[a, choice('b')]]), { a: [['hang']], b: [[RESULT]] }, { way: { firstChunkMs: 3_000 } });
    expect(gone).toMatchObject({ tried: ['a', 'b'], got: [RESULT], tookMs: 3_000, events: ['fallback: a → b after upstream_timeout'] });
    expect(a.gauge.status(Date.now())).toMatchObject({ samples: 1, errorRate: 1 });
  });

  it('to the first chunk hold for each attempt, its head included, and are told when nobody is left', async () => {
    const gone = await go(planOf([[choice('a'), choice('b')]]), { a: ['hang'], b: [['hang']] }, { way: { firstChunkMs: 1_500 } });
    expect(gone).toMatchObject({
      tried: ['a', 'b'],
      tookMs: 3_000,
      error: { code: 'upstream_timeout', message: 'No first token came within 1.5 s.' },
    });
  });

  it('to the first chunk do not matter once it is there', async () => {
    const a = choice('a');
    const call = toolCall();
    const slow = async function* (): AsyncGenerator<ToolsChunk> {
      yield note(1);
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      yield RESULT;
    };
    const reading = (async () => {
      const chunks: ToolsChunk[] = [];
      const handled = await run(call, composeChain([], 'tools'), toolReplies, () =>
        forward(call, planOf([[a]]), { peeks: true, firstChunkMs: 1_000 }, async () => ({ stream: slow() })),
      );
      if ('stream' in handled) for await (const chunk of handled.stream) chunks.push(chunk);
      return [chunks, call.attemptCancellation.aborted];
    })();
    await vi.runAllTimersAsync();
    expect(await reading).toEqual([[note(1), RESULT], false]);
  });

  it('in all: whatever is on its way then is called off, and nobody else is tried', async () => {
    const gone = await go(planOf([[choice('a'), choice('b')]], { totalMs: 5_000 }), { a: ['hang'] });
    expect(gone).toMatchObject({
      tried: ['a'],
      tookMs: 5_000,
      error: { code: 'upstream_timeout', message: 'The call did not end within 5 s.' },
    });
    const stream = await go(planOf([[choice('c'), choice('d')]], { totalMs: 5_000 }), { c: [[note(1), 'hang']] });
    expect(stream).toMatchObject({ tried: ['c'], tookMs: 5_000, got: [note(1)], error: { code: 'upstream_timeout' } });
    expect(made[2]!.gauge.status(Date.now())).toMatchObject({ samples: 1, errorRate: 1 });
  });

  it('in all are waited for no longer than the stream', async () => {
    const call = toolCall();
    const { attempting } = playing(call, { a: [[note(1), RESULT]] });
    const plan = planOf([[choice('a')]], { totalMs: 60_000 });
    const handled = await run(call, composeChain([], 'tools'), toolReplies, () => forward(call, plan, { peeks: true }, attempting));
    if (!('stream' in handled)) return expect.unreachable();
    const waiting: number[] = [];
    for await (const _ of handled.stream) waiting.push(vi.getTimerCount());
    expect([...waiting, vi.getTimerCount()]).toEqual([1, 1, 0]);
  });

  it('in all count the attempts that failed before', async () => {
    const gone = await go(
      planOf([[choice('a'), choice('b')]], { totalMs: 5_000 }),
      { a: ['hang'], b: ['hang'] },
      { way: { firstChunkMs: 4_000 } },
    );
    expect(gone).toMatchObject({ tried: ['a', 'b'], tookMs: 5_000, error: { message: 'The call did not end within 5 s.' } });
  });

  it('in all: no pause is begun that would end after them', async () => {
    const gone = await go(planOf([[choice('a')]], { totalMs: 1_000 }), { a: [failure('upstream_overloaded', 1_000)] });
    expect([gone.tried, code(gone), gone.tookMs]).toEqual([['a'], 'upstream_overloaded', 0]);
    const short = await go(planOf([[choice('a')]], { totalMs: 1_000 }), { a: [failure('upstream_overloaded', 999), 'reply'] });
    expect([short.tried, short.got]).toEqual([['a', 'a'], 'reply']);
  });
});

describe('a client that leaves', () => {
  const leave = (afterMs: number) => async (call: LiveCall<'tools'>) => {
    await vi.advanceTimersByTimeAsync(afterMs);
    call.abort(failure('client_closed'));
  };

  it('in a pause ends it, and nothing more is sent', async () => {
    const gone = await go(
      planOf([[choice('a')], [choice('b')]]),
      { a: [failure('upstream_overloaded', 2_000)] },
      { meanwhile: leave(700) },
    );
    expect([gone.tried, code(gone), gone.tookMs]).toEqual([['a'], 'client_closed', 700]);
  });

  it.each<[string, Partial<Plan>, Partial<Way<'tools'>>]>([
    ['without times', {}, {}],
    ['with times', { totalMs: 60_000 }, { firstChunkMs: 30_000 }],
  ])('calls off the attempt that is on its way, %s, and the target is not blamed', async (_, more, way) => {
    const a = choice('a');
    const gone = await go(planOf([[a, choice('b')]], more), { a: ['hang'] }, { way, meanwhile: leave(100) });
    expect([gone.tried, code(gone), gone.tookMs]).toEqual([['a'], 'client_closed', 100]);
    expect(a.gauge.samples).toBe(0);
    const stream = await go(planOf([[a, choice('c')]], more), { a: [[note(1), 'hang']] }, { way, meanwhile: leave(100) });
    expect([stream.tried, stream.got, code(stream)]).toEqual([['a'], [note(1)], 'client_closed']);
    expect(a.gauge.samples).toBe(0);
  });

  it('while a target fails is not tried for elsewhere', async () => {
    const plan = planOf([[choice('a'), choice('b')]]);
    const call = toolCall();
    const tried: string[] = [];
    const going = forward(call, plan, { peeks: true }, async ({ target }) => {
      tried.push(target.name);
      call.abort(failure('client_closed'));
      throw failure('upstream_cut');
    });
    await expect(going).rejects.toMatchObject({ code: 'upstream_cut' });
    expect(tried).toEqual(['a']);
  });
});

describe('when nothing can be tried', () => {
  const broken = (name: string, parts?: ChoiceParts): Choice => {
    const one = choice(name, { settings: { breaker: { failures: 1 } }, ...parts });
    one.gauge.begin(Date.now()).ended(Date.now(), 'failed');
    return one;
  };

  it('because of failures: unavailable, with the time at which it may be again', async () => {
    const later = broken('later');
    await vi.advanceTimersByTimeAsync(4_000);
    const gone = await go(planOf([[broken('a')], [later]]), {});
    expect(gone).toMatchObject({ tried: [], error: { code: 'unavailable', retryAfterMs: 6_000 }, outcome: { attempts: 0 } });
    expect(gone.error!.message).toBe('No target of this route can be tried now: all of them rest after failures.');
    expect(gone.events).toEqual(['refused: no target can be tried now: a, later']);
    expect(gone.error!.message).not.toContain('later');
  });

  it('because all of them limit: upstream_limited, with the time at which the first may be tried', async () => {
    const [a, b] = [choice('a'), choice('b')];
    a.gauge.rest(Date.now(), 9_000);
    b.gauge.rest(Date.now(), 7_000);
    expect(await go(planOf([[a], [b]]), {})).toMatchObject({ tried: [], error: { code: 'upstream_limited', retryAfterMs: 7_000 } });
    await vi.advanceTimersByTimeAsync(7_000);
    expect((await go(planOf([[a], [b]]), {})).tried).toEqual(['b']);
  });

  it('because of both: unavailable', async () => {
    const a = choice('a');
    a.gauge.rest(Date.now(), 9_000);
    expect(await go(planOf([[a], [broken('b')]]), {})).toMatchObject({ tried: [], error: { code: 'unavailable', retryAfterMs: 9_000 } });
  });

  it('because of failures, also where there are several keys', async () => {
    const gone = await go(planOf([[broken('a', { keys: [{ label: 'one' }, { label: 'two' }] })]]), {});
    expect(gone).toMatchObject({ tried: [], error: { code: 'unavailable', retryAfterMs: 10_000 } });
  });

  it('because all keys are refused: unavailable, and one call a second finds out', async () => {
    const plan = planOf([[choice('a', { keys: [{ label: 'one' }, { label: 'two' }] })]]);
    expect(code(await go(plan, { a: [failure('upstream_unauthorized')] }))).toBe('upstream_unauthorized');
    expect(await go(plan, {})).toMatchObject({ tried: [], error: { code: 'unavailable', retryAfterMs: 1_000 } });
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await go(plan, {})).got).toBe('reply');
  });

  it('but a probe on its way: unavailable, soon', async () => {
    const a = broken('a');
    await vi.advanceTimersByTimeAsync(10_000);
    const probe = a.gauge.begin(Date.now());
    expect(await go(planOf([[a]]), {})).toMatchObject({ tried: [], error: { code: 'unavailable', retryAfterMs: 1_000 } });
    probe.ended(Date.now(), 'ok');
    expect((await go(planOf([[a]]), {})).got).toBe('reply');
  });
});

describe('a breaker', () => {
  it('opens after failures in a row, tries with one call, and closes when that is answered', async () => {
    const a = choice('a');
    const plan = planOf([[a]], { retries: 0 });
    let works = false;
    let sent = 0;
    const send = () => {
      const call = toolCall();
      return forward(call, plan, { peeks: true }, async () => {
        sent += 1;
        if (!works) throw failure('upstream_overloaded');
        await new Promise((resolve) => setTimeout(resolve, 100));
        return { reply: {} };
      }).then(
        () => 'ok',
        (error: unknown) => (error as GatewayError).code,
      );
    };
    const codes: string[] = [];
    for (let n = 0; n < 8; n++) codes.push(await send());
    expect(codes).toEqual([...Array<string>(5).fill('upstream_overloaded'), ...Array<string>(3).fill('unavailable')]);
    expect(sent).toBe(5);
    await vi.advanceTimersByTimeAsync(10_000);
    works = true;
    const both = Promise.all([send(), send(), send()]);
    await vi.runAllTimersAsync();
    expect([await both, sent]).toEqual([['ok', 'unavailable', 'unavailable'], 6]);
    const after = Promise.all([send(), send()]);
    await vi.runAllTimersAsync();
    expect(await after).toEqual(['ok', 'ok']);
  });
});

describe('a session', () => {
  const arms = (): Choice[] => ['a', 'b', 'c', 'd'].map((name) => choice(name));
  const armOf = async (plan: Plan, session: string): Promise<string> => (await go(plan, {}, { way: { session } })).tried[0]!;

  it('keeps its target, moves when that is down, and comes back', async () => {
    const choices = arms();
    const plan = planOf([choices]);
    for (const session of ['one', 'two', 'three', 'four', 'five']) {
      const own = await armOf(plan, session);
      for (let turn = 0; turn < 5; turn++) expect(await armOf(plan, session)).toBe(own);
      const { gauge } = choices.find(({ target }) => target.name === own)!;
      gauge.rest(Date.now(), 1_000);
      const other = await armOf(plan, session);
      expect(other).not.toBe(own);
      expect(await armOf(plan, session)).toBe(other);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await armOf(plan, session)).toBe(own);
    }
  });

  it('moves in one call from a target that fails to the one that it has without it', async () => {
    const choices = arms();
    const own = await armOf(planOf([choices]), 's');
    const without = await armOf(planOf([choices.filter(({ target }) => target.name !== own)]), 's');
    const gone = await go(planOf([choices]), { [own]: [failure('upstream_cut')] }, { way: { session: 's' } });
    expect(gone.tried).toEqual([own, without]);
  });

  it('is no matter where there is none: the balancer chooses', async () => {
    const seen: number[] = [];
    const plan = planOf([arms()]);
    const balancer = {
      pick: (targets: readonly unknown[]) => {
        seen.push(targets.length);
        return targets.length - 1;
      },
      figure: () => '',
    };
    const gone = await go(
      { ...plan, pools: [{ ...plan.pools[0]!, balancer }] },
      { d: [failure('upstream_cut')], c: [failure('upstream_cut')] },
    );
    expect([gone.tried, seen]).toEqual([
      ['d', 'c', 'b'],
      [4, 3, 2],
    ]);
  });
});

describe('a storm', () => {
  const CALLS = 1_000;

  it('of failures is not made worse: a fifth of the calls at most is tried again, beside a few', async () => {
    const plan = planOf([[choice('a', { settings: NEVER })]]);
    let sent = 0;
    for (let n = 0; n < CALLS; n++) sent += (await go(plan, { a: [failure('upstream_overloaded', 0)] })).tried.length;
    expect(sent).toBeLessThanOrEqual(1.2 * CALLS);
    expect(sent, 'some are').toBeGreaterThan(1.1 * CALLS);
  });

  it('at several accounts of one upstream is no worse for it', async () => {
    const names = ['x/1', 'x/2', 'x/3'];
    const plan = planOf([names.map((name) => choice(name, { upstream: 'x', settings: NEVER }))]);
    const fates = Object.fromEntries(names.map((name) => [name, [failure('upstream_overloaded', 0)]]));
    let sent = 0;
    for (let n = 0; n < CALLS; n++) sent += (await go(plan, fates)).tried.length;
    expect(sent).toBeLessThanOrEqual(1.2 * CALLS);
  });

  it('is over soon where the breaker may open', async () => {
    const plan = planOf([[choice('a')]]);
    let sent = 0;
    for (let n = 0; n < 200; n++) sent += (await go(plan, { a: [failure('upstream_overloaded', 0)] })).tried.length;
    expect(sent).toBe(5);
  });
});
