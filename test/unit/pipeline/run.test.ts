import { describe, expect, it, vi } from 'vitest';
import type { Chunk, Handled, Outcome } from '../../../src/core/call.ts';
import type { PolicyHooks, Stage } from '../../../src/core/contracts/policy.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { ToolsChunk, ToolsReply } from '../../../src/core/tools.ts';
import { toolReplies } from '../../../src/lanes/tools/segments.ts';
import { composeChain, type BoundPolicy } from '../../../src/pipeline/chain.ts';
import type { Ledger, LiveCall } from '../../../src/pipeline/live-call.ts';
import { run } from '../../../src/pipeline/run.ts';
import { toolCall } from './live-calls.ts';

const logged: string[] = [];
const log = {
  debug: () => {},
  info: () => {},
  warn: (_: object, message: string) => logged.push(message),
  error: (_: object, message: string) => logged.push(message),
  child: () => log,
};

const makeCall = (): LiveCall<'tools'> => toolCall({ log });

const policy = (name: string, stage: Stage, hooks: PolicyHooks, more: Partial<BoundPolicy> = {}): BoundPolicy => ({
  name,
  stage,
  hooks,
  ...more,
});
const text = (value: string): ToolsReply => ({ content: [{ type: 'text', text: value }] });
const textOf = (reply: ToolsReply): unknown => (reply.content?.[0] as { text: string } | undefined)?.text;

async function replyOf(policies: BoundPolicy[], handle: () => Handled<'tools'> = () => ({ reply: text('done') })): Promise<ToolsReply> {
  const handled = await run(makeCall(), composeChain(policies, 'tools'), toolReplies, handle);
  if (!('reply' in handled)) throw new Error('expected a reply');
  return handled.reply;
}

async function chunksOf(policies: BoundPolicy[], chunks: ToolsChunk[]): Promise<ToolsChunk[]> {
  const source = (async function* (): AsyncGenerator<Chunk<'tools'>> {
    yield* chunks;
  })();
  const handled = await run(makeCall(), composeChain(policies, 'tools'), toolReplies, () => ({ stream: source }));
  if (!('stream' in handled)) throw new Error('expected a stream');
  const seen: ToolsChunk[] = [];
  for await (const chunk of handled.stream) seen.push(chunk);
  return seen;
}

const progress = (n: number): ToolsChunk => ({
  type: 'notification',
  method: 'notifications/progress',
  params: { progress: n, message: `step ${n}` },
});
const result = (value: string): ToolsChunk => ({ type: 'result', result: text(value) });

it('an observer that stands still misses chunks but not the result, and the caller misses nothing', async () => {
  logged.length = 0;
  const seen: ToolsChunk[] = [];
  const go = Promise.withResolvers<void>();
  const slow = policy('slow', 'observe', {
    async *onStream(_call, chunks) {
      for await (const chunk of chunks) {
        seen.push(chunk as ToolsChunk);
        await go.promise;
        yield chunk;
      }
    },
  });
  const all = [...Array.from({ length: 10_500 }, (_, n) => progress(n)), result('done')];
  const reading = chunksOf([slow], all);
  await vi.waitFor(() => expect(logged).toHaveLength(1));
  go.resolve();
  expect(await reading).toEqual(all);
  await vi.waitFor(() => expect(seen.at(-1)).toEqual(result('done')));
  expect([seen.length, logged]).toEqual([10_002, ['an observer is too slow for the stream and misses chunks']]);
});

describe('order', () => {
  it('passes calls by stage, inside a stage by configuration, and replies the other way round', async () => {
    const seen: string[] = [];
    const note = (name: string, stage: Stage): BoundPolicy =>
      policy(name, stage, {
        onCall: () => void seen.push(`> ${name}`),
        onReply: () => void seen.push(`< ${name}`),
        onEnd: () => void seen.push(`. ${name}`),
      });
    await replyOf([
      note('cache', 'cache'),
      note('guard2', 'guard'),
      note('guard1', 'guard'),
      note('observe', 'observe'),
      note('limit', 'limit'),
      note('transform', 'transform'),
    ]);
    const order = ['observe', 'limit', 'guard2', 'guard1', 'transform', 'cache'];
    expect(seen).toEqual([
      ...order.map((name) => `> ${name}`),
      ...order.toReversed().map((name) => `< ${name}`),
      ...order.map((name) => `. ${name}`),
    ]);
  });

  it('unwinds a reply of the cache through what it has passed, and calls no handler', async () => {
    const seen: string[] = [];
    const reply = await replyOf(
      [
        policy('mask', 'guard', { onReply: (call, given) => call.mapText(given as ToolsReply, () => 'masked') }),
        policy('hit', 'cache', { onCall: () => text('stored'), onReply: () => void seen.push('own reply') }),
        policy('later', 'cache', { onCall: () => void seen.push('later'), onReply: () => void seen.push('later reply') }),
      ],
      () => {
        seen.push('handled');
        return { reply: text('fresh') };
      },
    );
    expect(textOf(reply)).toBe('masked');
    expect(seen).toEqual([]);
  });
});

describe('onCall', () => {
  it('rewrites the input for those after it', async () => {
    let found = '';
    await replyOf([
      policy('upper', 'guard', { onCall: (call) => call.rewriteText(({ text: given }) => given.toUpperCase()) }),
      policy('look', 'transform', { onCall: (call) => void (found = [...call.segments()].map((segment) => segment.text).join()) }),
    ]);
    expect(found).toBe('HELLO');
  });

  it('refuses by throwing a GatewayError, and onEnd hears of it', async () => {
    const outcomes: Outcome[] = [];
    const policies = [
      policy('refuse', 'limit', { onCall: () => Promise.reject(new GatewayError('limit_exceeded', 'too many')) }),
      policy('watch', 'observe', { onEnd: (_, outcome) => void outcomes.push(outcome) }),
    ];
    await expect(replyOf(policies)).rejects.toThrow('too many');
    expect(outcomes).toMatchObject([{ ok: false, error: { code: 'limit_exceeded' } }]);
  });
});

describe('failure', () => {
  const broken = { onCall: () => Promise.reject(new Error('boom')) };

  it.each(['limit', 'guard'] as const)('of a policy in %s refuses the call', async (stage) => {
    await expect(replyOf([policy('broken', stage, broken)])).rejects.toThrow(/policy broken failed/);
  });

  it.each(['observe', 'transform', 'cache'] as const)('of a policy in %s is skipped', async (stage) => {
    expect(textOf(await replyOf([policy('broken', stage, broken)]))).toBe('done');
  });

  it('follows onFailure where it is set', async () => {
    expect(textOf(await replyOf([policy('broken', 'guard', broken, { onFailure: 'skip' })]))).toBe('done');
    await expect(replyOf([policy('broken', 'cache', broken, { onFailure: 'refuse' })])).rejects.toThrow(/broken/);
  });

  it('counts being late as failing', async () => {
    const slow = { onCall: () => new Promise<void>((resolve) => setTimeout(resolve, 500).unref()) };
    await expect(replyOf([policy('slow', 'guard', slow, { timeoutMs: 10 })])).rejects.toThrow(/slow failed/);
    expect(textOf(await replyOf([policy('slow', 'transform', slow, { timeoutMs: 10 })]))).toBe('done');
  });

  it('in observe nothing can change an outcome', async () => {
    let input: unknown;
    const reply = await replyOf([
      policy('meddle', 'observe', {
        onCall: (call) => {
          call.rewriteText(() => 'changed');
          return text('answered');
        },
        onReply: () => text('replaced'),
      }),
      policy('refuse', 'observe', { onCall: () => Promise.reject(new GatewayError('forbidden')) }),
      policy('look', 'guard', { onCall: (call) => void ({ input } = call) }),
    ]);
    expect(textOf(reply)).toBe('done');
    expect(input).toMatchObject({ arguments: { text: 'hello' } });
  });

  it('of onEnd is logged and hurts nobody', async () => {
    logged.length = 0;
    const fail = policy('fail', 'observe', {
      onEnd: () => {
        throw new Error('boom');
      },
    });
    expect(textOf(await replyOf([fail]))).toBe('done');
    expect(logged).toEqual(['onEnd failed']);
  });
});

describe('streams', () => {
  it('pass onStream, last stage first', async () => {
    const tag = (name: string): PolicyHooks<'tools'> => ({
      async *onStream(call, chunks) {
        for await (const chunk of chunks) yield call.mapText(chunk, ({ text: given }) => `${given}${name}`);
      },
    });
    const seen = await chunksOf(
      [policy('g', 'guard', tag('g') as PolicyHooks), policy('t', 'transform', tag('t') as PolicyHooks)],
      [progress(1), result('end')],
    );
    expect(seen).toMatchObject([{ params: { message: 'step 1tg' } }, { result: { content: [{ text: 'endtg' }] } }]);
  });

  it('are held for a policy that reads whole replies only, and replayed with what it made of them', async () => {
    const seen: string[] = [];
    const outcome: Outcome[] = [];
    const chunks = await chunksOf(
      [
        policy('watch', 'observe', {
          async *onStream(_, source) {
            for await (const chunk of source) {
              seen.push((chunk as ToolsChunk).type);
              yield chunk;
            }
          },
          onEnd: (_, end) => void outcome.push(end),
        }),
        policy('mask', 'guard', {
          onReply(call, reply) {
            seen.push('masked');
            return call.mapText(reply as ToolsReply, () => '***');
          },
        }),
      ],
      [progress(1), progress(2), result('secret')],
    );
    expect(seen).toEqual(['masked', 'notification', 'notification', 'result']);
    expect(chunks.at(-1)).toMatchObject({ result: { content: [{ text: '***' }] } });
    expect(outcome).toMatchObject([{ ok: true, streamed: true }]);
  });

  it('do not hold a question to the client, whose answer they wait for', async () => {
    const order: string[] = [];
    const question: ToolsChunk = { type: 'request', id: 'q', method: 'elicitation/create', params: {} };
    const source = (async function* (): AsyncGenerator<ToolsChunk> {
      yield progress(1);
      yield question;
      order.push('answered');
      yield result('end');
    })();
    const hold = policy('hold', 'guard', { onReply: () => void order.push('whole reply') });
    const handled = await run(makeCall(), composeChain([hold], 'tools'), toolReplies, () => ({ stream: source }));
    if (!('stream' in handled)) throw new Error('expected a stream');
    for await (const chunk of handled.stream) order.push(chunk.type);
    expect(order).toEqual(['request', 'answered', 'whole reply', 'notification', 'result']);
  });

  it('end as client_closed when the reader leaves', async () => {
    const outcomes: Outcome[] = [];
    const watch = policy('watch', 'observe', { onEnd: (_, outcome) => void outcomes.push(outcome) });
    const source = (async function* (): AsyncGenerator<ToolsChunk> {
      for (let n = 0; ; n++) yield progress(n);
    })();
    const handled = await run(makeCall(), composeChain([watch], 'tools'), toolReplies, () => ({ stream: source }));
    if (!('stream' in handled)) throw new Error('expected a stream');
    for await (const _ of handled.stream) break;
    expect(outcomes).toMatchObject([{ ok: false, error: { code: 'client_closed' }, streamed: true }]);
  });
});

describe('a chain', () => {
  it('leaves out policies of other lanes and names those that hold streams', () => {
    const chain = composeChain(
      [
        policy('models only', 'guard', { onCall: () => undefined }, { lanes: ['models'] }),
        policy('holds', 'guard', { onReply: () => undefined }),
      ],
      'tools',
    );
    expect(chain.onCall).toEqual([]);
    expect(chain.holding).toEqual(['holds']);
  });

  it('skips a use whose match does not concern the call', async () => {
    const refuse = policy(
      'refuse',
      'guard',
      { onCall: () => Promise.reject(new GatewayError('forbidden')) },
      { applies: (call) => call.route === 'other' },
    );
    expect(textOf(await replyOf([refuse]))).toBe('done');
  });
});

describe('the end of a call', () => {
  const target = { name: 'a/m', upstream: 'a', model: 'm' };

  it('is told to the target first, then to the books, then to the policies, with what it cost', async () => {
    const order: unknown[] = [];
    const priced: unknown[] = [];
    const ledger: Ledger = {
      priced(usage, by) {
        priced.push([by.target, by.modelServed]);
        return { ...usage, cost: 2 };
      },
      record: (_, outcome) => void order.push(['record', outcome.usage]),
    };
    const call = toolCall({ log, ledger });
    const chain = composeChain([policy('watch', 'observe', { onEnd: (_, { usage }) => void order.push(['onEnd', usage]) })], 'tools');
    await run(call, chain, toolReplies, () => {
      Object.assign(call, { target, modelServed: 'm-2026', usage: { inputTokens: 3 } });
      call.settled = (error) => void order.push(['settled', error]);
      return { reply: text('done') };
    });
    expect(order).toEqual([
      ['settled', undefined],
      ['record', { inputTokens: 3, cost: 2 }],
      ['onEnd', { inputTokens: 3, cost: 2 }],
    ]);
    expect(priced).toEqual([[target, 'm-2026']]);
  });

  it('is told to the target with the failure, also of a stream, and where nobody keeps books', async () => {
    const ends: unknown[] = [];
    const bare = composeChain([], 'tools');
    const settled = (error: GatewayError | undefined): void => void ends.push(error?.code);
    const call = toolCall({ log });
    const failing = run(call, bare, toolReplies, () => {
      call.settled = settled;
      throw new GatewayError('upstream_cut');
    });
    await expect(failing).rejects.toMatchObject({ code: 'upstream_cut' });
    const cut = async function* (): AsyncGenerator<ToolsChunk> {
      yield progress(1);
      throw new GatewayError('upstream_timeout');
    };
    const streaming = toolCall({ log });
    streaming.settled = settled;
    const handled = await run(streaming, bare, toolReplies, () => ({ stream: cut() }));
    if (!('stream' in handled)) throw new Error('expected a stream');
    expect(ends).toEqual(['upstream_cut']);
    const read = async (): Promise<void> => {
      for await (const _ of handled.stream);
    };
    await expect(read()).rejects.toMatchObject({ code: 'upstream_timeout' });
    expect(ends).toEqual(['upstream_cut', 'upstream_timeout']);
  });

  it('has no usage where nothing was used, and asks for no price', async () => {
    const ledger: Ledger = { priced: () => expect.unreachable(), record: (_, outcome) => expect(outcome).not.toHaveProperty('usage') };
    await run(toolCall({ log, ledger }), composeChain([], 'tools'), toolReplies, () => ({ reply: text('done') }));
    expect.assertions(1);
  });
});

describe('who may not have an answer', () => {
  const hit = policy('hit', 'cache', { onCall: () => text('stored') });
  const refuse = (): never => {
    throw new GatewayError('rule_refused');
  };

  it('does not get that of a policy either', async () => {
    const outcomes: Outcome[] = [];
    const chain = composeChain([hit, policy('watch', 'observe', { onEnd: (_, outcome) => void outcomes.push(outcome) })], 'tools');
    const call = toolCall({ log });
    await expect(run(call, chain, toolReplies, () => expect.unreachable(), refuse)).rejects.toMatchObject({ code: 'rule_refused' });
    expect([call.events, outcomes]).toMatchObject([[], [{ ok: false, error: { code: 'rule_refused' } }]]);
  });

  it('is not asked for where no policy answers: the handler does that', async () => {
    expect(await run(toolCall({ log }), composeChain([], 'tools'), toolReplies, () => ({ reply: text('fresh') }), refuse)).toEqual({
      reply: text('fresh'),
    });
  });
});
