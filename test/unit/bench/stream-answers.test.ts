import { describe, expect, it } from 'vitest';
import { clockMs } from '../../../bench/clock.ts';
import { StreamAnswers } from '../../../bench/stream-answers.ts';

const USAGE = 'data: {"choices":[],"usage":{"total_tokens":143}}';
const DONE = 'data: [DONE]';

const chunk = (ts: number, waited?: number): string =>
  `data: {"choices":[{"delta":{"content":"The${waited === undefined ? '' : ` waited=${waited}`} ts=${ts}"}}]}`;

function answer(events: readonly string[], status = '200 OK'): Buffer {
  const text = events.map((event) => `${event}\n\n`).join('');
  return Buffer.from(`HTTP/1.1 ${status}\r\nTransfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`);
}

function judge(sent: Buffer, at = clockMs()): { problems: readonly (string | undefined)[]; transits: number[]; firsts: number[] } {
  const transits: number[] = [];
  const firsts: number[] = [];
  const answers = new StreamAnswers('"total_tokens":143', 2, {
    onChunk: (transit) => transits.push(transit),
    onFirst: (added) => firsts.push(added),
  });
  return { problems: answers.push(sent, { id: undefined, at }), transits, firsts };
}

const stamp = (agoMs: number): number => Math.round((clockMs() - agoMs) * 1000);

describe('StreamAnswers', () => {
  it('tells how long chunks were on their way and what was added to the first', () => {
    const events = [chunk(stamp(30), 100_000), chunk(stamp(10)), USAGE, DONE];
    const { problems, transits, firsts } = judge(answer(events), clockMs() - 140);
    expect(problems).toEqual([undefined]);
    expect(transits).toHaveLength(2);
    expect(transits[0]! - 30).toBeLessThan(20);
    expect(transits[0]! - transits[1]!).toBeCloseTo(20, 0);
    // Asked 140 ms ago, of which the model itself took 100.
    expect(firsts).toHaveLength(1);
    expect(firsts[0]).toBeGreaterThanOrEqual(40);
    expect(firsts[0]).toBeLessThan(60);
  });

  it.each([
    ['too few chunks', [chunk(1, 1), USAGE, DONE], '1 chunks, not 2'],
    ['too many chunks', [chunk(1, 1), chunk(2), chunk(3), USAGE, DONE], '3 chunks, not 2'],
    ['no usage', [chunk(1, 1), chunk(2), DONE], 'without "total_tokens":143'],
    ['no end', [chunk(1, 1), chunk(2), USAGE], 'without [DONE]'],
    ['something after the end', [chunk(1, 1), chunk(2), USAGE, DONE, ': ping'], 'without [DONE] at its end'],
  ])('refuses a stream with %s', (_name, events, problem) => {
    expect(judge(answer(events)).problems).toEqual([expect.stringContaining(problem)]);
  });

  it('refuses another status', () => {
    expect(judge(answer([chunk(1, 1), chunk(2), USAGE, DONE], '503 No')).problems).toEqual([expect.stringContaining('503')]);
    const refusal = Buffer.from('HTTP/1.1 401 No\r\nContent-Length: 6\r\n\r\nno key');
    expect(judge(refusal).problems).toEqual(['401 no key']);
  });

  it('judges each stream of a connection by itself', () => {
    const good = answer([chunk(1, 1), chunk(2), USAGE, DONE]);
    const cut = answer([chunk(1, 1), USAGE, DONE]);
    expect(judge(Buffer.concat([good, cut, good])).problems).toEqual([undefined, expect.any(String), undefined]);
  });
});
