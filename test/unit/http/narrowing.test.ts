import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readNarrowing, type Narrowing } from '../../../src/http/narrowing.ts';

describe('?query=&top=', () => {
  const read = (query: string): Narrowing | undefined =>
    readNarrowing({ req: { url: `/list${query}` } as IncomingMessage, query: new URLSearchParams(query) });

  it.each<[string, Narrowing | undefined]>([
    ['', undefined],
    ['?', undefined],
    ['?other=1', undefined],
    ['?query=book+a%20room', { query: 'book a room' }],
    ['?query=x&top=1', { query: 'x', top: 1 }],
    ['?top=100&query=x', { query: 'x', top: 100 }],
  ])('%s: %o', (query, narrowing) => {
    expect(read(query)).toEqual(narrowing);
  });

  const refused = ['0', '101', '1000', '-1', '+1', '2.5', '1e1', '0x1', '', ' 1', 'ten'].map((top) => [
    `?query=x&top=${encodeURIComponent(top)}`,
    '?top= is a whole number from 1 to 100.',
  ]);
  it.each([
    ['?query=', '?query= is empty'],
    ['?query=%20', '?query= is empty'],
    ['?query=&top=5', '?query= is empty'],
    ['?top=5', '?top= goes with ?query= only'],
    ['?top=zzz', '?top= goes with ?query= only'],
    ...refused,
  ])('%s is refused: %s', (query, message) => {
    expect(() => read(query!)).toThrow(expect.objectContaining({ code: 'bad_request', message: expect.stringContaining(message!) }));
  });
});
