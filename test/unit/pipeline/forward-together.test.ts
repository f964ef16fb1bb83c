import { describe, expect, it } from 'vitest';
import { toolReplies } from '../../../src/lanes/tools/segments.ts';
import { composeChain, type BoundPolicy } from '../../../src/pipeline/chain.ts';
import { forward } from '../../../src/pipeline/forward.ts';
import { run } from '../../../src/pipeline/run.ts';
import { RetryBudget } from '../../../src/upstreams/health/retry-budget.ts';
import { toolCall } from './live-calls.ts';
import { choiceOf, failure, NEVER, planOf } from './plans.ts';

describe('calls that fail in the same moment', () => {
  const together = async (calls: number, target: ReturnType<typeof choiceOf>): Promise<number> => {
    const first = choiceOf('first', { settings: NEVER });
    const broken = Promise.withResolvers<never>();
    let tried = 0;
    const waiting = Array.from({ length: calls }, () =>
      forward(toolCall(), planOf([[first], [target]], { retries: 0 }), { peeks: false }, async ({ target: { name } }) => {
        if (name === 'first') return broken.promise;
        tried += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
        return { reply: {} };
      }),
    );
    broken.reject(failure('upstream_cut'));
    await Promise.allSettled(waiting);
    return tried;
  };

  it('do not all go to a target that is probed: one does', async () => {
    const probed = choiceOf('probed', { settings: { breaker: { failures: 1, open: 10_000 } } });
    const then = Date.now() - 11_000;
    probed.gauge.begin(then).ended(then, 'failed');
    expect(probed.gauge.status(Date.now()).breaker).toBe('half-open');
    expect(await together(50, probed)).toBe(1);
  });

  it('do not all go out with the one refused key that is tried once a second', async () => {
    const keyed = choiceOf('keyed', { keys: [{ label: 'one' }, { label: 'two' }], settings: NEVER });
    const then = Date.now() - 2_000;
    for (const key of [0, 1]) keyed.keys!.failed(key, then, 'upstream_unauthorized');
    expect(await together(50, keyed)).toBe(1);
  });
});

it('what a target used that failed is not charged to the next', async () => {
  const call = toolCall();
  const handled = forward(
    call,
    planOf([[choiceOf('a')], [choiceOf('b')]], { retries: 0 }),
    { peeks: false },
    async ({ target: { name } }) => {
      if (name === 'b') throw failure('upstream_overloaded');
      call.usage = { inputTokens: 5, outputTokens: 1 };
      throw failure('upstream_cut');
    },
  );
  await expect(handled).rejects.toMatchObject({ code: 'upstream_overloaded' });
  expect(call.usage).toBeUndefined();
});

describe('in a storm', () => {
  it.each([
    ['a fallback at the same upstream', [['one'], ['one']]],
    ['targets of one upstream beside and behind another', [['one', 'two', 'one']]],
  ])('%s is paid from the retry budget', async (_, pools) => {
    const plan = planOf(
      pools.map((names, rank) => names.map((upstream, index) => choiceOf(`${upstream}/${rank}${index}`, { upstream, settings: NEVER }))),
      { retries: 0, budget: new RetryBudget() },
    );
    let atOne = 0;
    for (let n = 0; n < 300; n++) {
      await forward(toolCall(), plan, { peeks: false }, async ({ target: { upstream } }) => {
        if (upstream === 'one') atOne += 1;
        throw failure('upstream_overloaded');
      }).catch(() => undefined);
    }
    expect(atOne).toBeGreaterThan(300);
    expect(atOne).toBeLessThanOrEqual(360);
  });
});

it('a policy that was for the call at its beginning is for it to its end, whatever becomes of its input', async () => {
  const seen: string[] = [];
  const counting: BoundPolicy = {
    name: 'counting',
    stage: 'limit',
    applies: (call) => 'text' in (call.input as { arguments: object }).arguments,
    hooks: { onCall: () => void seen.push('onCall'), onReply: () => void seen.push('onReply'), onEnd: () => void seen.push('onEnd') },
  };
  const call = toolCall();
  await run(call, composeChain([counting], 'tools'), toolReplies, () => {
    call.input = { ...call.input, arguments: {} };
    return { reply: {} };
  });
  expect(seen).toEqual(['onCall', 'onReply', 'onEnd']);
});
