import { hash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkOptions } from '../../../src/config/extensions.ts';
import type { AnyCall } from '../../../src/core/call.ts';
import type { PolicyHooks, Question } from '../../../src/core/contracts/policy.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import rateLimit from '../../../src/policies/rate-limit.ts';
import { MemoryState } from '../../../src/storage/state/memory-state.ts';
import {
  begun,
  chat,
  created,
  FakeStore,
  fakeHost,
  lateState,
  message,
  outcome,
  passing,
  refusalOf,
  runAll,
  settled,
  silent,
  toolCall,
  type FakeHost,
} from './limit-calls.ts';

type Options = Parameters<typeof rateLimit.create>[0];

async function limit(options: Options, host: FakeHost = fakeHost()): Promise<{ hooks: PolicyHooks; host: FakeHost }> {
  return { hooks: await created(rateLimit, options, host), host };
}

const ALICE: Question = { consumer: { name: 'alice', groups: [], anonymous: false }, lane: 'models', route: 'fast', model: 'gpt-5' };
const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
/** In which order calls end. */
const ORDER = fc.array(fc.nat(), { minLength: 1, maxLength: 200 });
const TOKENS = { inputTokens: 60, outputTokens: 40, totalTokens: 100, estimated: true };

// Nobody waits for the second after which a call asks again by itself, unless a test lets it go by.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

describe('parallel calls', () => {
  it.each([
    ['requests', { requests: '50/min' }],
    ['concurrent', { concurrent: 50 }],
    ['streams', { streams: 50 }],
    ['a month', { requests: '50/month' }],
    ['all of it', { by: ['consumer', 'model'], requests: ['50/s', '600/min'], tokens: '1M/day', concurrent: 60, streams: 70 }],
    ['requests, while tokens are reserved', { requests: '50/min', tokens: '5k/min' }],
  ])('%s: of 200 exactly 50 pass, and the others are refused at once', async (_name, options) => {
    const { hooks } = await limit(options);
    const calls = many(200, () => chat({ stream: true, estimate: TOKENS }));
    const { passed, refused } = await begun(hooks, calls);
    expect([passed.length, refused.length]).toEqual([50, 150]);
  });

  it.each([
    ['what they use', 100],
    ['a little more', 130],
    ['far more than they use', 2_148],
    ['more than the whole limit', 100_000],
  ])('tokens, reserved %s: of 200 exactly 50 pass, in whatever order they end', async (_name, totalTokens) => {
    await fc.assert(
      fc.asyncProperty(ORDER, async (order) => {
        const { hooks } = await limit({ tokens: '5k/min', requests: '1k/min' });
        const calls = many(200, () => chat({ estimate: { totalTokens } }));
        const { passed, refused, most } = await runAll(hooks, calls, order, () => ({ usage: { totalTokens: 100 } }));
        expect([passed.length, refused.length]).toEqual([50, 150]);
        expect(most).toBe(Math.max(1, Math.floor(5_000 / totalTokens)));
        expect((await hooks.explain!(ALICE)).map(({ value }) => value)).toEqual(['50 used, 950 left', '5,000 used or reserved, 0 left']);
        expect(new Set(refused.map((error) => error.message))).toEqual(
          new Set(['The limit of 5,000 tokens a minute is reached (5,000 used). Try again in 60 s.']),
        );
      }),
      { numRuns: 5 },
    );
  });

  it('tokens, reserved less than they use: what was let in is counted, and nothing passes after it', async () => {
    const { hooks } = await limit({ tokens: '5k/min' });
    const calls = many(200, () => chat({ estimate: { totalTokens: 50 } }));
    const { passed, refused } = await runAll(hooks, calls, [3, 1, 4], () => ({ usage: { totalTokens: 80 } }));
    // One that has ended uses what was left for more than one other: 100 are let in at once, and none afterwards.
    expect([passed.length, refused.length]).toEqual([100, 100]);
    expect((await hooks.explain!(ALICE))[0]?.value).toBe('8,000 used or reserved, 0 left');
  });

  it('over a state that answers later it is 50 too', async () => {
    const inner = new MemoryState({ store: new FakeStore(), log: silent });
    const late = lateState(inner);
    const { hooks } = await limit({ requests: '50/min' }, fakeHost({ state: late.state }));
    const calls = await begun(
      hooks,
      many(200, () => chat()),
    );
    expect([calls.passed.length, calls.refused.length]).toEqual([0, 0]);
    await late.answer();
    expect([calls.passed.length, calls.refused.length]).toEqual([50, 150]);
  });

  it('over such a state 50 pass a limit of tokens, however much is reserved for each', async () => {
    const inner = new MemoryState({ store: new FakeStore(), log: silent });
    const late = lateState(inner);
    const { hooks } = await limit({ tokens: '5k/min' }, fakeHost({ state: late.state }));
    const calls = await begun(
      hooks,
      many(200, () => chat({ estimate: { totalTokens: 2_148 } })),
    );
    let ended = 0;
    for (let turn = 0; calls.passed.length + calls.refused.length < 200 && turn < 2_000; turn++) {
      await late.answer();
      for (const call of calls.passed.slice(ended, (ended += turn % 2))) await hooks.onEnd!(call, outcome({ usage: { totalTokens: 100 } }));
    }
    expect([calls.passed.length, calls.refused.length]).toEqual([50, 150]);
  });
});

describe('a call that finds reserved what it wants', () => {
  const HELD = { totalTokens: 1_000 };
  const WANTS = { totalTokens: 300 };
  const RESERVED =
    'The limit of 1,000 tokens a minute for consumer alice is reserved by calls under way (0 used, 1,000 reserved). Try again when one of them has ended.';
  const counted = async (hooks: PolicyHooks): Promise<string[]> => (await hooks.explain!(ALICE)).map(({ value }) => value);

  /** One call holds all of the limit. */
  async function held(options: Options = {}): Promise<{ hooks: PolicyHooks; host: FakeHost; holder: AnyCall }> {
    const parts = await limit({ by: 'consumer', requests: '100/min', tokens: '1k/min', ...options });
    const holder = chat({ estimate: HELD });
    await parts.hooks.onCall!(holder);
    return { ...parts, holder };
  }

  it('waits until it is settled, and passes', async () => {
    const { hooks, holder } = await held();
    const call = chat({ estimate: WANTS });
    const calls = await begun(hooks, [call]);
    expect([calls.passed, calls.refused]).toEqual([[], []]);
    expect(await counted(hooks)).toEqual(['1 used, 99 left', '1,000 used or reserved, 0 left']);
    await hooks.onEnd!(holder, outcome({ usage: { totalTokens: 60 } }));
    await settled();
    expect(calls.passed).toEqual([call]);
    expect(call.notes).toEqual([expect.stringMatching(/^throttled: rate-limit: 1,000 tokens a minute by consumer, waited \d+ ms$/)]);
    expect(await counted(hooks)).toEqual(['2 used, 98 left', '360 used or reserved, 640 left']);
    await hooks.onEnd!(call, outcome({ usage: { totalTokens: 90 } }));
    expect(await counted(hooks)).toEqual(['2 used, 98 left', '150 used or reserved, 850 left']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for ten seconds at most, and then reserves nothing', async () => {
    const { hooks, holder } = await held();
    const call = chat({ estimate: WANTS });
    const calls = await begun(hooks, [call]);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(calls.refused).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await settled();
    expect(calls.refused).toMatchObject([{ code: 'limit_exceeded', rule: 'rate-limit', retryAfterMs: undefined, message: RESERVED }]);
    expect(call.notes).toEqual(['throttled: rate-limit: 1,000 tokens a minute by consumer']);
    expect(vi.getTimerCount()).toBe(0);
    await hooks.onEnd!(call, outcome({ ok: false, attempts: 0, error: calls.refused[0]! }));
    expect(await counted(hooks)).toEqual(['1 used, 99 left', '1,000 used or reserved, 0 left']);
    await hooks.onEnd!(holder, outcome({ usage: { totalTokens: 0 } }));
    expect(await counted(hooks)).toEqual(['1 used, 99 left', '0 used or reserved, 1,000 left']);
  });

  it('does not wait where it is used up in truth, whatever is under way', async () => {
    const { hooks } = await limit({ tokens: '1k/min' });
    const [over, under] = [chat({ estimate: { totalTokens: 500 } }), chat({ estimate: { totalTokens: 500 } })];
    await hooks.onCall!(over);
    await hooks.onCall!(under);
    const waiting = await begun(
      hooks,
      many(3, () => chat({ estimate: WANTS })),
    );
    await hooks.onEnd!(over, outcome({ usage: { totalTokens: 1_000 } }));
    await settled();
    const message = 'The limit of 1,000 tokens a minute is reached (1,000 used). Try again in 60 s.';
    expect(waiting.refused.map((error) => error.message)).toEqual([message, message, message]);
    expect((await refusalOf(hooks, chat({ estimate: WANTS })))?.message).toBe(message);
  });

  it('waits for no other limit', async () => {
    const { hooks } = await held({ requests: '1/min' });
    expect((await refusalOf(hooks, chat({ estimate: WANTS })))?.message).toMatch(/^The limit of 1 request a minute/);
    const { hooks: busy } = await held({ concurrent: 1 });
    expect((await refusalOf(busy, chat({ estimate: WANTS })))?.message).toMatch(/^The limit of 1 call at a time/);
  });

  it('holds nothing of the other limits while it waits', async () => {
    const { hooks } = await held({ concurrent: 2 });
    const waiting = await begun(
      hooks,
      many(5, () => chat({ estimate: WANTS })),
    );
    expect([waiting.passed.length, waiting.refused.length]).toEqual([0, 0]);
    // Tools use no tokens.
    expect(await passing(hooks, [toolCall('find'), toolCall('find')])).toBe(1);
  });

  it('passes with what is left when nobody is under way, and alone', async () => {
    const { hooks, holder } = await held();
    const calls = [chat({ estimate: WANTS }), chat({ estimate: WANTS })];
    const waiting = await begun(hooks, calls);
    await hooks.onEnd!(holder, outcome({ usage: { totalTokens: 990 } }));
    await settled();
    expect(waiting.passed).toEqual([calls[0]]);
    expect((await counted(hooks))[1]).toBe('1,000 used or reserved, 0 left');
    // It uses 200, where 10 were left: that is counted, and the next is refused.
    await hooks.onEnd!(calls[0]!, outcome({ usage: { totalTokens: 200 } }));
    await settled();
    expect(waiting.refused.map((error) => error.message)).toEqual([
      'The limit of 1,000 tokens a minute for consumer alice is reached (1,190 used). Try again in 60 s.',
    ]);
    expect((await counted(hooks))[1]).toBe('1,190 used or reserved, 0 left');
  });

  it('keeps its estimate where nobody knows what it used, whatever was left for it', async () => {
    const { hooks, holder } = await held();
    await hooks.onEnd!(holder, outcome({ usage: { totalTokens: 990 } }));
    const call = chat({ estimate: WANTS });
    await hooks.onCall!(call);
    await hooks.onEnd!(call, outcome({ ok: false, error: new GatewayError('client_closed') }));
    expect((await counted(hooks))[1]).toBe('1,290 used or reserved, 0 left');
  });

  it('gets its turn in the order of arrival; whoever fits goes before whoever does not', async () => {
    const { hooks, holder } = await held();
    const [first, large, second, small] = [200, 900, 200, 100].map((totalTokens) => chat({ estimate: { totalTokens } }));
    const calls = await begun(hooks, [first!, large!, second!, small!]);
    await hooks.onEnd!(holder, outcome({ usage: { totalTokens: 500 } }));
    await settled();
    expect(calls.passed).toEqual([first, second, small]);
    for (const call of [first!, second!, small!]) await hooks.onEnd!(call, outcome({ usage: { totalTokens: 0 } }));
    await settled();
    expect(calls.passed).toEqual([first, second, small, large]);
  });

  it('asks again each second: windows slide, and other nodes settle', async () => {
    const { hooks, host } = await held();
    const call = chat({ estimate: WANTS });
    const calls = await begun(hooks, [call]);
    await vi.advanceTimersByTimeAsync(1_000);
    await settled();
    expect(calls.passed).toEqual([]);
    host.clock += 60_000;
    await vi.advanceTimersByTimeAsync(999);
    expect(calls.passed).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await settled();
    expect(calls.passed).toEqual([call]);
  });

  it('is not held up by what was reserved before the window', async () => {
    const { hooks, host } = await limit({ tokens: '1k/min' });
    const long = chat({ estimate: { totalTokens: 500 } });
    await hooks.onCall!(long);
    host.clock += 60_000;
    const call = chat({ estimate: HELD });
    await hooks.onCall!(call);
    await hooks.onEnd!(call, outcome({ usage: { totalTokens: 400 } }));
    expect(await passing(hooks, [chat({ estimate: HELD })])).toBe(1);
  });

  it('whose caller leaves gets client_closed, holds nothing and lets the next one ask', async () => {
    const { hooks, holder } = await held();
    const [leaves, stays] = [new AbortController(), new AbortController()];
    const calls = [leaves, stays].map(({ signal }) => chat({ estimate: HELD, signal }));
    const waiting = await begun(hooks, calls);
    leaves.abort();
    await settled();
    expect(waiting.refused).toMatchObject([{ code: 'client_closed' }]);
    expect(calls[0]!.notes).toEqual([]);
    await hooks.onEnd!(calls[0]!, outcome({ ok: false, attempts: 0, error: waiting.refused[0]! }));
    expect(await counted(hooks)).toEqual(['1 used, 99 left', '1,000 used or reserved, 0 left']);
    await hooks.onEnd!(holder, outcome({ usage: { totalTokens: 1 } }));
    await settled();
    expect(waiting.passed).toEqual([calls[1]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('whose caller has left before is not kept', async () => {
    const { hooks } = await held();
    expect(await refusalOf(hooks, chat({ estimate: WANTS, signal: AbortSignal.abort() }))).toMatchObject({ code: 'client_closed' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that is ended from outside meanwhile takes nothing afterwards', async () => {
    const { hooks, holder } = await held();
    const call = chat({ estimate: WANTS });
    const waiting = await begun(hooks, [call]);
    await hooks.onEnd!(call, outcome({ ok: false, attempts: 0, error: new GatewayError('internal') }));
    await hooks.onEnd!(holder, outcome({ usage: { totalTokens: 1 } }));
    await settled();
    expect(waiting.refused).toMatchObject([{ code: 'client_closed' }]);
    expect(await counted(hooks)).toEqual(['1 used, 99 left', '1 used or reserved, 999 left']);
  });

  it('waits for calls of the generation before, and is woken by them', async () => {
    const { hooks, host, holder } = await held();
    const next = (await limit({ by: 'consumer', requests: '100/min', tokens: '2k/min' }, host)).hooks;
    const call = chat({ estimate: { totalTokens: 1_500 } });
    const waiting = await begun(next, [call]);
    expect(waiting.passed).toEqual([]);
    await hooks.onEnd!(holder, outcome({ usage: { totalTokens: 1 } }));
    await settled();
    expect(waiting.passed).toEqual([call]);
  });

  it('waits where more than one limit is reserved, and takes of all of them or of none', async () => {
    const { hooks } = await limit({ by: 'group', tokens: '1k/min' });
    const holders = ['a', 'b'].map((group) => chat({ groups: [group], estimate: HELD }));
    for (const holder of holders) await hooks.onCall!(holder);
    const call = chat({ groups: ['a', 'b'], estimate: WANTS });
    const waiting = await begun(hooks, [call]);
    await hooks.onEnd!(holders[0]!, outcome({ usage: { totalTokens: 0 } }));
    await settled();
    expect(waiting.passed).toEqual([]);
    // Of group a it holds nothing while it waits for group b.
    expect(await passing(hooks, [chat({ groups: ['a'], estimate: HELD })])).toBe(1);
    await hooks.onEnd!(holders[1]!, outcome({ usage: { totalTokens: 0 } }));
    await settled();
    expect(waiting.passed).toEqual([]);
  });
});

describe('a refusal', () => {
  const full = async (options: Options, call: () => AnyCall, times: number): Promise<GatewayError | undefined> => {
    const { hooks, host } = await limit(options);
    for (let n = 0; n < times; n++) {
      await hooks.onCall!(call());
      host.clock += 2000;
    }
    return refusalOf(hooks, call());
  };

  it('names rule, limit, present value and when it passes', async () => {
    const error = await full({ by: 'consumer', requests: '24/min' }, chat, 24);
    expect(error).toMatchObject({ code: 'limit_exceeded', status: 429, rule: 'rate-limit', retryAfterMs: 12_000 });
    expect(error?.message).toBe('The limit of 24 requests a minute for consumer alice is reached (24 used). Try again in 12 s.');
  });

  it.each<[string, Options, () => AnyCall, string]>([
    ['nobody in particular', { requests: '1/h' }, chat, 'The limit of 1 request an hour is reached (1 used). Try again in 60 min.'],
    [
      'calls at a time',
      { by: ['consumer', 'model'], concurrent: 1 },
      chat,
      'The limit of 1 call at a time for consumer alice and model gpt-5 is reached (1 under way). Try again when one of them has ended.',
    ],
    [
      'streams',
      { by: 'agent', streams: 1 },
      () => message('travel', { operation: 'message/stream' }),
      'The limit of 1 open stream for agent travel is reached (1 open). Try again when one of them has ended.',
    ],
    [
      'a tool, whose name at its source is not told',
      { by: 'tool', requests: '1/min' },
      () => toolCall('list_issues', { source: 'github' }),
      'The limit of 1 request a minute for this tool is reached (1 used). Try again in 58 s.',
    ],
    [
      'a calendar month',
      { by: 'ip', requests: '1/month' },
      chat,
      'The limit of 1 request a month for address 192.0.2.1 is reached (1 used). Try again in 10 days.',
    ],
    [
      'what a caller has written',
      { by: 'header:X-Team', requests: '1/min' },
      () => chat({ headers: { 'x-team': `red\u0007\u202e${'x'.repeat(100)}` } }),
      `The limit of 1 request a minute for header x-team "red${'x'.repeat(75)}" is reached (1 used). Try again in 58 s.`,
    ],
  ])('%s', async (_name, options, call, text) => {
    expect((await full(options, call, 1))?.message).toBe(text);
  });

  it('takes nothing from the counters that had room', async () => {
    const { hooks } = await limit({ requests: '10/min', tokens: '100/min', concurrent: 10 });
    const call = chat({ estimate: TOKENS });
    await hooks.onCall!(call);
    await hooks.onEnd!(call, outcome({ usage: TOKENS }));
    const { refused } = await begun(
      hooks,
      many(5, () => chat({ estimate: TOKENS })),
    );
    expect(refused).toHaveLength(5);
    expect(await hooks.explain!(ALICE)).toMatchObject([{ value: '1 used, 9 left' }, { value: '0 under way, 10 left' }, {}]);
  });

  it('of tokens says what is used, and not what is reserved beside it', async () => {
    const { hooks, host } = await limit({ by: 'route', tokens: '1k/day' });
    const [ends, lasts] = [chat({ estimate: { totalTokens: 900 } }), chat({ estimate: { totalTokens: 50 } })];
    await hooks.onCall!(ends);
    await hooks.onCall!(lasts);
    await hooks.onEnd!(ends, outcome({ usage: { inputTokens: 1_000, outputTokens: 150 } }));
    host.clock += 2_000;
    const error = await refusalOf(hooks, chat({ estimate: { totalTokens: 900 } }));
    expect(error?.message).toBe('The limit of 1,000 tokens a day for route fast is reached (1,150 used). Try again in 24 h.');
    expect(error).toMatchObject({ code: 'limit_exceeded', status: 429, rule: 'rate-limit', retryAfterMs: 86_398_000 });
  });

  it('is in the record, without what callers have written', async () => {
    const { hooks } = await limit({ by: ['consumer', 'header:x-team', 'ip'], requests: '1/min' });
    const headers = { 'x-team': 'the-red-ones' };
    await hooks.onCall!(chat({ headers }));
    const call = chat({ headers });
    await refusalOf(hooks, call);
    expect(call.notes).toEqual(['throttled: rate-limit: 1 request a minute by consumer and header x-team and address']);
  });
});

describe('time', () => {
  it('windows slide', async () => {
    const { hooks, host } = await limit({ requests: '2/min' });
    await hooks.onCall!(chat());
    host.clock += 40_000;
    await hooks.onCall!(chat());
    host.clock += 19_999;
    expect(await passing(hooks, [chat()])).toBe(0);
    host.clock += 1;
    expect(await passing(hooks, [chat(), chat()])).toBe(1);
  });

  it('weeks and months are those of the calendar', async () => {
    const { hooks, host } = await limit({ requests: '2/week' });
    host.clock = Date.parse('2026-11-22T23:59:59.999Z');
    expect(await passing(hooks, many(5, chat))).toBe(2);
    host.clock += 1;
    expect(await passing(hooks, many(5, chat))).toBe(2);
  });
});

describe('what is counted', () => {
  const usedIn = async (options: Options, call: AnyCall, ended: Parameters<typeof outcome>[0]): Promise<string[]> => {
    const { hooks } = await limit(options);
    await hooks.onCall!(call);
    await hooks.onEnd!(call, outcome(ended));
    await hooks.onEnd!(call, outcome({ usage: { totalTokens: 99_999 } }));
    return (await hooks.explain!(ALICE)).map(({ value }) => value);
  };
  const ALL: Options = { requests: '10/min', tokens: '1k/min', concurrent: 5, streams: 5 };

  it.each<[string, Parameters<typeof outcome>[0], string]>([
    ['the total', { usage: { totalTokens: 70, inputTokens: 1 } }, '70 used or reserved, 930 left'],
    ['input and output', { usage: { inputTokens: 20, outputTokens: 7 } }, '27 used or reserved, 973 left'],
    ['more than was reserved', { usage: { totalTokens: 1200 } }, '1,200 used or reserved, 0 left'],
    ['none, said so', { usage: { totalTokens: 0 } }, '0 used or reserved, 1,000 left'],
    [
      'an abort, as far as it came',
      { ok: false, error: new GatewayError('client_closed'), usage: { totalTokens: 9 } },
      '9 used or reserved, 991 left',
    ],
    ['an abort of which nobody knows', { ok: false, error: new GatewayError('client_closed') }, '100 used or reserved, 900 left'],
    ['an error of the vendor', { ok: false, error: new GatewayError('upstream_overloaded') }, '0 used or reserved, 1,000 left'],
    ['nothing was sent', { attempts: 0, usage: { totalTokens: 70 } }, '0 used or reserved, 1,000 left'],
    ['refused by a later rule', { attempts: 0, ok: false, error: new GatewayError('rule_refused') }, '0 used or reserved, 1,000 left'],
  ])('tokens: %s', async (_name, ended, tokens) => {
    const call = chat({ stream: true, estimate: TOKENS });
    expect(await usedIn(ALL, call, ended)).toEqual(['1 used, 9 left', '0 under way, 5 left', '0 open, 5 left', tokens]);
  });

  it.each<[string, AnyCall, readonly number[]]>([
    ['a chat', chat({ estimate: TOKENS }), [1, 1, 0, 100]],
    ['a streamed answer', chat({ operation: 'messages', stream: true, estimate: TOKENS }), [1, 1, 1, 100]],
    ['embeddings', chat({ operation: 'embeddings', estimate: TOKENS }), [1, 1, 0, 100]],
    ['a count of tokens', chat({ operation: 'count_tokens', estimate: TOKENS }), [1, 1, 0, 0]],
    ['the list of models', chat({ operation: 'models' }), [0, 0, 0, 0]],
    ['a tool', toolCall('find', { source: 'pets' }), [1, 1, 0, 0]],
    ['a resource', toolCall('file:///a', { operation: 'resources/read' }), [1, 1, 0, 0]],
    ['the list of tools', toolCall('', { operation: 'tools/list' }), [0, 0, 0, 0]],
    ['a subscription', toolCall('file:///a', { operation: 'resources/subscribe' }), [0, 0, 0, 0]],
    ['a message', message('travel'), [1, 1, 0, 0]],
    ['a streamed message', message('travel', { operation: 'message/stream', estimate: TOKENS }), [1, 1, 1, 100]],
    ['a stream taken up again', message('travel', { operation: 'tasks/resubscribe' }), [0, 0, 1, 0]],
    ['a search for agents', message('', { operation: 'agents/search', estimate: TOKENS }), [1, 1, 0, 0]],
    ['a look at a task', message('travel', { operation: 'tasks/get' }), [0, 0, 0, 0]],
  ])('%s', async (_name, call, counted) => {
    const { hooks } = await limit({ requests: '10/min', tokens: '1k/min', concurrent: 10, streams: 10 });
    await hooks.onCall!(call);
    const values = (await hooks.explain!(ALICE)).map(({ value }) => Number.parseInt(value, 10));
    expect(values).toEqual(counted);
  });

  it('a limit of tokens stops no tool, and nothing of which nobody knows what it uses', async () => {
    const { hooks } = await limit({ tokens: '100/min' });
    await hooks.onCall!(chat({ estimate: TOKENS }));
    expect(await passing(hooks, [chat({ estimate: TOKENS }), toolCall('find', { estimate: TOKENS }), message('travel')])).toBe(2);
    const unknown = message('travel');
    await hooks.onCall!(unknown);
    await hooks.onEnd!(unknown, outcome({ usage: { totalTokens: 55 } }));
    expect((await hooks.explain!(ALICE))[0]?.value).toBe('155 used or reserved, 0 left');
  });

  it('an estimate above the limit passes alone, and only alone', async () => {
    const { hooks } = await limit({ tokens: '1k/min' });
    const call = chat({ estimate: { totalTokens: 50_000 } });
    await hooks.onCall!(call);
    expect(await passing(hooks, [chat({ estimate: { totalTokens: 1 } })])).toBe(0);
    await hooks.onEnd!(call, outcome({ usage: { totalTokens: 399 } }));
    // The one above got its turn.
    await settled();
    expect(await passing(hooks, [chat({ estimate: { totalTokens: 50_000 } }), chat({ estimate: { totalTokens: 600 } })])).toBe(1);
  });

  it('a call that ended before the state had answered leaves nothing behind', async () => {
    const inner = new MemoryState({ store: new FakeStore(), log: silent });
    const late = lateState(inner);
    const { hooks } = await limit({ requests: '10/min', tokens: '1k/min', concurrent: 1 }, fakeHost({ state: late.state }));
    const call = chat({ estimate: TOKENS });
    const passed = hooks.onCall!(call);
    await hooks.onEnd!(call, outcome({ ok: false, attempts: 0, error: new GatewayError('client_closed') }));
    await late.answer();
    await passed;
    const values = (await hooks.explain!(ALICE)).map(({ value }) => value);
    expect(values).toEqual(['1 used, 9 left', '0 under way, 1 left', '0 used or reserved, 1,000 left']);
  });
});

describe('by', () => {
  const counters = async (by: NonNullable<Options['by']>, calls: readonly AnyCall[]): Promise<number> =>
    passing((await limit({ by, requests: '1/min' })).hooks, calls);

  it.each<[string, string | string[], number, readonly AnyCall[]]>([
    ['consumer', 'consumer', 2, [chat(), chat({ route: 'slow' }), toolCall('find'), chat({ consumer: 'bob' })]],
    ['route', 'route', 2, [chat(), chat({ consumer: 'bob' }), chat({ route: 'slow' })]],
    ['model; tools have none', 'model', 4, [chat(), chat({ consumer: 'bob' }), chat({ model: 'x' }), toolCall('a'), toolCall('a')]],
    [
      'tool, at whatever door; chats and unknown tools are none',
      'tool',
      5,
      [
        toolCall('list_issues', { source: 'github' }),
        toolCall('github_issues_list', { source: 'github', route: 'all' }),
        toolCall('list_issues', { source: 'gitlab' }),
        toolCall('nothing'),
        toolCall('nothing'),
        chat(),
      ],
    ],
    ['agent', 'agent', 3, [message('a'), message('a'), message('b'), chat()]],
    [
      'agent: a search for agents is for none',
      'agent',
      3,
      [message('a'), ...Array.from({ length: 2 }, () => message('', { operation: 'agents/search' }))],
    ],
    [
      'group: one counter each, and all must have room',
      'group',
      3,
      [chat({ groups: ['a', 'b'] }), chat({ groups: ['b', 'c'] }), chat({ groups: ['c', 'c'] }), chat()],
    ],
    [
      'header; who leaves it out is counted together',
      'header:X-Team',
      2,
      [chat({ headers: { 'x-team': 'red' } }), chat({ headers: { 'x-team': 'red' } }), chat(), toolCall('a')],
    ],
    [
      'a header that came twice',
      'header:x-team',
      2,
      [chat({ headers: { 'x-team': ['a', 'b'] } }), chat({ headers: { 'x-team': ['a', 'c'] } }), chat({ headers: { 'x-team': 'a, b' } })],
    ],
    ['ip: IPv4, mapped too', 'ip', 2, [chat(), chat({ ip: '::ffff:192.0.2.1' }), chat({ ip: '192.0.2.2' })]],
    [
      'ip: of IPv6 the /64',
      'ip',
      2,
      [chat({ ip: '2001:db8:1:2::1' }), chat({ ip: '2001:db8:1:2:ffff::9' }), chat({ ip: '2001:db8:1:3::1' })],
    ],
    ['a pair', ['consumer', 'model'], 3, [chat(), chat({ model: 'x' }), chat({ consumer: 'bob' }), chat(), chat({ consumer: 'bob' })]],
    [
      'a pair with a group',
      ['model', 'group'],
      3,
      [chat({ groups: ['a'] }), chat({ groups: ['a', 'b'] }), chat({ groups: ['b'] }), chat({ groups: ['a'], model: 'x' })],
    ],
    ['nothing: one for all', [], 1, [chat(), toolCall('a', { consumer: 'bob' }), message('a')]],
  ])('%s', async (_name, by, passes, calls) => {
    expect(await counters(by, calls)).toBe(passes);
  });

  it('the order of a pair is the same to the counter', async () => {
    const host = fakeHost();
    await (
      await limit({ by: ['model', 'consumer'], requests: '5/min' }, host)
    ).hooks.onCall!(chat());
    await (
      await limit({ by: ['consumer', 'model'], requests: '5/min' }, host)
    ).hooks.onCall!(chat());
    expect([...host.keys]).toEqual(['requests/minute/consumer=alice\nmodel=gpt-5']);
  });

  it('values of callers make keys of bounded length that cannot be mistaken for each other', async () => {
    const { hooks, host } = await limit({ by: ['header:a', 'model'], requests: '1/min' });
    const odd = [
      '',
      'x'.repeat(65),
      `${'x'.repeat(10_000)}1`,
      `${'x'.repeat(10_000)}2`,
      'a\nmodel=b',
      'ä',
      `#${hash('sha256', 'ä', 'base64url')}`,
      'a\u0000',
    ];
    const calls = odd.flatMap((a) => odd.map((model) => chat({ model, headers: { a } })));
    expect(await passing(hooks, calls)).toBe(odd.length ** 2);
    expect(host.keys.size).toBe(odd.length ** 2);
    expect(Math.max(...[...host.keys].map((key) => key.length))).toBeLessThan(200);
  });

  it('more subjects than are remembered are counted all the same', async () => {
    const { hooks } = await limit({ by: 'model', requests: '1/min' });
    const round = (): AnyCall[] => Array.from({ length: 10_500 }, (_, n) => chat({ model: `m${n}` }));
    expect(await passing(hooks, round())).toBe(10_500);
    expect(await passing(hooks, round())).toBe(0);
  });
});

describe("consumers' own limits", () => {
  const options: Options = {
    by: 'consumer',
    requests: '3/min',
    consumers: { alice: { requests: '2/min', concurrent: 1 }, bob: { requests: { amount: 5, per: 'minute' } } },
  };

  it('stand beside the others', async () => {
    const { hooks } = await limit(options);
    const ended = async (call: AnyCall): Promise<GatewayError | undefined> => {
      const error = await refusalOf(hooks, call);
      await hooks.onEnd!(call, outcome());
      return error;
    };
    for (const consumer of ['alice', 'alice', 'bob', 'bob', 'bob', 'carol']) expect(await ended(chat({ consumer }))).toBeUndefined();
    expect((await ended(chat()))?.message).toMatch(/^The limit of 2 requests a minute for consumer alice is reached \(2 used\)/);
    expect((await ended(chat({ consumer: 'bob' })))?.message).toMatch(/^The limit of 3 requests/);
    expect(await hooks.explain!(ALICE)).toEqual([
      { rule: 'rate-limit: 3 requests a minute for consumer alice', value: '2 used, 1 left' },
      { rule: 'rate-limit: 2 requests a minute for consumer alice', value: '2 used, 0 left' },
      { rule: 'rate-limit: 1 call at a time for consumer alice', value: '0 under way, 1 left' },
    ]);
  });
});

describe('explain', () => {
  it('tells what concerns such a call, and counts nothing', async () => {
    const { hooks } = await limit({ by: ['consumer', 'tool'], requests: '600/min', tokens: '200k/min', streams: 3 });
    await hooks.onCall!(toolCall('list_issues', { source: 'github' }));
    const tool = { ...ALICE, lane: 'tools', tool: 'github.issues_list' } as const;
    const told = [{ rule: 'rate-limit: 600 requests a minute for consumer alice and this tool', value: '1 used, 599 left' }];
    expect(await hooks.explain!(tool)).toEqual(told);
    expect(await hooks.explain!(tool)).toEqual(told);
    expect(await hooks.explain!(ALICE)).toEqual([]);
  });

  it('says of what only a request has that it depends', async () => {
    const { hooks } = await limit({ by: ['consumer', 'header:x-team'], requests: '600/min' });
    expect(await hooks.explain!(ALICE)).toEqual([
      { rule: 'rate-limit: 600 requests a minute by consumer and header x-team', value: 'depends on the request' },
    ]);
  });
});

describe('options', () => {
  it.each<[unknown, string]>([
    [{ requests: '600/mn' }, 'Write an amount and a time: 600/min, 200k/min, 50/month.'],
    [
      { requests: 600 },
      'This must be text or an object or a list, and is a number. Write an amount and a time: 600/min, 200k/min, 50/month.',
    ],
    [{ requests: ['10/s', '5'] }, 'Write an amount and a time: 600/min, 200k/min, 50/month.'],
    [
      { by: 'user', requests: '1/min' },
      'This must match pattern "^(consumer|group|route|model|tool|agent|skill|ip|header:[A-Za-z0-9_-]+)$".',
    ],
    [{ concurrent: 0 }, 'This must be >= 1.'],
    [{ consumers: { alice: { request: '1/min' } } }, 'There is no key "request". Did you mean "requests"?'],
  ])('%j are refused with their place', (options, text) => {
    expect(checkOptions(rateLimit, options).map(({ message }) => message)).toEqual([text]);
  });

  it.each<[Options, RegExp]>([
    [{ by: 'consumer' }, /Say what is limited/],
    [{ requests: '0.5/s' }, /requests: 0.5 is not a whole number/],
    [{ tokens: ['5/min', '6/min'] }, /tokens has two limits for the same time/],
  ])('%j are no limit', (options, text) => {
    expect(checkOptions(rateLimit, options)).toEqual([]);
    expect(() => rateLimit.create(options, fakeHost())).toThrow(text);
  });

  it('all that the page shows are taken', () => {
    const uses: Options[] = [
      { by: 'consumer', requests: '600/min', tokens: '200k/min', concurrent: 20, streams: 5 },
      { by: ['consumer', 'model'], requests: ['10/s', '300/min'] },
      { by: 'header:x-team', requests: '100/min' },
      { consumers: { alice: { requests: '600/min', tokens: { amount: 200_000, per: 'minute' } } } },
    ];
    expect(uses.flatMap((options) => checkOptions(rateLimit, options))).toEqual([]);
  });
});

describe('whatever happens', () => {
  const begins = fc.record({
    groups: fc.constantFrom(['a'], ['b'], ['a', 'b'], ['b', 'a']),
    stream: fc.boolean(),
    estimate: fc.nat(1_500),
    real: fc.option(fc.nat(800), { nil: undefined }),
    end: fc.constantFrom<'ok' | 'error' | 'abort' | 'never sent'>('ok', 'error', 'abort', 'never sent'),
  });
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ begins }) },
    { weight: 4, arbitrary: fc.record({ finishes: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ leaves: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ seconds: fc.nat(4) }) },
  );

  it('no reservation passes a limit, nobody waits in vain, and the counters end at the sum of what was used', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), async (steps) => {
        const { hooks, host } = await limit({ by: 'group', requests: '40/h', tokens: '4k/h', concurrent: 6, streams: 3 });
        type One = {
          call: AnyCall;
          groups: readonly string[];
          stream: boolean;
          estimate: number;
          used: number;
          leave: () => void;
          finish: () => void;
        };
        const waiting = new Set<One>();
        const running = new Set<One>();
        const ended: One[] = [];
        const of = (group: string, ones: Iterable<One>): One[] => [...ones].filter(({ groups }) => groups.includes(group));
        const pick = (ones: Set<One>, index: number): One | undefined => [...ones][index % Math.max(1, ones.size)];

        const begin = ({ groups, stream, estimate, real, end }: typeof begins extends fc.Arbitrary<infer T> ? T : never): void => {
          const leaving = new AbortController();
          const call = chat({ groups, stream, estimate: { totalTokens: estimate }, signal: leaving.signal });
          const sent = end !== 'never sent';
          const error = end === 'ok' ? {} : { error: new GatewayError(end === 'abort' ? 'client_closed' : 'upstream_failed') };
          const usage = real === undefined ? {} : { usage: { totalTokens: real } };
          const one: One = {
            call,
            groups,
            stream,
            estimate,
            used: sent ? (real ?? (end === 'error' ? 0 : estimate)) : 0,
            leave: () => leaving.abort(),
            finish() {
              running.delete(one);
              ended.push(one);
              void hooks.onEnd!(call, outcome({ ok: end === 'ok', attempts: sent ? 1 : 0, ...error, ...usage }));
            },
          };
          waiting.add(one);
          void refusalOf(hooks, call).then((refused) => {
            waiting.delete(one);
            if (refused === undefined) running.add(one);
          });
        };

        for (const one of steps) {
          if ('begins' in one) begin(one.begins);
          else if ('finishes' in one) pick(running, one.finishes)?.finish();
          else if ('leaves' in one) pick(waiting, one.leaves)?.leave();
          else {
            host.clock += one.seconds * 1_000;
            await vi.advanceTimersByTimeAsync(one.seconds * 1_000);
          }
          await settled();
          for (const group of ['a', 'b']) {
            expect(of(group, running).length).toBeLessThanOrEqual(6);
            expect(of(group, running).filter(({ stream }) => stream).length).toBeLessThanOrEqual(3);
          }
          for (const { groups } of waiting) expect(groups.flatMap((group) => of(group, running))).not.toEqual([]);
        }
        while (running.size > 0) {
          for (const one of running) one.finish();
          await settled();
        }
        expect(waiting.size).toBe(0);
        const question = { ...ALICE, consumer: { ...ALICE.consumer, groups: ['a', 'b'] } };
        const values = (await hooks.explain!(question)).map(({ value }) => Number.parseInt(value.replaceAll(',', ''), 10));
        const sums = ['a', 'b'].map((group) => {
          const own = of(group, ended);
          const tokens = own.reduce((sum, { used }) => sum + used, 0);
          const beyond = own.reduce((sum, { used, estimate }) => sum + Math.max(0, used - estimate), 0);
          // Calls that use more than was expected, and the last one, of which less than that was left.
          expect(tokens - beyond).toBeLessThan(4_000 + 1_500);
          expect(own.length).toBeLessThanOrEqual(40);
          return [own.length, 0, 0, tokens];
        });
        expect(values).toEqual(sums.flat());
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
