import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRecords, recordFormat, takingFrom } from '../../../../../src/lanes/tools/openapi/answers/events.ts';
import type { RecordFormat } from '../../../../../src/lanes/tools/openapi/answers/events.ts';

const listOf = (text: string, format: RecordFormat, partial?: 'full' | 'time' | 'broken') => {
  const { records, note } = readRecords(text, format, partial);
  return { list: JSON.parse(`[${records.join(',')}]`) as unknown[], records, note };
};

describe('records', () => {
  test('server-sent events as the HTML standard reads them', () => {
    const text =
      '\uFEFF: hello\n\nevent: add\nid: 7\ndata: {"id": 9007199254740993}\n\ndata: two\r\ndata:lines\r\n\r\nevent: none\n\nid\ndata\rdata: [DONE]\n\nretry: 5\ndata: last';
    const { records, list, note } = listOf(text.slice(1), 'events');
    expect(list).toEqual([
      { event: 'add', id: '7', data: { id: Number('9007199254740993') } },
      { data: 'two\nlines' },
      { id: '', data: '\n[DONE]' },
      { data: 'last' },
    ]);
    expect(records[0]).toBe('{"event":"add","id":"7","data":{"id":9007199254740993}}');
    expect(note).toBeUndefined();
  });

  test('JSON lines and sequences; a line that is not JSON is a string', () => {
    expect(listOf('{"a": 1}\r\n\n[2]\nnot json\n{"b":', 'lines').list).toEqual([{ a: 1 }, [2], 'not json', '{"b":']);
    expect(listOf('\u001e{"a":1}\n\u001e{"b":\n2}\n', 'sequence').list).toEqual([{ a: 1 }, { b: 2 }]);
  });

  test('of a stream that had not ended leave out what is cut off, and say why there are no more', () => {
    expect(listOf('data: 1\n\ndata: {"half', 'events', 'time')).toMatchObject({
      list: [{ data: 1 }],
      note: expect.stringContaining('still open after 20 s'),
    });
    expect(listOf('1\n2\n{"half', 'lines', 'broken')).toMatchObject({
      list: [1, 2],
      note: expect.stringContaining('broke off; the 2 records'),
    });
    const many = Array.from({ length: 1200 }, (_, index) => `${index}\n`).join('');
    expect(listOf(many, 'lines', 'full')).toMatchObject({ list: { length: 1000 }, note: expect.stringContaining('first 1000 records') });
    expect(listOf(many, 'lines').list).toHaveLength(1200);
  });

  test.each([
    ['text/event-stream', 'events'],
    ['application/x-ndjson', 'lines'],
    ['application/jsonl', 'lines'],
    ['application/json-seq', 'sequence'],
    ['application/json', undefined],
    ['application/json-patch+json', undefined],
  ])('%s', (type, format) => expect(recordFormat(type)).toBe(format));
});

describe('taking', () => {
  const limits = { ms: 5, events: 3, bytes: 1000 };
  const take = takingFrom(limits);

  test('is for streams without a length', () => {
    expect(take({ 'content-type': 'Text/Event-Stream; charset=utf-8' })?.ms).toBe(5);
    expect(take({ 'content-type': 'text/event-stream', 'content-length': '9' })).toBeUndefined();
    expect(take({ 'content-type': 'application/json' })).toBeUndefined();
    expect(take({})).toBeUndefined();
  });

  test('counts what is complete, in pieces of any size, and no comments', () => {
    const stream = ': keep alive\n\nevent: a\ndata: 1\n\n: keep alive\r\n\r\ndata: 2\r\n\r\n\n\ndata: 3';
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 12 }), (cuts) => {
        const taking = take({ 'content-type': 'text/event-stream' });
        const points = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        for (const [index, point] of points.entries()) {
          expect(taking?.isFull(Buffer.from(stream.slice(point, points[index + 1] ?? point)))).toBe(false);
        }
        expect(taking?.isFull(Buffer.from('\n'))).toBe(false);
        expect(taking?.isFull(Buffer.from('\n'))).toBe(true);
      }),
    );
    const lines = take({ 'content-type': 'application/x-ndjson' });
    expect([lines?.isFull(Buffer.from('1\n2\n')), lines?.isFull(Buffer.from('3\n'))]).toEqual([false, true]);
    expect(take({ 'content-type': 'application/x-ndjson' })?.isFull(Buffer.alloc(1000))).toBe(true);
  });
});
