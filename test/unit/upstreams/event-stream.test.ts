import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WireFrame } from '../../../src/core/contracts/provider.ts';
import { createEventStreamReader } from '../../../src/upstreams/event-stream.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function readPieces(pieces: readonly Uint8Array[], options?: { maxFrame?: number }): WireFrame[] {
  const reader = createEventStreamReader(options);
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.close()];
}
const read = (text: string): WireFrame[] => readPieces([bytes(text)]);

/** The same bytes, cut at each of the places. */
function cutAt(whole: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (whole.length + 1)))].toSorted((a, b) => a - b);
  return [...ends, whole.length].map((end, i) => whole.slice(i === 0 ? 0 : ends[i - 1], end));
}

describe('createEventStreamReader', () => {
  it.each([
    ['LF', 'data: a\n\ndata: b\n\n', [{ data: 'a' }, { data: 'b' }]],
    ['CR', 'data: a\r\rdata: b\r\r', [{ data: 'a' }, { data: 'b' }]],
    ['CRLF', 'event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n', [{ event: 'x', data: 'a' }, { data: 'b' }]],
    ['all kinds of line ends in one frame', 'event: x\rdata: a\ndata: b\r\n\n', [{ event: 'x', data: 'a\nb' }]],
    ['no space after the colon, and one of two', 'data:a\n\ndata:  b\n\n', [{ data: 'a' }, { data: ' b' }]],
    ['several data lines', 'data: a\ndata:\ndata: b\n\n', [{ data: 'a\n\nb' }]],
    ['a field without a colon', 'data\ndata: a\n\n', [{ data: '\na' }]],
    ['a mark of byte order at the very start only', '\uFEFFdata: \uFEFFa\n\n\uFEFFdata: b\n\n', [{ data: '\uFEFFa' }]],
    ['comments', ': OPENROUTER PROCESSING\n\n: x\ndata: a\n:\n\n', [{ data: 'a' }]],
    ['fields that are not read', 'id: 1\nretry: 5\nDATA: no\ndata : no\ndata: a\n\n', [{ data: 'a' }]],
    ['events without data, whose name does not reach the next', 'event: x\n\nevent: y\ndata:\n\ndata: a\n\n', [{ data: 'a' }]],
    ['the last of two names', 'event: x\nevent: y\ndata: a\n\n', [{ event: 'y', data: 'a' }]],
    ['colons in the value', 'data: {"a":"b: c"}\n\n', [{ data: '{"a":"b: c"}' }]],
    ['characters of up to four bytes', 'data: é€😀\n\n', [{ data: 'é€😀' }]],
    ['a last frame without its blank line', 'data: a\n\nevent: x\ndata: b\n', [{ data: 'a' }, { event: 'x', data: 'b' }]],
    ['a last frame without a line end', 'data: a\n\ndata: b', [{ data: 'a' }, { data: 'b' }]],
    ['nothing', '', []],
  ])('reads %s, wherever it is cut', (_what, text, expected) => {
    const whole = bytes(text);
    expect(readPieces([whole])).toEqual(expected);
    for (let cut = 0; cut <= whole.length; cut += 1) {
      expect(readPieces([whole.slice(0, cut), whole.slice(cut)]), `cut at ${cut}`).toEqual(expected);
    }
    expect(readPieces([...whole].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it('gives a frame as soon as its blank line is there, and the unfinished one at the end only', () => {
    const reader = createEventStreamReader();
    expect(reader.push(bytes('data: a\n'))).toEqual([]);
    expect(reader.push(bytes('\ndata: b\r\n\r'))).toEqual([{ data: 'a' }, { data: 'b' }]);
    expect(reader.push(bytes('\ndata: c\n'))).toEqual([]);
    expect(reader.close()).toEqual([{ data: 'c' }]);
  });

  it('gives the frames that were written, for any line ends and any cuts', () => {
    const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\r\n]/g, ' '));
    const frame = fc.record({ event: fc.option(line, { nil: undefined }), lines: fc.array(line, { minLength: 1, maxLength: 4 }) });
    const lineEnd = fc.constantFrom('\n', '\r', '\r\n');
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), lineEnd, fc.array(fc.nat(), { maxLength: 12 }), (frames, end, cuts) => {
        const written = frames.map(({ event, lines }) =>
          [...(event === undefined ? [] : [`event: ${event}`]), ...lines.map((data) => `data: ${data}`), '', ''].join(end),
        );
        const expected = frames
          .map(({ event, lines }) => ({ ...(event ? { event } : {}), data: lines.join('\n') }))
          .filter(({ data }) => data !== '');
        expect(readPieces(cutAt(Buffer.from(written.join('')), cuts))).toEqual(expected);
      }),
    );
  });

  it('reads bytes that are no UTF-8 the same however they are cut', () => {
    const part = fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.constantFrom('data: ', '\n', '\r', '\n\n', 'é', '😀').map(bytes));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 12 }), (parts, cuts) => {
        const whole = Buffer.concat([bytes('data: '), ...parts]);
        expect(readPieces(cutAt(whole, cuts))).toEqual(readPieces([whole]));
      }),
    );
  });

  it('refuses a frame that is too large, however it comes, after what was whole', () => {
    const tooMuch = ['data: a\n\n', `data: ${'x'.repeat(40)}\n`, `data: ${'x'.repeat(40)}`];
    for (const pieces of [[tooMuch.join('')], tooMuch, [...tooMuch.join('')]]) {
      const reader = createEventStreamReader({ maxFrame: 80 });
      const frames: WireFrame[] = [];
      const run = (): void => {
        for (const piece of pieces) frames.push(...reader.push(bytes(piece)));
        reader.close();
      };
      expect(run).toThrow(expect.objectContaining({ code: 'upstream_too_large' }));
      expect(frames).toEqual([{ data: 'a' }]);
    }
    expect(readPieces([bytes(`data: ${'x'.repeat(40)}\n\n`.repeat(10))], { maxFrame: 80 })).toHaveLength(10);
  });

  it.each(['\n', '\r', '\r\n'])('takes time in proportion to the length (%j)', (end) => {
    const frames = (count: number): Uint8Array => bytes(`data: {"a":"b"}${end}${end}`.repeat(count));
    const time = (run: () => unknown): number => {
      const started = performance.now();
      run();
      return performance.now() - started;
    };
    const many = frames(100_000);
    const long = cutAt(
      bytes(`data: ${'x'.repeat(4_000_000)}${end}${end}`),
      [...Array(4_000).keys()].map((i) => i * 1_000),
    );
    readPieces([frames(2_000)]);
    // Tens of milliseconds; a reader that looks at its text again for each line or piece needs minutes.
    expect(time(() => readPieces([many]))).toBeLessThan(3_000);
    expect(time(() => readPieces(long))).toBeLessThan(3_000);
    expect(read(`data: a${end}${end}`)).toEqual([{ data: 'a' }]);
  });
});
