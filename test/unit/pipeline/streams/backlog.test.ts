import { describe, expect, it, vi } from 'vitest';
import { Backlog } from '../../../../src/pipeline/streams/backlog.ts';

async function rest<T>(backlog: Backlog<T>, reading = backlog.read()): Promise<T[]> {
  backlog.end();
  const read: T[] = [];
  for await (const chunk of reading) read.push(chunk);
  return read;
}

describe('what waits for a reader that stands still', () => {
  it('is 10,000 chunks at most, in order, and what is needed besides; the drop is told once', async () => {
    const dropping = vi.fn();
    const backlog = new Backlog<number>(dropping);
    for (let n = 0; n < 10_000; n++) backlog.push(n, false);
    expect(dropping).not.toHaveBeenCalled();
    backlog.push(-1, false);
    backlog.push(10_000, true);
    backlog.push(-1, false);
    expect(dropping).toHaveBeenCalledTimes(1);
    expect(await rest(backlog)).toEqual(Array.from({ length: 10_001 }, (_, n) => n));
  });

  it('is 8 MB of text at most, and what was read does not count', async () => {
    const dropping = vi.fn();
    const backlog = new Backlog<string>(dropping);
    const reading = backlog.read();
    const block = 'x'.repeat(3_000_000);
    for (let n = 0; n < 20; n++) {
      backlog.push(block, false);
      backlog.push(block, false);
      await reading.next();
      await reading.next();
    }
    expect(dropping).not.toHaveBeenCalled();
    for (let n = 0; n < 5; n++) backlog.push(block, false);
    expect(dropping).toHaveBeenCalledTimes(1);
    expect(await rest(backlog, reading)).toHaveLength(3);
  });
});

it('wakes its reader for each chunk and at the end', async () => {
  const backlog = new Backlog<string>(() => {});
  const reading = backlog.read();
  const first = reading.next();
  backlog.push('one', false);
  expect(await first).toEqual({ value: 'one', done: false });
  const second = reading.next();
  backlog.end();
  expect(await second).toEqual({ value: undefined, done: true });
});

it('keeps nothing for a reader that has left', async () => {
  const backlog = new Backlog<string>(() => {});
  const reading = backlog.read();
  backlog.push('one', false);
  await reading.next();
  await reading.return(undefined);
  backlog.push('two', true);
  expect(await rest(backlog)).toEqual([]);
});
