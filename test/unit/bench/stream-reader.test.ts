import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamReader, type StreamPart } from '../../../bench/stream-reader.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const END = '0\r\n\r\n';

const chunked = (text: string, size: number): string =>
  (text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []).map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');

const stream = (events: readonly string[], size: number, gap = '\n\n'): string =>
  HEAD + chunked(events.map((event) => event + gap).join(''), size) + END;

const parts = (events: readonly string[]): StreamPart[] => [
  ...events.map((text): StreamPart => ({ kind: 'event', text })),
  { kind: 'end', status: 200, rest: '' },
];

function readAll(pieces: readonly string[]): StreamPart[] {
  const reader = new StreamReader();
  return pieces.flatMap((piece) => reader.push(Buffer.from(piece, 'latin1')));
}

describe('StreamReader', () => {
  it.each(['\n\n', '\r\n\r\n'])('reads events that end with %j, split at every byte', (gap) => {
    const events = ['data: {"a":1}', ': a comment', 'event: x\ndata: 2', 'data: [DONE]'];
    const sent = stream(events, 7, gap);
    for (let at = 1; at < sent.length; at++) expect(readAll([sent.slice(0, at), sent.slice(at)]), `split at ${at}`).toEqual(parts(events));
    expect(readAll(sent.split(''))).toEqual(parts(events));
  });

  it('gives an event when its bytes are there, not later', () => {
    const reader = new StreamReader();
    expect(reader.push(Buffer.from(`${HEAD}8\r\ndata: 1\n\r\n`))).toEqual([]);
    expect(reader.push(Buffer.from('1\r\n\n'))).toEqual([{ kind: 'event', text: 'data: 1' }]);
    expect(reader.push(Buffer.from(`\r\n${END}`))).toEqual([{ kind: 'end', status: 200, rest: '' }]);
  });

  it('reads any streams in any pieces, one after another', () => {
    const event = fc.string({ unit: fc.constantFrom('a', ':', ' ', '{', '"'), minLength: 1, maxLength: 20 });
    const answer = fc.record({ events: fc.array(event, { maxLength: 5 }), size: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 3 }), fc.array(fc.integer({ min: 1, max: 60 })), (answers, lengths) => {
        let rest = answers.map(({ events, size }) => stream(events, size)).join('');
        const pieces: string[] = [];
        for (const length of lengths) {
          pieces.push(rest.slice(0, length));
          rest = rest.slice(length);
        }
        expect(readAll([...pieces, rest])).toEqual(answers.flatMap(({ events }) => parts(events)));
      }),
    );
  });

  it('gives the text of an answer that is no stream, or breaks off within an event', () => {
    const refusal = 'HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n{"no":1}\n';
    expect(readAll([refusal])).toEqual([{ kind: 'end', status: 500, rest: '{"no":1}\n' }]);
    expect(readAll([HEAD + chunked('data: 1\n\ndata: 2', 99) + END])).toEqual([
      { kind: 'event', text: 'data: 1' },
      { kind: 'end', status: 200, rest: 'data: 2' },
    ]);
    expect(readAll(['HTTP/1.1 204 Nothing\r\n\r\n'])).toEqual([{ kind: 'end', status: 204, rest: '' }]);
  });

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', 'no HTTP answer'],
    ['a chunk without a size', `${HEAD}xyz\r\n`, 'no size of a chunk'],
    ['a chunk that is too long', `${HEAD}1\r\nabcdef\r\n`, 'longer than it says'],
  ])('refuses %s', (_name, sent, message) => {
    expect(() => readAll([sent])).toThrow(message);
  });
});
