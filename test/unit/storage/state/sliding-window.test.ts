import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlidingWindow } from '../../../../src/storage/state/sliding-window.ts';

const WINDOW = 60_000;

function bucketsOf(window: SlidingWindow): number {
  let count = 0;
  for (let bucket = window.oldest; bucket !== undefined; bucket = bucket.next) count++;
  return count;
}

describe('SlidingWindow', () => {
  it('keeps 60 buckets at most, whatever the pace', () => {
    // Lengths that 59 and 60 divide, and some that they do not.
    for (const windowMs of [1, 59, 1000, 3540, WINDOW]) {
      for (const stepMs of [1, 7, 59, 60, 1000]) {
        const window = new SlidingWindow(windowMs);
        let most = 0;
        for (let at = 0; at < 3 * windowMs; at += stepMs) {
          window.moveTo(at);
          window.add(1, at);
          if (windowMs < WINDOW || at > 2 * windowMs) most = Math.max(most, bucketsOf(window));
        }
        expect(most).toBeLessThanOrEqual(60);
      }
    }
  });

  it('counts all of the window, and nothing that left a 59th of it ago', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ waitMs: fc.nat(150), amount: fc.nat(9) }), { maxLength: 100, size: 'max' }), (uses) => {
        const windowMs = 5900;
        const window = new SlidingWindow(windowMs);
        const events: { at: number; amount: number }[] = [];
        const since = (from: number): number => events.reduce((sum, event) => (event.at > from ? sum + event.amount : sum), 0);
        const check = (at: number): void => {
          window.moveTo(at);
          expect(window.value).toBeGreaterThanOrEqual(since(at - windowMs));
          expect(window.value).toBeLessThanOrEqual(since(at - windowMs - 100));
        };
        let now = 0;
        for (const { waitMs, amount } of uses) {
          check((now += waitMs));
          window.add(amount, now);
          events.push({ at: now, amount });
        }
        for (let at = now; at <= now + windowMs; at += 25) check(at);
      }),
    );
  });

  it('is empty when all has left, whatever sums lose', () => {
    const window = new SlidingWindow(WINDOW);
    for (const [index, amount] of [0.1, 0.2, 0.3].entries()) window.add(amount, index * 10_000);
    window.moveTo(WINDOW + 20_000);
    expect(window.value).toBe(0);
  });

  it('counts few uses to the millisecond', () => {
    const window = new SlidingWindow(WINDOW);
    for (const at of [0, 7000, 7001, 20_000]) window.add(1, at);
    const valueAt = (at: number): number => {
      window.moveTo(at);
      return window.value;
    };
    expect([59_999, 60_000, 67_000, 67_001, 79_999, 80_000].map(valueAt)).toEqual([4, 3, 3, 1, 1, 0]);
    expect(window.oldest).toBeUndefined();
  });

  it('says the first millisecond at which it fits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ waitMs: fc.nat(5000), amount: fc.integer({ min: 1, max: 9 }) }), { minLength: 1, maxLength: 50, size: 'max' }),
        fc.nat(20),
        (uses, amount) => {
          const window = new SlidingWindow(WINDOW);
          let at = 0;
          for (const use of uses) window.add(use.amount, (at += use.waitMs));
          window.moveTo(at);
          const limit = Math.min(20, window.value);
          const waitMs = window.fitsIn(amount, limit, at);
          const fitsAt = (time: number): boolean => {
            window.moveTo(time);
            return amount > 0 ? window.value + amount <= limit : window.value < limit;
          };
          if (amount > limit) return waitMs === undefined;
          // It did not fit before it was asked either, unless nothing has to leave.
          return waitMs !== undefined && waitMs > 0 && (fitsAt(at) || (!fitsAt(at + waitMs - 1) && fitsAt(at + waitMs)));
        },
      ),
    );
  });

  it('settles in a bucket until it has left', () => {
    const window = new SlidingWindow(WINDOW);
    const bucket = window.reserve(10, 0);
    window.reserve(5, 30_000);
    expect(window.settle(bucket, 6, 2, 59_999)).toBe(true);
    expect([window.value, window.reserved]).toEqual([11, 9]);
    expect(window.settle(bucket, 4, 0, 60_000)).toBe(false);
    window.moveTo(60_000);
    expect([window.value, window.reserved]).toEqual([5, 5]);
    expect(window.settle(bucket, 4, 8, 60_000)).toBe(false);
    expect([window.value, window.reserved]).toEqual([5, 5]);
    // Whoever keeps the bucket keeps nothing else.
    expect(bucket.next).toBeUndefined();
  });
});
