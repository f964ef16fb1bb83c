import { EventStreamCodec } from '@smithy/eventstream-codec';
import { fromUtf8, toUtf8 } from '@smithy/util-utf8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WireFrame } from '../../../src/core/contracts/provider.ts';
import { createAwsEventStreamReader } from '../../../src/upstreams/aws-event-stream.ts';

const codec = new EventStreamCodec(toUtf8, fromUtf8);

function message(headers: Readonly<Record<string, string>>, data: string): Buffer {
  const typed = Object.entries(headers).map(([name, value]) => [name, { type: 'string' as const, value }]);
  return Buffer.from(codec.encode({ headers: Object.fromEntries(typed), body: fromUtf8(data) }));
}
const event = (type: string, data: string): Buffer => message({ ':message-type': 'event', ':event-type': type }, data);

function readPieces(pieces: readonly Uint8Array[]): WireFrame[] {
  const reader = createAwsEventStreamReader();
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.close()];
}

describe('createAwsEventStreamReader', () => {
  const whole = Buffer.concat([
    event('contentBlockDelta', '{"delta":{"text":"é€😀"}}'),
    event('empty', ''),
    message({ ':message-type': 'exception', ':exception-type': 'throttlingException' }, '{"message":"slow down"}'),
    message({ ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'broken' }, ''),
  ]);
  const frames = [
    { event: 'contentBlockDelta', data: '{"delta":{"text":"é€😀"}}' },
    { event: 'empty', data: '' },
    { event: '!throttlingException', data: '{"message":"slow down"}' },
    { event: '!InternalError', data: '{"message":"broken"}' },
  ];

  it('reads events, exceptions and errors, wherever they are cut', () => {
    expect(readPieces([whole])).toEqual(frames);
    for (let cut = 0; cut <= whole.length; cut += 1) {
      expect(readPieces([whole.subarray(0, cut), whole.subarray(cut)]), `cut at ${cut}`).toEqual(frames);
    }
    expect(readPieces([...whole].map((byte) => Uint8Array.of(byte)))).toEqual(frames);
  });

  it('gives the messages that were written, for any cuts', () => {
    const written = fc.array(fc.tuple(fc.stringMatching(/^[a-zA-Z]{1,20}$/), fc.string({ unit: 'binary', maxLength: 300 })), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(written, fc.array(fc.nat(), { maxLength: 12 }), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(([type, data]) => event(type, data)));
        const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
        const pieces = ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
        const expected = messages.map(([type, data]) => ({ event: type, data: Buffer.from(data).toString() }));
        expect(readPieces(pieces)).toEqual(expected);
      }),
    );
  });

  it('says that a message broke off, whichever byte was the last', () => {
    const one = event('x', '{}');
    for (let length = 1; length < one.length; length += 1) {
      const reader = createAwsEventStreamReader();
      expect(reader.push(one.subarray(0, length))).toEqual([]);
      expect(() => reader.close()).toThrow(expect.objectContaining({ code: 'upstream_cut' }));
    }
  });

  it('refuses a message in which any bit differs, and gives those before it', () => {
    const good = event('x', '{"a":1}');
    for (let at = 0; at < good.length; at += 1) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(at) ^ 1, at);
      const reader = createAwsEventStreamReader();
      expect(reader.push(Buffer.concat([good, bad, good]))).toEqual([{ event: 'x', data: '{"a":1}' }]);
      // A wrong length may ask for more than ever comes.
      const code = at < 3 ? expect.stringMatching(/^upstream_(?:failed|cut)$/) : 'upstream_failed';
      expect(() => reader.close(), `byte ${at}`).toThrow(expect.objectContaining({ code }));
    }
  });

  it.each([0, 15, 16_000_001, 0xff_ff_ff_ff])('refuses a message that says it has %i bytes', (length) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    expect(() => createAwsEventStreamReader().push(head)).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
  });

  it('takes time in proportion to the length of a message in many pieces', () => {
    const long = event('x', 'x'.repeat(12_000_000));
    const pieces = Array.from({ length: 12_001 }, (_, i) => long.subarray(i * 1_000, (i + 1) * 1_000));
    const started = performance.now();
    expect(readPieces(pieces)).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
