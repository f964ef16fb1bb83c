import { describe, expect, it } from 'vitest';
import type { RestStreamConfig } from '../../../../../../../src/config/types.ts';
import {
  formatOf,
  readPieces,
  type AppPiece,
  type StreamFormat,
} from '../../../../../../../src/lanes/agents/sources/rest/answers/app-stream.ts';
import { sse } from '../application.ts';

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(config: RestStreamConfig, format: StreamFormat, text: string, size = text.length): Promise<AppPiece[]> {
  const pieces: AppPiece[] = [];
  for await (const piece of readPieces(config, format, cut(new TextEncoder().encode(text), Math.max(1, size)))) pieces.push(piece);
  return pieces;
}
const texts = (pieces: readonly AppPiece[]): (string | undefined)[] => pieces.map(({ text }) => text);

const TYPED: RestStreamConfig = {
  type: 'event',
  text: 'answer',
  texts: ['message'],
  replace: ['swap'],
  end: ['done'],
  errors: ['error'],
  error: 'message',
  conversation: 'cid',
  note: 'doing',
};

describe('readPieces', () => {
  const stream = sse([
    { event: 'message', answer: 'Grüße ', cid: 'c1' },
    { event: 'ping' },
    { event: 'thought', answer: 'hidden', doing: 'thinking' },
    { event: 'message', answer: '😀' },
    { event: 'done' },
    { event: 'message', answer: 'after the end' },
  ]);

  it('reads events wherever they are cut', async () => {
    for (let size = 1; size <= 40; size += 1) {
      const pieces = await readAll(TYPED, 'sse', stream, size);
      expect(texts(pieces).join('')).toBe('Grüße 😀');
      expect(pieces.map(({ note }) => note).filter(Boolean)).toEqual(['thinking']);
      expect(pieces[0]!.conversation).toBe('c1');
    }
  });

  it('reads lines of JSON wherever they are cut', async () => {
    const lines = '{"t":"é"}\n\n\r\n{"t":"😀"}\r\n{"t":"last"}';
    for (let size = 1; size <= 20; size += 1)
      expect(texts(await readAll({ text: 't' }, 'ndjson', lines, size))).toEqual(['é', '😀', 'last']);
  });

  it('reads text sequences', async () => {
    expect(texts(await readAll({ text: 't' }, 'ndjson', '\u001E{"t":"a"}\n\u001E{"t":"b"}\n'))).toEqual(['a', 'b']);
  });

  it('takes plain text for text', async () => {
    expect(texts(await readAll({}, 'sse', 'data: one\n\ndata: two\n\ndata: [DONE]\n\ndata: three\n\n'))).toEqual(['one', 'two']);
  });

  it('goes by the name of the event', async () => {
    const named = 'event: delta\ndata: {"t":"a"}\n\nevent: usage\ndata: {"t":"b"}\n\n';
    expect(texts(await readAll({ text: 't', texts: ['delta'] }, 'sse', named))).toEqual(['a', undefined]);
  });

  it('tells what replaces', async () => {
    const pieces = await readAll(
      TYPED,
      'sse',
      sse([{ event: 'message', answer: 'bad' }, { event: 'swap', answer: 'good' }, { event: 'done' }]),
    );
    expect(pieces.map(({ text, replace }) => [text, replace])).toEqual([
      ['bad', false],
      ['good', true],
      [undefined, false],
    ]);
  });

  it('ends with what the application calls an error', async () => {
    const pieces = await readAll(
      TYPED,
      'sse',
      sse([
        { event: 'message', answer: 'a', message: 'no error' },
        { event: 'error', message: 'quota' },
        { event: 'message', answer: 'b' },
      ]),
    );
    expect(pieces).toMatchObject([{ text: 'a' }, { failure: 'quota' }]);
    expect(pieces).toHaveLength(2);
  });

  it('takes an error without its type where there are no types', async () => {
    const pieces = await readAll({ text: 'a', error: 'error.message' }, 'sse', sse([{ a: 'x' }, { error: { message: 'overloaded' } }]));
    expect(pieces.at(-1)).toEqual({ failure: 'overloaded' });
  });

  it.each<[string, RestStreamConfig]>([
    ['an end', { text: 't', end: ['done'] }],
    ['a finish', { text: 't', finish: 'f' }],
  ])('knows that a stream without %s was cut', async (_what, config) => {
    await expect(
      readAll(
        config,
        'sse',
        sse([
          { t: 'a', f: null },
          { t: 'b', f: 'null' },
        ]),
      ),
    ).rejects.toMatchObject({ code: 'upstream_cut' });
  });

  it('has the whole answer once it is finished, though the connection breaks', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(sse([{ t: 'a', f: 'stop' }]));
      throw new Error('reset');
    }
    const pieces: AppPiece[] = [];
    for await (const piece of readPieces({ text: 't', finish: 'f' }, 'sse', broken())) pieces.push(piece);
    expect(texts(pieces)).toEqual(['a']);
  });

  it('throws when the connection breaks before', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(sse([{ t: 'a' }]));
      throw new Error('reset');
    }
    const reading = readPieces({ text: 't' }, 'sse', broken());
    expect((await reading.next()).value).toMatchObject({ text: 'a' });
    await expect(reading.next()).rejects.toThrow('reset');
  });
});

describe('formatOf', () => {
  it.each<[string | undefined, RestStreamConfig | undefined, StreamFormat | undefined]>([
    ['text/event-stream; charset=utf-8', undefined, 'sse'],
    ['application/x-ndjson', { format: 'sse' }, 'ndjson'],
    ['application/json', { format: 'ndjson' }, undefined],
    ['text/plain', { format: 'ndjson' }, 'ndjson'],
    [undefined, {}, 'sse'],
    ['text/plain', undefined, undefined],
  ])('%s', (type, config, format) => {
    expect(formatOf(config, type === undefined ? {} : { 'content-type': type })).toBe(format);
  });
});
