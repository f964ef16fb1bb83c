import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AgentError } from '../../../src/core/agents.ts';
import { GatewayError, type ErrorCode } from '../../../src/core/errors.ts';
import { forward } from '../../../src/pipeline/forward.ts';
import { toolCall } from './live-calls.ts';
import { choiceOf, failure, NEVER, note, planOf, playing, RESULT, type Fate } from './plans.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const unsent = (code: ErrorCode): GatewayError => new GatewayError(code, undefined, { unsent: true });

/** One call over two targets, of which the first fails so. */
async function go(fate: Fate, once: boolean) {
  const call = toolCall();
  const { tried, attempting } = playing(call, { one: [fate], two: ['reply'] });
  const plan = planOf([[choiceOf('one', { settings: NEVER }), choiceOf('two', { settings: NEVER })]]);
  let error: unknown;
  const going = forward(call, plan, { peeks: true, once }, attempting).catch((thrown: unknown) => void (error = thrown));
  await vi.runAllTimersAsync();
  await going;
  return { tried, error: error as GatewayError | undefined, call };
}

describe('a call that must not be carried out twice', () => {
  it.each<[string, Fate, boolean]>([
    ['no answer in time', failure('upstream_timeout'), false],
    ['an answer that cannot be read', failure('upstream_failed'), false],
    ['a connection that closed', failure('upstream_unreachable'), false],
    ['a stream that broke before its first chunk', [failure('upstream_failed')], false],
    ['a connection that never was', unsent('upstream_unreachable'), true],
    ['no connection in time', unsent('upstream_timeout'), true],
    ['one that is overloaded', failure('upstream_overloaded'), true],
    ['a limit', failure('upstream_limited'), true],
    ['a key that is not taken', failure('upstream_unauthorized'), true],
  ])('%s: another try %s', async (_, fate, again) => {
    expect((await go(fate, true)).tried).toEqual(again ? ['one', 'two'] : ['one']);
    expect((await go(fate, false)).tried).toEqual(['one', 'two']);
  });

  it('the failure is what the caller gets', async () => {
    const error = failure('upstream_timeout');
    expect((await go(error, true)).error).toBe(error);
  });

  it('a stream that has begun is bound to its target', async () => {
    expect((await go([note(1), RESULT], true)).tried).toEqual(['one']);
  });

  it('what an agent says in the words of its protocol is an answer: nobody else is asked, and nothing has failed', async () => {
    const said = new AgentError(-32006, 'no', undefined, 'upstream_failed');
    const call = toolCall();
    const one = choiceOf('one', { settings: { breaker: { failures: 1 } } });
    const plan = planOf([[one, choiceOf('two')]]);
    const tried: string[] = [];
    const asking = forward(call, plan, { peeks: true }, ({ target }) => {
      tried.push(target.name);
      throw said;
    });
    await expect(asking).rejects.toMatchObject({ code: 'upstream_failed', cause: said });
    expect([tried, one.gauge.status(Date.now()).health]).toEqual([['one'], 'healthy']);
  });

  it.each<[string, GatewayError, boolean]>([
    ['was not sent', unsent('upstream_unreachable'), false],
    ['was sent', failure('upstream_timeout'), true],
  ])('a try that %s has a price: %s', async (_, error, costs) => {
    const call = toolCall();
    const asking = forward(call, planOf([[choiceOf('one')]], { retries: 0 }), { peeks: true, once: true }, () => {
      call.usage = { cost: 1 };
      throw error;
    });
    await expect(asking).rejects.toBe(error);
    expect(call.usage).toEqual(costs ? { cost: 1 } : undefined);
  });
});
