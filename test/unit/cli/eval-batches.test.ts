import { afterEach, describe, expect, it, vi } from 'vitest';
import { AdminProblem } from '../../../src/admin/client.ts';
import { askInBatches } from '../../../src/cli/eval-batches.ts';
import { EvalProgress } from '../../../src/cli/eval-progress.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const numbers = Array.from({ length: 120 }, (_, at) => at);
const asking = (answer: (body: { some: number[] }) => unknown) =>
  askInBatches<number, unknown>(
    { ask: async (_method, _path, options) => answer(options?.body as { some: number[] }), hub: undefined, close: async () => {} },
    '/eval/x',
    numbers,
    (some) => ({ some }),
  );

describe('askInBatches', () => {
  it('asks about each example once, in order', async () => {
    const answers = (await asking(({ some }) => some)) as number[][];
    expect(answers.map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(answers.flat()).toEqual(numbers);
  });

  it('asks again while the model is not ready, and for nothing else', async () => {
    let tries = 0;
    const busy = new AdminProblem(503, { detail: 'The model is not ready.' });
    await asking(() => {
      tries += 1;
      if (tries === 2) throw busy;
      return {};
    });
    expect(tries).toBe(4);
    await expect(asking(() => Promise.reject(new AdminProblem(404, { detail: 'There is no server.' })))).rejects.toThrow(
      'There is no server.',
    );
  });

  it('waits ten minutes for a model each time, and does not count the time of answers', async () => {
    let [now, tries] = [0, 0];
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const busy = new AdminProblem(503, { detail: 'The model is not ready.' });
    const answers = await asking(() => {
      tries += 1;
      now += 500_000;
      if (tries % 2 === 0) throw busy;
      return {};
    });
    expect(answers).toHaveLength(3);
    const gaveUp = asking(() => {
      now += 500_000;
      throw busy;
    });
    await expect(gaveUp).rejects.toThrow('The model is not ready.');
  });
});

describe('EvalProgress', () => {
  it('says nothing of what is short, and a line now and then where nothing can be written over', () => {
    vi.useFakeTimers();
    const written: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    const isTTY = process.stderr.isTTY;
    try {
      process.stderr.isTTY = false;
      const lines = new EvalProgress();
      for (let second = 0; second < 25; second++) {
        lines.tell(`${second} of 25`);
        vi.advanceTimersByTime(1000);
      }
      lines.end();
      expect(written).toEqual(['10 of 25\n', '20 of 25\n']);
      written.length = 0;
      process.stderr.isTTY = true;
      const line = new EvalProgress();
      line.tell('0 of 2');
      vi.advanceTimersByTime(600);
      line.tell('1 of 2');
      line.end();
      expect(written).toEqual(['\r\u001B[K1 of 2', '\r\u001B[K']);
    } finally {
      process.stderr.isTTY = isTTY;
    }
  });
});
