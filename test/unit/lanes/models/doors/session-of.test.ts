import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Arrival } from '../../../../../src/lanes/models/calls/arrival.ts';
import { sessionOf } from '../../../../../src/lanes/models/doors/session-of.ts';

const session = (headers: Record<string, string | string[]>, body: object): string | undefined =>
  sessionOf({ exchange: { req: { headers } }, body } as unknown as Arrival);

it.each<[Record<string, string | string[]>, object, string | undefined]>([
  [{ 'x-hubgate-session': 'own', 'x-session-id': 'other' }, { prompt_cache_key: 'key' }, 'own'],
  [{ 'x-session-id': 'other' }, { prompt_cache_key: 'key' }, 'other'],
  [{ 'x-hubgate-session': '' }, { prompt_cache_key: 'key', metadata: { user_id: 'user' } }, 'key'],
  [{ 'x-session-id': ['a', 'b'] }, { metadata: { user_id: 'user' } }, 'user'],
  [{}, { prompt_cache_key: 7, metadata: { user_id: '' } }, undefined],
  [{}, { metadata: 'user' }, undefined],
  [{}, { metadata: ['user'] }, undefined],
  [{}, { metadata: null, user: 'alice' }, undefined],
])('of %j %j is %s', (headers, body, expected) => expect(session(headers, body)).toBe(expected));

it('never fails, and is a text or nothing', () => {
  const value = fc.oneof(fc.jsonValue(), fc.record({ user_id: fc.jsonValue() }));
  fc.assert(
    fc.property(fc.record({ prompt_cache_key: value, metadata: value }), (body) => {
      const found = session({}, body);
      expect(found === undefined || (typeof found === 'string' && found !== '')).toBe(true);
    }),
  );
});
