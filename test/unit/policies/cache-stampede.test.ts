import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Chunk, Handled } from '../../../src/core/call.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { LiveCall } from '../../../src/pipeline/live-call.ts';
import type { BoundPolicy } from '../../../src/pipeline/chain.ts';
import {
  ALICE,
  ask,
  BOB,
  type CachedHub,
  CHAT,
  chatCall,
  chatChunks,
  chatReply,
  chunksOf,
  createHub,
  didOf,
  pass,
  streamOf,
  textResult,
  toolCall,
} from './cached-hub.ts';

let hub: CachedHub;
beforeEach(() => {
  hub = createHub();
});
afterEach(() => {
  expect(hub.logged()).toEqual([]);
});

type ModelsCall = LiveCall<'models'>;

interface Begun {
  readonly call: ModelsCall;
  readonly done: Promise<string>;
  /** Whether it was carried out, and what then becomes of it. */
  readonly isSent: () => boolean;
  answer(reply: string, finish?: string): void;
  fail(): void;
}

/** Calls that are answered when the test says so; as a vendor does, they fail when they are aborted. */
function begin(policies: BoundPolicy | readonly BoundPolicy[], call = chatCall()): Begun {
  const { promise, resolve, reject } = Promise.withResolvers<Handled<'models'>>();
  promise.catch(() => undefined);
  let sent = false;
  const handled = pass(call, policies, () => {
    sent = true;
    if (call.signal.aborted) throw new GatewayError('client_closed');
    call.signal.addEventListener('abort', () => reject(new GatewayError('client_closed')));
    return promise;
  });
  const done = handled.then(
    (what) => ('reply' in what ? JSON.stringify(what.reply.body).replace(/.*"content":"(.*?)".*/, '$1') : 'a stream'),
    (error: GatewayError) => error.code,
  );
  return {
    call,
    done,
    isSent: () => sent,
    answer: (content, finish) => resolve({ reply: chatReply(content, finish) }),
    fail: () => reject(new GatewayError('upstream_overloaded')),
  };
}

const many = (policy: BoundPolicy, count: number): Begun[] => Array.from({ length: count }, () => begin(policy));
const sent = (calls: readonly Begun[]): number[] => calls.flatMap(({ isSent }, index) => (isSent() ? [index] : []));
/** All that can go on without anything new. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const dones = (calls: readonly Begun[]): Promise<string[]> => Promise.all(calls.map(({ done }) => done));
const dids = (calls: readonly Begun[]): string[] => calls.map(({ call }) => didOf(call).join(' '));

describe.each(['at once', 'later'] as const)('equal calls at the same time, with a state that answers %s', (when) => {
  beforeEach(() => {
    if (when === 'later') hub.state.gate = Promise.resolve();
  });

  it('wait for what the first one gets', async () => {
    const calls = many(await hub.bound(), 20);
    await settle();
    expect(sent(calls)).toEqual([0]);
    calls[0]!.answer('one');
    expect(await dones(calls)).toEqual(Array.from({ length: 20 }, () => 'one'));
    expect(dids(calls)).toEqual(['miss', ...Array.from({ length: 19 }, () => 'joined')]);
    expect(calls.slice(1).every(({ call }) => call.attempts === 0 && call.usage === undefined)).toBe(true);
  });

  it('are carried out one after the other while they fail, and not all at once', async () => {
    const calls = many(await hub.bound(), 5);
    await settle();
    calls[0]!.fail();
    await settle();
    expect(sent(calls)).toEqual([0, 1]);
    calls[1]!.fail();
    await settle();
    expect(sent(calls)).toEqual([0, 1, 2]);
    calls[2]!.answer('third');
    expect(await dones(calls)).toEqual(['upstream_overloaded', 'upstream_overloaded', 'third', 'third', 'third']);
    expect(dids(calls)).toEqual(['miss', 'miss', 'miss', 'joined', 'joined']);
  });

  it('go on when the caller of the first leaves', async () => {
    const calls = many(await hub.bound(), 3);
    await settle();
    calls[0]!.call.abort(new Error('left'));
    await settle();
    expect(sent(calls)).toEqual([0, 1]);
    calls[1]!.answer('two');
    expect(await dones(calls)).toEqual(['client_closed', 'two', 'two']);
  });

  it('do not mind one that waits and leaves', async () => {
    const calls = many(await hub.bound(), 4);
    await settle();
    calls[1]!.call.abort(new Error('left'));
    calls[2]!.call.abort(new GatewayError('upstream_timeout'));
    await settle();
    expect(await calls[1]!.done).toBe('client_closed');
    expect(await calls[2]!.done).toBe('upstream_timeout');
    calls[0]!.answer('one');
    expect(await dones(calls)).toEqual(['one', 'client_closed', 'upstream_timeout', 'one']);
    expect(sent(calls)).toEqual([0]);
  });

  it('do not wait for one that has left before it was its turn', async () => {
    const calls = many(await hub.bound(), 4);
    await settle();
    calls[1]!.call.abort(new Error('left'));
    calls[0]!.fail();
    // The next in line leaves at the moment at which it leads.
    await calls[0]!.done;
    calls[2]!.call.abort(new Error('left'));
    await settle();
    calls[3]!.answer('four');
    expect(await dones(calls)).toEqual(['upstream_overloaded', 'client_closed', 'client_closed', 'four']);
  });

  it('do not wait when they have left before', async () => {
    const policy = await hub.bound();
    const [first] = many(policy, 1);
    await settle();
    const call = chatCall();
    call.abort(new Error('left'));
    expect(await begin(policy, call).done).toBe('client_closed');
    first!.answer('one');
    expect(await first!.done).toBe('one');
  });

  it('are only those that share', async () => {
    const policy = await hub.bound();
    const calls = [ALICE, BOB, ALICE].map((consumer) => begin(policy, chatCall(CHAT, { consumer })));
    await settle();
    expect(sent(calls)).toEqual([0, 1]);
    calls[0]!.answer('one');
    calls[1]!.answer('two');
    expect(await dones(calls)).toEqual(['one', 'two', 'one']);
  });

  it('leave nothing behind', async () => {
    const policy = await hub.bound({ maxSize: '1B' });
    for (const end of ['answer', 'fail', 'answer'] as const) {
      const calls = many(policy, 2);
      await settle();
      expect(sent(calls)).toEqual([0]);
      calls[0]![end]('one');
      await settle();
      if (end === 'fail') calls[1]!.fail();
      await dones(calls);
    }
    expect(hub.state.entries.size).toBe(0);
  });
});

it('one that comes while another is on its way asks no state, which may be far away', async () => {
  const policy = await hub.bound();
  const [first] = many(policy, 1);
  hub.state.gate = new Promise(() => {});
  const second = begin(policy);
  first!.answer('one');
  expect(await second.done).toBe('one');
});

describe('what others get of the first', () => {
  it('is its answer, when it is too large to be kept', async () => {
    const calls = many(await hub.bound({ maxSize: '1B' }), 2);
    calls[0]!.answer('large');
    expect(await dones(calls)).toEqual(['large', 'large']);
    expect(hub.state.entries.size).toBe(0);
  });

  it('is nothing, when it is no complete answer: all others ask for themselves, at once', async () => {
    const calls = many(await hub.bound(), 3);
    calls[0]!.answer('filtered', 'content_filter');
    await settle();
    expect(sent(calls)).toEqual([0, 1, 2]);
    calls[2]!.answer('three');
    calls[1]!.answer('two');
    expect(await dones(calls)).toEqual(['filtered', 'two', 'three']);
  });

  it('is nothing, when the result of a tool is a failure', async () => {
    const policy = await hub.bound({ tools: true });
    const first = Promise.withResolvers<Handled<'tools'>>();
    const results = [first.promise, { reply: textResult('two') }].map((handled) => pass(toolCall(), policy, () => handled));
    await settle();
    first.resolve({ reply: textResult('failed', { isError: true }) });
    expect(await Promise.all(results)).toEqual([{ reply: textResult('failed', { isError: true }) }, { reply: textResult('two') }]);
  });

  it('passes the guardrails of each', async () => {
    const policy = await hub.bound();
    const refuses: BoundPolicy = {
      name: 'refuses',
      stage: 'guard',
      hooks: {
        onReply(call) {
          if (call === calls[0]?.call) throw new GatewayError('rule_refused');
        },
      },
    };
    const calls: Begun[] = [];
    for (let count = 0; count < 2; count += 1) calls.push(begin([refuses, policy]));
    await settle();
    calls[0]!.answer('one');
    expect(await dones(calls)).toEqual(['rule_refused', 'one']);
  });

  it('is a newer answer, when somebody has it made anew meanwhile', async () => {
    const policy = await hub.bound();
    const calls = many(policy, 2);
    const refresh = begin(policy, chatCall(CHAT, { headers: { 'x-hubgate-cache': 'refresh' } }));
    await settle();
    expect([...sent(calls), refresh.isSent()]).toEqual([0, true]);
    refresh.answer('new');
    expect(await calls[1]!.done).toBe('new');
    calls[0]!.answer('old');
    expect(await dones([...calls, refresh])).toEqual(['old', 'new', 'new']);
  });
});

describe('a stream that leads', () => {
  const asStream = (): ModelsCall => chatCall({ ...CHAT, stream: true });
  const slow = () => {
    const go = Promise.withResolvers<void>();
    const stream = async function* (): AsyncGenerator<Chunk<'models'>> {
      yield* chatChunks(['He']);
      await go.promise;
      yield* chatChunks(['llo'], chatReply('Hello'));
    };
    return { go: () => go.resolve(), handle: () => ({ stream: stream() }) };
  };

  it('has the others wait until it is complete', async () => {
    const policy = await hub.bound();
    const { go, handle } = slow();
    const reading = chunksOf(await pass(asStream(), policy, handle));
    const calls = [begin(policy), begin(policy, asStream())];
    await settle();
    expect(sent(calls)).toEqual([]);
    go();
    expect(await dones(calls)).toEqual(['Hello', 'Hello']);
    expect(await reading).toHaveLength(3);
  });

  it('hands over as soon as it is known that its answer is for nobody else', async () => {
    const policy = await hub.bound();
    const chunks = chatChunks(['no'], chatReply('no', 'content_filter'));
    const handled = await pass(asStream(), policy, () => ({ stream: streamOf(chunks) }));
    const [next] = many(policy, 1);
    if (!('stream' in handled)) throw new Error('expected a stream');
    const reader = handled.stream[Symbol.asyncIterator]();
    await reader.next();
    await reader.next();
    await settle();
    expect(next!.isSent()).toBe(true);
    next!.answer('own');
    expect(await next!.done).toBe('own');
  });

  it('hands over when its caller leaves in the middle', async () => {
    const policy = await hub.bound();
    const { handle } = slow();
    const handled = await pass(asStream(), policy, handle);
    const calls = many(policy, 2);
    await settle();
    if (!('stream' in handled)) throw new Error('expected a stream');
    for await (const _ of handled.stream) break;
    await settle();
    expect(sent(calls)).toEqual([0]);
    calls[0]!.answer('own');
    expect(await dones(calls)).toEqual(['own', 'own']);
  });
});

describe('a use with a time limit', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('waits no longer than that, and is carried out itself', async () => {
    const policy = await hub.bound({}, { timeoutMs: 1000 });
    const calls = many(policy, 2);
    await vi.advanceTimersByTimeAsync(999);
    expect(sent(calls)).toEqual([0]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent(calls)).toEqual([0, 1]);
    // Whoever is first has the answer for those who wait now.
    const third = begin(policy);
    await settle();
    expect(third.isSent()).toBe(false);
    calls[1]!.answer('two');
    expect([await calls[1]!.done, await third.done]).toEqual(['two', 'two']);
    calls[0]!.fail();
    await calls[0]!.done;
    expect(hub.logged()).toHaveLength(1);
  });

  it('passes over who has waited too long and ended', async () => {
    const policy = await hub.bound({}, { timeoutMs: 1000 });
    const calls = many(policy, 2);
    await vi.advanceTimersByTimeAsync(1000);
    calls[1]!.fail();
    await calls[1]!.done;
    const third = begin(policy);
    calls[0]!.fail();
    await settle();
    expect(third.isSent()).toBe(true);
    third.answer('three');
    expect(await third.done).toBe('three');
    expect(hub.logged()).toHaveLength(1);
  });

  it('lets nobody lead who has ended meanwhile', async () => {
    const policy = await hub.bound({}, { timeoutMs: 1000 });
    const gate = Promise.withResolvers<void>();
    hub.state.gate = gate.promise;
    const late = begin(policy);
    await vi.advanceTimersByTimeAsync(1000);
    late.fail();
    expect(await late.done).toBe('upstream_overloaded');
    gate.resolve();
    await settle();
    expect(await ask(policy, chatCall(), 'next')).toBe('miss: next');
    expect(hub.logged()).toHaveLength(1);
  });
});
