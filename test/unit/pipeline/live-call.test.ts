import { describe, expect, it, vi } from 'vitest';
import { toolCall } from './live-calls.ts';

describe('abort', () => {
  it('is heard once, with the first reason, by the signal and by whoever listens to the call', () => {
    const one = toolCall();
    const heard: unknown[] = [];
    one.cancellation.addEventListener('abort', { handleEvent: () => heard.push(one.cancellation.reason) });
    one.signal.addEventListener('abort', () => heard.push(one.signal.reason));
    one.abort('left');
    one.abort('again');
    expect(heard).toEqual(['left', 'left']);
  });

  it('is there for a signal that is asked for later', () => {
    const one = toolCall();
    one.abort('left');
    expect([one.signal.aborted, one.signal.reason]).toEqual([true, 'left']);
  });

  it('is not heard by who has stopped listening', () => {
    const one = toolCall();
    const heard: string[] = [];
    const [first, second] = ['first', 'second'].map((name) => ({ handleEvent: () => heard.push(name) }));
    one.cancellation.addEventListener('abort', first!);
    one.cancellation.addEventListener('abort', second!);
    one.cancellation.removeEventListener('abort', first!);
    one.abort('left');
    expect(heard).toEqual(['second']);
  });
});

describe('what a call may use', () => {
  it('is asked for once, with the input as it is then', () => {
    const asked: unknown[] = [];
    const one = toolCall({
      estimate(input) {
        asked.push(input);
        return { cost: 0.5 };
      },
    });
    one.rewriteText(() => 'rewritten');
    expect([one.estimate(), one.estimate()]).toEqual([{ cost: 0.5 }, { cost: 0.5 }]);
    expect(asked).toEqual([one.input]);
    expect(toolCall().estimate()).toEqual({});
  });
});

describe('what happened on the way', () => {
  it('is kept in order, with its time, and cut where callers have a say in it', () => {
    vi.useFakeTimers({ now: 1_000 });
    const one = toolCall();
    expect(one.events).toEqual([]);
    vi.advanceTimersByTime(30);
    one.note('cached');
    one.note('dropped', 'x'.repeat(5_000));
    vi.useRealTimers();
    expect(one.events).toEqual([
      { type: 'cached', at: 30 },
      { type: 'dropped', at: 30, detail: 'x'.repeat(2_000) },
    ]);
  });
});
