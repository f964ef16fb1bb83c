import { describe, expect, it } from 'vitest';
import { begun } from '../../../../src/pipeline/attempts/begun-stream.ts';

const wait = () => new Promise<void>((resolve) => setImmediate(resolve));

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const one of stream) got.push(one);
  return got;
}

describe('a stream that has begun', () => {
  it('gives all that came, in order', async () => {
    const source = async function* (): AsyncGenerator<number> {
      for (let n = 1; n <= 5; n++) {
        await wait();
        yield n;
      }
    };
    expect(await all(await begun(source()))).toEqual([1, 2, 3, 4, 5]);
    expect(await all(await begun((async function* (): AsyncGenerator<number> {})()))).toEqual([]);
  });

  it('has been waited for until the first chunk, and for no more', async () => {
    const order: string[] = [];
    const source = async function* (): AsyncGenerator<number> {
      await wait();
      order.push('first');
      yield 1;
      order.push('second');
      yield 2;
    };
    await begun(source());
    await wait();
    expect(order).toEqual(['first']);
  });

  it('has been waited for until a chunk that begins it, and gives those before it as well', async () => {
    let read = 0;
    const source = async function* (fails = Infinity): AsyncGenerator<number> {
      for (let n = 1; n <= 6; n++) {
        if (n === fails) throw new Error(`at ${n}`);
        read = n;
        yield n;
      }
    };
    const stream = await begun(source(), (n) => n >= 4);
    expect(read).toBe(4);
    expect(await all(stream)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await all(await begun(source(), () => false)), 'it may end without one').toEqual([1, 2, 3, 4, 5, 6]);
    await expect(begun(source(3), (n) => n >= 4)).rejects.toThrow('at 3');
  });

  it('throws what its first step throws, and later what the others do', async () => {
    const source = async function* (fails: number): AsyncGenerator<number> {
      for (let n = 1; ; n++) {
        if (n === fails) throw new Error(`at ${n}`);
        yield n;
      }
    };
    await expect(begun(source(1))).rejects.toThrow('at 1');
    const stream = await begun(source(2));
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    await expect(stream.next()).rejects.toThrow('at 2');
  });

  it('passes the steps of its source on as they are, also when they are asked for at once', async () => {
    const steps = [1, 2, 3].map((value) => Promise.resolve({ done: false as const, value }));
    let asked = 0;
    const source = { [Symbol.asyncIterator]: () => ({ next: () => steps[asked++]! }) };
    const stream = await begun<number>(source);
    const [first, second, third] = [stream.next(), stream.next(), stream.next()];
    expect([second, third]).toEqual([steps[1], steps[2]]);
    expect(second).toBe(steps[1]);
    expect([(await first).value, (await second).value, (await third).value]).toEqual([1, 2, 3]);
  });

  it('ends its source when the reader leaves, before the first chunk was read too', async () => {
    let ended = 0;
    const source = async function* (): AsyncGenerator<number> {
      try {
        for (let n = 1; ; n++) yield n;
      } finally {
        ended += 1;
      }
    };
    for await (const _ of await begun(source())) break;
    expect(ended).toBe(1);
    const unread = await begun(source());
    expect(await unread.return?.()).toEqual({ done: true, value: undefined });
    expect(ended).toBe(2);
    const bare = await begun({ [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: false as const, value: 1 }) }) });
    expect(await bare.return?.()).toEqual({ done: true, value: undefined });
  });
});
