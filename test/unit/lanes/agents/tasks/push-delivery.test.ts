import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { Cancellation, UpstreamRequest, UpstreamResponse } from '../../../../../src/core/upstream.ts';
import { PushDelivery } from '../../../../../src/lanes/agents/tasks/push-delivery.ts';
import type { PushLimits } from '../../../../../src/lanes/agents/tasks/push-delivery.ts';

type Answer = number | Error | Promise<number> | UpstreamResponse;

let sent: string[];
let warnings: { fields: Record<string, unknown>; message: string }[];
let signals: (Cancellation | undefined)[];
let answer: (request: UpstreamRequest) => Answer;
let delivery: PushDelivery;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  warnings = [];
  signals = [];
  answer = () => 200;
  delivery = open();
});
afterEach(() => {
  delivery.close();
  vi.useRealTimers();
});

function open(limits: Partial<PushLimits> = {}): PushDelivery {
  const log = { debug() {}, info() {}, error() {}, warn: (fields: object, message: string) => void warnings.push({ fields: { ...fields }, message }), child: () => log }; // prettier-ignore
  return new PushDelivery({
    http: {
      async send(request, options) {
        sent.push(String(request.body));
        signals.push(options?.signal);
        const given = await answer(request);
        if (given instanceof Error) throw given;
        return typeof given === 'number' ? { status: given, headers: {}, body: Buffer.alloc(0) } : given;
      },
    },
    log,
    now: Date.now,
    redact: (text) => text.replaceAll('canary', '[redacted]'),
    limits,
  });
}

function add(queue: string, body: string, { owner = 'alice', size = 10 }: { owner?: string; size?: number } = {}): void {
  const request: UpstreamRequest = { method: 'POST', origin: 'https://hook.example', path: '/', headers: {}, body, trust: 'public' };
  delivery.add(queue, { agent: 'travel', owner, size, make: async () => request });
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe('delivery', () => {
  it('keeps the order of a queue, and holds up no other', async () => {
    const first = Promise.withResolvers<number>();
    answer = ({ body }) => (body === 'a1' ? first.promise : 204);
    add('a', 'a1');
    add('a', 'a2');
    add('a', 'a3');
    add('b', 'b1');
    await settle();
    expect(sent).toEqual(['a1', 'b1']);
    first.resolve(200);
    await settle();
    expect(sent).toEqual(['a1', 'b1', 'a2', 'a3']);
    expect(warnings).toEqual([]);
  });

  it.each([[500], [503], [429], [408], [new GatewayError('upstream_unreachable')], [new GatewayError('upstream_timeout')]])(
    'tries again after %s, six times over some minutes, and then goes on with the next',
    async (failure) => {
      answer = ({ body }) => (body === 'one' ? failure : 200);
      add('a', 'one');
      add('a', 'two');
      await settle();
      expect(sent).toEqual(['one']);
      await vi.advanceTimersByTimeAsync(1_500);
      expect(sent).toEqual(['one', 'one']);
      await vi.advanceTimersByTimeAsync(300_000);
      expect(sent).toEqual([...Array<string>(6).fill('one'), 'two']);
      expect(warnings).toMatchObject([{ fields: { agent: 'travel', tries: 6 }, message: expect.stringContaining('given up') as string }]);
    },
  );

  it.each([[302], [400], [401], [404], [410], [new GatewayError('egress_refused', 'canary is not public')], [new Error('canary')]])(
    'gives up at once after %s',
    async (failure) => {
      answer = () => failure;
      add('a', 'one');
      await vi.advanceTimersByTimeAsync(600_000);
      expect(sent).toEqual(['one']);
      expect(warnings).toHaveLength(1);
      expect(JSON.stringify(warnings)).not.toContain('canary');
    },
  );

  it('waits as long as the receiver asks, within reason', async () => {
    let after = '60';
    answer = () => ({ status: 503, headers: { 'retry-after': after }, body: Buffer.alloc(0) });
    add('a', 'one');
    await vi.advanceTimersByTimeAsync(59_000);
    expect(sent).toHaveLength(1);
    after = '86400';
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(sent).toHaveLength(3);
  });

  it('makes a message once', async () => {
    const make = vi.fn(async (): Promise<UpstreamRequest> => ({
      method: 'POST',
      origin: 'x',
      path: '/',
      headers: {},
      body: 'b',
      trust: 'public',
    }));
    answer = () => (sent.length < 3 ? 500 : 200);
    delivery.add('a', { agent: 'travel', owner: 'alice', size: 1, make });
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sent).toHaveLength(3);
    expect(make).toHaveBeenCalledTimes(1);
  });
});

describe('what is too much', () => {
  it('is dropped from the middle of its queue: the last word stays', async () => {
    delivery = open({ perQueue: 3 });
    const first = Promise.withResolvers<number>();
    answer = () => first.promise;
    for (const body of ['1', '2', '3', '4', '5']) add('a', body);
    first.resolve(200);
    await settle();
    expect(sent).toEqual(['1', '4', '5']);
    expect(warnings.map(({ fields }) => fields['dropped'])).toEqual([1, 2]);
  });

  it.each([[{ inAll: 2 }], [{ characters: 25 }]])('is dropped when all queues together have %j', async (limits) => {
    delivery = open(limits);
    const first = Promise.withResolvers<number>();
    answer = () => first.promise;
    add('a', 'a1');
    add('b', 'b1');
    add('c', 'c1');
    await settle();
    expect(sent).toEqual(['a1', 'b1']);
    first.resolve(200);
    await settle();
    add('c', 'c2');
    await settle();
    expect(sent).toEqual(['a1', 'b1', 'c2']);
    expect(warnings).toHaveLength(1);
  });
});

describe('the share of one owner', () => {
  it.each([[{ perOwner: 2 }], [{ ownerCharacters: 25 }]])('is %j over all its queues, and leaves the rest to others', async (limits) => {
    delivery = open(limits);
    const first = Promise.withResolvers<number>();
    answer = () => first.promise;
    for (const queue of ['a', 'b', 'c']) add(queue, `alice ${queue}`);
    add('d', 'bob d', { owner: 'bob' });
    await settle();
    expect(sent).toEqual(['alice a', 'alice b', 'bob d']);
    first.resolve(200);
    await settle();
    add('c', 'alice c');
    await settle();
    expect(sent.at(-1)).toBe('alice c');
    expect(warnings).toHaveLength(1);
  });

  it('is 200 of 1,000 messages', async () => {
    const never = Promise.withResolvers<number>();
    answer = () => never.promise;
    for (let n = 0; n < 201; n += 1) add(`a${n}`, 'x');
    expect(warnings).toHaveLength(1);
    for (const owner of ['b', 'c', 'd', 'e']) for (let n = 0; n < 200; n += 1) add(`${owner}${n}`, 'x', { owner });
    expect(warnings).toHaveLength(1);
    add('f', 'x', { owner: 'f' });
    expect(warnings).toHaveLength(2);
  });

  it('makes way for the last word in its own queue', async () => {
    delivery = open({ perOwner: 3 });
    const first = Promise.withResolvers<number>();
    answer = () => first.promise;
    add('b', 'b1');
    for (const body of ['1', '2', '3']) add('a', body);
    first.resolve(200);
    await settle();
    expect(sent).toEqual(['b1', '1', '3']);
  });
});

describe('a queue that is ended', () => {
  it('sends nothing more, and stops what is on its way', async () => {
    answer = () => 500;
    add('a', 'one');
    add('a', 'two');
    await settle();
    delivery.end('a');
    expect(signals[0]?.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sent).toEqual(['one']);
    expect(warnings).toEqual([]);
    answer = () => 200;
    add('a', 'three');
    await settle();
    expect(sent).toEqual(['one', 'three']);
  });

  it('leaves room for others', async () => {
    delivery = open({ inAll: 1 });
    answer = () => 500;
    add('a', 'one');
    await settle();
    delivery.end('a');
    add('b', 'two');
    await settle();
    expect(sent).toEqual(['one', 'two']);
  });
});
