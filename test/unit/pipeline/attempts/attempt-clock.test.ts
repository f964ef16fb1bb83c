import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../../../../src/core/errors.ts';
import { AttemptClock, pause } from '../../../../src/pipeline/attempts/attempt-clock.ts';
import { CallCancellation } from '../../../../src/pipeline/cancellation.ts';
import type { LiveCall } from '../../../../src/pipeline/live-call.ts';
import { toolCall } from '../live-calls.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 10, 21) }));
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function begin(firstChunkMs?: number, totalMs?: number): { readonly call: LiveCall<'tools'>; readonly clock: AttemptClock<'tools'> } {
  const call = toolCall();
  const clock = new AttemptClock(call, firstChunkMs, totalMs);
  clock.start();
  return { call, clock };
}
const state = ({ attemptCancellation: { aborted, reason } }: LiveCall<'tools'>) => (aborted ? (reason as GatewayError).message : 'goes on');

describe('the clock of a call', () => {
  it('calls an attempt off whose first chunk does not come, and leaves the call alone', () => {
    const { call, clock } = begin(3_000);
    vi.advanceTimersByTime(2_999);
    expect(state(call)).toBe('goes on');
    vi.advanceTimersByTime(1);
    expect(state(call)).toBe('No first token came within 3 s.');
    expect([(call.attemptCancellation.reason as GatewayError).code, call.cancellation.aborted, clock.isOver]).toEqual([
      'upstream_timeout',
      false,
      false,
    ]);
  });

  it('stops asking for the first chunk when it is there, and goes on with the rest', () => {
    const { call, clock } = begin(1_000, 5_000);
    vi.advanceTimersByTime(999);
    clock.firstChunk();
    vi.advanceTimersByTime(4_000);
    expect([state(call), clock.left, clock.isOver]).toEqual(['goes on', 1, false]);
    vi.advanceTimersByTime(1);
    expect([state(call), clock.left, clock.isOver]).toEqual(['The call did not end within 5 s.', 0, true]);
  });

  it('gives each attempt its time for a first chunk, and all together theirs', () => {
    const { call, clock } = begin(2_000, 5_000);
    const first = call.attemptCancellation;
    vi.advanceTimersByTime(2_000);
    clock.stop();
    clock.start();
    expect([state(call), call.attemptCancellation === first, first.aborted]).toEqual(['goes on', false, true]);
    vi.advanceTimersByTime(1_999);
    expect(state(call)).toBe('goes on');
    clock.firstChunk();
    vi.advanceTimersByTime(1_001);
    expect(state(call)).toBe('The call did not end within 5 s.');
  });

  it('counts from the moment at which the call was read', () => {
    const call = toolCall();
    vi.advanceTimersByTime(4_000);
    const clock = new AttemptClock(call, undefined, 5_000);
    expect(clock.left).toBe(1_000);
    clock.start();
    vi.advanceTimersByTime(1_000);
    expect(state(call)).toBe('The call did not end within 5 s.');
  });

  it('does nothing any more once it is stopped', () => {
    const { call, clock } = begin(1_000, 1_000);
    clock.stop();
    vi.advanceTimersByTime(10_000);
    expect(state(call)).toBe('goes on');
    expect(new AttemptClock(call, 1_000, undefined).left).toBe(Infinity);
  });

  it('tells the attempt that the client has left, whichever is on its way, and one that begins after', () => {
    const { call, clock } = begin(1_000);
    clock.stop();
    clock.start();
    call.abort(new GatewayError('client_closed'));
    expect(state(call)).toBe(new GatewayError('client_closed').message);
    clock.stop();
    clock.start();
    expect([call.attemptCancellation.aborted, call.attemptCancellation.reason]).toEqual([true, call.cancellation.reason]);
    clock.stop();
  });
});

describe('a pause', () => {
  it('is as long as it is', async () => {
    let over = false;
    const pausing = pause(100, new CallCancellation()).then(() => (over = true));
    await vi.advanceTimersByTimeAsync(99);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await pausing).toBe(true);
  });

  it('ends when the call is called off, and is none when it was before', async () => {
    const cancellation = new CallCancellation();
    const pausing = pause(60_000, cancellation);
    cancellation.abort(new Error('left'));
    await pausing;
    await pause(60_000, cancellation);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no listener behind', async () => {
    const cancellation = new CallCancellation();
    const listeners = new Set<object>();
    const watched = {
      aborted: false,
      reason: undefined,
      addEventListener: (_: 'abort', listener: { handleEvent(): void }) => void listeners.add(listener),
      removeEventListener: (_: 'abort', listener: { handleEvent(): void }) => void listeners.delete(listener),
    };
    const pausing = pause(10, watched);
    expect(listeners.size).toBe(1);
    await vi.advanceTimersByTimeAsync(10);
    await pausing;
    expect([listeners.size, cancellation.aborted]).toEqual([0, false]);
  });
});
