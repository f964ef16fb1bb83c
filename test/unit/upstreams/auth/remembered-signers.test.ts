import { expect, test } from 'vitest';
import { Secret } from '../../../../src/core/secret.ts';
import { rememberedSigners } from '../../../../src/upstreams/auth/remembered-signers.ts';

test('one signer per client, endpoint and scopes, in whatever order', () => {
  const made = rememberedSigners(() => ({ refreshable: true, sign: (request) => request }));
  const client = { tokenUrl: 'https://t.test', clientId: 'id', clientSecret: new Secret('s'), scopes: ['a', 'b'] };
  expect(made({ ...client, scopes: ['b', 'a'] })).toBe(made(client));
  for (const other of [{ scopes: ['a'] }, { clientId: 'other' }, { tokenUrl: 'https://u.test' }])
    expect(made({ ...client, ...other })).not.toBe(made(client));
});
