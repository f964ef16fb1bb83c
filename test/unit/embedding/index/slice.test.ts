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

  it('lets the background have a turn now and then while others search without end', async () => {
    const state = { isDone: false };
    let searches = 0;
    const search = async (): Promise<void> => {
      const slice = new Slice('search');
      while (!state.isDone && searches < 400) {
        await slice.next();
        searches += 1;
      }
    };
    const build = async (): Promise<void> => {
      const slice = new Slice('background');
      for (let step = 0; step < 10; step++) await slice.next();
      state.isDone = true;
    };
    await Promise.all([search(), search(), search(), build()]);
    expect(searches).toBeGreaterThanOrEqual(27);
    expect(searches).toBeLessThanOrEqual(45);
  });

  it('that is hurried goes among the searches', async () => {
    const order: string[] = [];
    const hurried = new Slice('background');
    const work = async (name: string, slice: Slice): Promise<void> => {
      await slice.next();
      order.push(name);
    };
    const all = [work('a', new Slice('background')), work('hurried', hurried), work('s', new Slice('search'))];
    hurried.hurry();
    await Promise.all(all);
    expect(order).toEqual(['s', 'hurried', 'a']);
  });

  it('is over after some milliseconds, and not again right after its turn came', async () => {
    const slice = new Slice('background');
    const began = performance.now();
    while (!slice.isOver) expect(performance.now() - began).toBeLessThan(1000);
    await slice.next();
    expect(slice.isOver).toBe(false);
  });
});
