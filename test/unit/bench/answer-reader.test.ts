import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerReader } from '../../../bench/answer-reader.ts';

interface Plain {
  readonly status: number;
  readonly body: string;
}

const withLength = ({ status, body }: Plain): string =>
  `HTTP/1.1 ${status} Some Words\r\nDate: today\r\ncontent-length:${body.length}\r\nX-Last: 1\r\n\r\n${body}`;

function inChunks({ status, body }: Plain, size = 3): string {
  const chunks = body.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  const sent = chunks.map((chunk) => `${chunk.length.toString(16)};name=value\r\n${chunk}\r\n`);
  return `HTTP/1.1 ${status} OK\r\nTransfer-Encoding: chunked\r\n\r\n${sent.join('')}0\r\nTrailer: x\r\n\r\n`;
}

function readAll(pieces: readonly string[]): Plain[] {
  const reader = new AnswerReader();
  const answers = pieces.flatMap((piece) =>
    reader.push(Buffer.from(piece, 'latin1')).map(({ status, body }) => ({ status, body: body.toString('latin1') })),
  );
  expect(reader.isInside).toBe(false);
  return answers;
}

const samples: readonly (readonly [string, string, readonly Plain[]])[] = [
  ['a length', withLength({ status: 200, body: '{"name":"Rex"}' }), [{ status: 200, body: '{"name":"Rex"}' }]],
  ['a length of 0', withLength({ status: 202, body: '' }), [{ status: 202, body: '' }]],
  ['chunks', inChunks({ status: 200, body: 'data: {"name":"Rex"}\r\n\r\n' }), [{ status: 200, body: 'data: {"name":"Rex"}\r\n\r\n' }]],
  ['no chunk but the last', inChunks({ status: 200, body: '' }), [{ status: 200, body: '' }]],
  ['no body by its status', 'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n', [{ status: 204, body: '' }]],
  ['an interim answer before', `HTTP/1.1 100 Continue\r\n\r\n${withLength({ status: 200, body: 'x' })}`, [{ status: 200, body: 'x' }]],
  [
    'one answer after another',
    inChunks({ status: 500, body: 'first' }) + withLength({ status: 200, body: 'second' }),
    [
      { status: 500, body: 'first' },
      { status: 200, body: 'second' },
    ],
  ],
];

describe('AnswerReader', () => {
  it.each(samples)('reads %s, split at every byte', (_name, sent, answers) => {
    for (let at = 1; at < sent.length; at++) expect(readAll([sent.slice(0, at), sent.slice(at)]), `split at ${at}`).toEqual(answers);
    expect(readAll([sent])).toEqual(answers);
    expect(readAll(sent.split(''))).toEqual(answers);
  });

  it('reads any answers in any pieces', () => {
    const answer = fc.record({
      status: fc.constantFrom(200, 202, 400, 503),
      body: fc.string({ unit: 'binary-ascii', maxLength: 40 }),
      chunkSize: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 4 }), fc.array(fc.integer({ min: 1, max: 60 })), (answers, lengths) => {
        let rest = answers.map((one) => (one.chunkSize === 0 ? withLength(one) : inChunks(one, one.chunkSize))).join('');
        const pieces: string[] = [];
        for (const length of lengths) {
          pieces.push(rest.slice(0, length));
          rest = rest.slice(length);
        }
        expect(readAll([...pieces, rest])).toEqual(answers.map(({ status, body }) => ({ status, body })));
      }),
    );
  });

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', 'no HTTP answer'],
    ['an answer that ends with its connection', 'HTTP/1.1 200 OK\r\n\r\nabc', 'neither a length nor chunks'],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', 'no size of a chunk'],
    ['a chunk that is too long', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabcdef\r\n', 'longer than it says'],
  ])('refuses %s', (_name, sent, message) => {
    expect(() => new AnswerReader().push(Buffer.from(sent))).toThrow(message);
  });
});
