import { describe, expect, test } from 'vitest';
import type { OAuth2ClientCredentials, UpstreamAuth } from '../../../../../src/core/auth.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import type { RequestSigner, UpstreamRequest } from '../../../../../src/core/upstream.ts';
import { chooseCredentials } from '../../../../../src/lanes/tools/openapi/security.ts';
import type { CompiledOperation } from '../../../../../src/lanes/tools/openapi/types.ts';
import type { Part } from './compiling.ts';
import { compileTree } from './compiling.ts';

const SCHEMES = {
  key: { type: 'apiKey', in: 'header', name: 'X-Key' },
  query: { type: 'apiKey', in: 'query', name: 'k' },
  cookie: { type: 'apiKey', in: 'cookie', name: 'sid' },
  basic: { type: 'http', scheme: 'Basic' },
  token: { type: 'http', scheme: 'bearer' },
  oidc: { type: 'openIdConnect', openIdConnectUrl: 'https://id.test/.well-known/openid-configuration' },
  tls: { type: 'mutualTLS' },
  oauth: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: '/token', scopes: {} } } },
};

function operationWith(security: unknown, extra: Part = {}): CompiledOperation {
  const service = compileTree({
    security: [{ token: [] }],
    components: { securitySchemes: SCHEMES },
    paths: { '/a': { get: { ...extra, ...(security !== undefined && { security }) } } },
  });
  return service.operations[0] as CompiledOperation;
}

const asked: unknown[] = [];
function oauth2(credentials: { tokenUrl: string; scopes: readonly string[] }): RequestSigner {
  asked.push([credentials.tokenUrl, credentials.scopes]);
  return { refreshable: true, sign: (request) => request };
}

async function signed(operation: CompiledOperation, auth: UpstreamAuth | undefined) {
  const { signers, missing } = chooseCredentials(operation, auth, { oauth2 });
  let request: UpstreamRequest = { method: 'GET', origin: 'https://x.test', path: '/a?x=1', headers: { cookie: 'c=1' }, trust: 'operator' };
  for (const signer of signers) request = await signer.sign(request, { refresh: false });
  const { cookie, ...headers } = request.headers;
  return { headers, missing, ...(request.path !== '/a?x=1' && { path: request.path }), ...(cookie !== 'c=1' && { cookie }) };
}

const secret = (text: string) => new Secret(text);

describe('credentials by kind', () => {
  test('go to every operation, whatever the document says, but not to one that says security: []', async () => {
    expect(await signed(operationWith(undefined), { bearer: secret('t') })).toEqual({
      headers: { authorization: 'Bearer t' },
      missing: [],
    });
    expect(await signed(operationWith([{ key: [] }]), { basic: { username: 'u', password: secret('p') } })).toMatchObject({
      headers: { authorization: 'Basic dTpw' },
    });
    expect(await signed(operationWith([{}]), { header: { 'X-A': secret('1'), 'X-B': secret('2') } })).toMatchObject({
      headers: { 'x-a': '1', 'x-b': '2' },
    });
    expect(await signed(operationWith(undefined), { query: { key: secret('a&b') } })).toMatchObject({ path: '/a?x=1&key=a%26b' });
    expect(await signed(operationWith([]), { bearer: secret('t') })).toEqual({ headers: {}, missing: [] });
  });

  test('oauth2 takes token endpoint and scopes from the document unless they are given', async () => {
    asked.length = 0;
    const client = { clientId: 'id', clientSecret: secret('s') };
    await signed(operationWith([{ oauth: ['read'] }]), { oauth2: client });
    await signed(operationWith([{ oauth: ['read'] }]), { oauth2: { ...client, tokenUrl: 'https://t.test', scopes: ['all'] } });
    expect(asked).toEqual([['https://api.test/token', ['read']], ['https://t.test', ['all']]]); // prettier-ignore
    expect((await signed(operationWith(undefined), { oauth2: client })).missing).toEqual([expect.stringContaining('tokenUrl')]);
  });
});

describe('credentials by scheme', () => {
  const all: UpstreamAuth = {
    schemes: { key: secret('K'), query: secret('Q'), cookie: secret('C'), basic: { username: 'u', password: secret('p') } },
  };

  test('each in its place', async () => {
    expect(await signed(operationWith([{ key: [], query: [], cookie: [], basic: [] }]), all)).toEqual({
      headers: { 'x-key': 'K', authorization: 'Basic dTpw' },
      path: '/a?x=1&k=Q',
      cookie: 'c=1; sid=C',
      missing: [],
    });
  });

  test('the first alternative that is all set; none is a choice only when no other is', async () => {
    expect(await signed(operationWith([{ token: [], key: [] }, { query: [] }, { key: [] }]), all)).toMatchObject({
      path: '/a?x=1&k=Q',
      headers: {},
    });
    expect(await signed(operationWith([{}, { key: [] }]), all)).toMatchObject({ headers: { 'x-key': 'K' } });
    expect(await signed(operationWith([{ token: [] }, {}]), all)).toEqual({ headers: {}, missing: [] });
  });

  test('openIdConnect takes a token, or a client and its token endpoint, which is never looked up', async () => {
    const operation = operationWith([{ oidc: ['read'], key: [] }]);
    const auth = (oidc: Secret | OAuth2ClientCredentials): UpstreamAuth => ({ schemes: { oidc, key: secret('K') } });
    expect(await signed(operation, auth(secret('t')))).toEqual({ headers: { authorization: 'Bearer t', 'x-key': 'K' }, missing: [] });
    const client = { clientId: 'id', clientSecret: secret('s') };
    asked.length = 0;
    expect(await signed(operation, auth({ ...client, tokenUrl: 'https://id.test/token' }))).toMatchObject({ missing: [] });
    expect(asked).toEqual([['https://id.test/token', ['read']]]);
    expect(await signed(operation, auth(client))).toEqual({ headers: {}, missing: ['oidc and key'] });
  });

  test('an alternative with a client certificate cannot be chosen', async () => {
    const auth: UpstreamAuth = { schemes: { tls: secret('t'), key: secret('K') } };
    expect(await signed(operationWith([{ tls: [], key: [] }, { key: [] }]), auth)).toEqual({ headers: { 'x-key': 'K' }, missing: [] });
    expect((await signed(operationWith([{ tls: [] }]), auth)).missing).toEqual(['tls']);
  });

  test('what is missing is named', async () => {
    expect(await signed(operationWith([{ token: [], key: [] }, { oauth: [] }]), all)).toEqual({ headers: {}, missing: ['token', 'oauth'] });
    expect((await signed(operationWith(undefined), undefined)).missing).toEqual(['token']);
  });

  test('a parameter that a scheme fills is no argument', () => {
    const parameters = [
      { name: 'x-key', in: 'header', schema: {} },
      { name: 'k', in: 'query', schema: {} },
    ];
    expect(operationWith([{ key: [] }], { parameters }).parameters.map(({ name }) => name)).toEqual(['k']);
  });

  test("one that no header can carry is the operator's to correct, and is not shown", async () => {
    const error: unknown = await signed(operationWith([{ key: [] }]), { bearer: secret('very-\nsecret') }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'upstream_failed', message: expect.stringContaining('header authorization') });
    expect(String(error)).not.toContain('secret');
  });

  test('secrets do not show in what was chosen', () => {
    const chosen = chooseCredentials(operationWith([{ key: [] }]), { schemes: { key: secret('very-secret') } }, { oauth2 });
    expect(JSON.stringify(chosen)).not.toContain('very-secret');
  });
});
