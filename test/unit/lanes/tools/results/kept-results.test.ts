import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ToolsReply } from '../../../../../src/core/tools.ts';
import { KeptResults, KEPT_LIMITS } from '../../../../../src/lanes/tools/results/kept-results.ts';
import type { Holder, KeptLimits } from '../../../../../src/lanes/tools/results/kept-results.ts';

const ALICE: Holder = { consumer: 'alice', door: 'pets', session: undefined };
const always: (tool: string) => boolean = () => true;

function resultsWith(limits: Partial<KeptLimits> = {}) {
  let now = 1000;
  const results = new KeptResults({ ...KEPT_LIMITS, ...limits }, () => now);
  const keep = (text: string, holder = ALICE): string | undefined =>
    results.keep({ body: Buffer.from(text), mimeType: 'text/plain', isText: true, tool: 'one' }, holder);
  return { results, keep, pass: (ms: number) => (now += ms) };
}

function allOf(results: KeptResults, uri: string): { parts: readonly Record<string, unknown>[] } {
  const parts: Record<string, unknown>[] = [];
  for (let next: string | undefined = uri; next !== undefined;) {
    const page = results.read(next, ALICE, always) as ToolsReply;
    const [first, more] = page['contents'] as Record<string, unknown>[];
    parts.push(first as Record<string, unknown>);
    next = page._meta?.['hubgate/next'] as string | undefined;
    expect(more?.['uri']).toBe(next);
  }
  return { parts };
}

describe('kept results', () => {
  test('are read in pages that are all of it, whatever the characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 4, max: 60 }), (text, textPage) => {
        const { results, keep } = resultsWith({ textPage });
        const body = text.toWellFormed();
        const { parts } = allOf(results, keep(body) as string);
        expect(parts.map((part) => part['text']).join('')).toBe(body);
        for (const part of parts) expect(Buffer.byteLength(part['text'] as string)).toBeLessThanOrEqual(textPage);
      }),
    );
  });

  test('end their pages at lines, else at commas', () => {
    const { results, keep } = resultsWith({ textPage: 12 });
    const texts = (text: string) => allOf(results, keep(text) as string).parts.map((part) => part['text']);
    expect(texts('one, two\nthree four\nfive')).toEqual(['one, two\n', 'three four\n', 'five']);
    expect(texts('{"a":1,"b":2,"c":3}')).toEqual(['{"a":1,', '"b":2,"c":3}']);
  });

  test('of bytes give base64 that can be put together', () => {
    const { results } = resultsWith({ binaryPage: 6 });
    const body = Buffer.from([...Array(20).keys()]);
    const uri = results.keep({ body, mimeType: 'application/zip', isText: false, tool: 'one' }, ALICE) as string;
    const { parts } = allOf(results, uri);
    expect(parts.map((part) => part['blob']).join('')).toBe(body.toString('base64'));
    expect(parts[0]).toMatchObject({ uri, mimeType: 'application/zip' });
  });

  test('are for who got them, on the door and in the session where they were got, while the tool may be used', () => {
    const { results, keep } = resultsWith();
    const uri = keep('x', { ...ALICE, session: 's1' }) as string;
    expect(uri).toMatch(/^hubgate:\/\/results\/[\w-]{24}$/);
    const read = (holder: Partial<Holder>, mayUse = always) => results.read(uri, { ...ALICE, session: 's1', ...holder }, mayUse);
    expect(read({})).toEqual({ contents: [{ uri, mimeType: 'text/plain', text: 'x' }] });
    const whole = (holder: Partial<Holder>, mayUse = always) => results.whole(uri, { ...ALICE, session: 's1', ...holder }, mayUse);
    expect(whole({})).toMatchObject({ body: Buffer.from('x'), mimeType: 'text/plain' });
    for (const holder of [{ consumer: 'bob' }, { door: '' }, { session: 's2' }, { session: undefined }])
      expect([read(holder), whole(holder)]).toEqual([undefined, undefined]);
    const notOne = (tool: string): boolean => tool !== 'one';
    expect([read({}, notOne), whole({}, notOne)]).toEqual([undefined, undefined]);
    for (const other of ['hubgate://results/', `${uri}x`, `${uri}?from=-1`, `${uri}?from=x`, uri.slice(0, -1)])
      expect(results.read(other, { ...ALICE, session: 's1' }, always)).toBeUndefined();
    expect(() => results.read(`${uri}?from=99`, { ...ALICE, session: 's1' }, always)).toThrow(
      'This result has 1 bytes; nothing begins at 99.',
    );
  });

  test('are forgotten by age, and by size the oldest first: own ones for one consumer, anybody’s for all', () => {
    const { results, keep, pass } = resultsWith({ bytes: 10, consumerBytes: 6, ageMs: 1000 });
    const is = (uri: string | undefined, holder = ALICE) => results.read(uri ?? '', holder, always) !== undefined;
    expect(keep('1234567')).toBeUndefined();
    const bob = { ...ALICE, consumer: 'bob' };
    const first = keep('abcd', bob);
    const own = keep('123');
    const newer = keep('4567');
    expect([is(first, bob), is(own), is(newer)]).toEqual([true, false, true]);
    expect(results.bytes).toBe(8);
    const carol = { ...ALICE, consumer: 'carol' };
    expect(is(keep('xyz', carol), carol)).toBe(true);
    expect([is(first, bob), is(newer)]).toEqual([false, true]);
    pass(1000);
    expect(is(newer)).toBe(false);
    keep('a');
    expect(results.bytes).toBe(1);
  });
});
