import { expect, test } from 'vitest';
import { placedSigner } from '../../../../src/upstreams/auth/placed-signer.ts';
import { request } from '../upstream.ts';

const value = (text: string) => (): string => text;

test('puts each credential in its place and leaves the request as it was', () => {
  const plain = request('https://x.test', { path: '/a?x=1', headers: { cookie: 'c=1', accept: '*/*' } });
  const signer = placedSigner({ headers: [['x-key', value('k')]], query: [['t', value('a&b')]], cookies: [['sid', value('s;')]] });
  expect(signer.sign(plain, { refresh: false })).toMatchObject({
    path: '/a?x=1&t=a%26b',
    headers: { accept: '*/*', 'x-key': 'k', cookie: 'c=1; sid=s%3B' },
  });
  expect(plain).toMatchObject({ path: '/a?x=1', headers: { cookie: 'c=1', accept: '*/*' } });
});

test('refuses a value that no header can carry, and does not say it', () => {
  const signer = placedSigner({ headers: [['x-key', value('se\ncret')]] });
  expect(() => signer.sign(request('https://x.test'), { refresh: false })).toThrow(
    expect.objectContaining({ code: 'upstream_failed', message: expect.not.stringContaining('cret') }),
  );
});
