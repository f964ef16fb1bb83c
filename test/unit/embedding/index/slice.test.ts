import { describe, expect, it } from 'vitest';
import { Slice } from '../../../../src/embedding/index/slice.ts';

describe('Slice', () => {
  it('lets one work run in a turn of the event loop: searches first, then whoever paused first', async () => {
    const order: string[] = [];
    let turns = 0;
    const count = (): void => {
      turns += 1;
      if (order.length < 6) setImmediate(count);
    };
    setImmediate(count);
    const work = async (name: string, urgency: 'search' | 'background'): Promise<void> => {
      const slice = new Slice(urgency);
      for (let step = 0; step < 2; step++) {
        await slice.next();
        order.push(name);
      }
    };
    await Promise.all([work('a', 'background'), work('b', 'background'), work('s', 'search')]);
    expect(order).toEqual(['s', 's', 'a', 'b', 'a', 'b']);
    expect(turns).toBeGreaterThanOrEqual(5);
  });

  it('is over after some milliseconds, and not again right after its turn came', async () => {
    const slice = new Slice('background');
    const began = performance.now();
    while (!slice.isOver) expect(performance.now() - began).toBeLessThan(1000);
    await slice.next();
    expect(slice.isOver).toBe(false);
  });
});
