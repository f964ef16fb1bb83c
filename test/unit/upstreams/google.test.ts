import { generateKeyPairSync, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import type { RequestSigner, UpstreamRequest, UpstreamResponse } from '../../../src/core/upstream.ts';
import { createGoogleSigner } from '../../../src/upstreams/auth/google.ts';
import { request } from './upstream.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const file = { type: 'service_account', client_email: 'hub@project.iam.gserviceaccount.com', private_key: pem, private_key_id: 'k1' };
const NOW = 1_800_000_000_500;
const target = request('https://aiplatform.googleapis.com', { headers: { accept: '*/*' } });

/** A signer, and what it sent to the token endpoint. Tokens are numbered unless `answer` says otherwise. */
function google(
  account: object | string = file,
  answer?: (turn: number) => [number, string],
): { by: RequestSigner; asked: UpstreamRequest[] } {
  const asked: UpstreamRequest[] = [];
  const text = typeof account === 'string' ? account : JSON.stringify(account);
  const by = createGoogleSigner(
    { serviceAccount: new Secret(text) },
    {
      async send(request): Promise<UpstreamResponse> {
        asked.push(request);
        const turn = asked.length;
        await sleep(5);
        const [status, body] = answer?.(turn) ?? [
          200,
          JSON.stringify({ access_token: `g${turn}`, token_type: 'Bearer', expires_in: 3599 }),
        ];
        return { status, headers: {}, body: Buffer.from(body) };
      },
      trust: 'operator',
      now: () => NOW,
      addSecret: () => () => {},
    },
  );
  return { by, asked };
}

async function sign(by: RequestSigner, refresh = false, what: UpstreamRequest = target): Promise<unknown> {
  return (await by.sign(what, { refresh })).headers['authorization'];
}

function decode(part: string | undefined): unknown {
  return JSON.parse(Buffer.from(String(part), 'base64url').toString());
}

describe('a service account', () => {
  it('changes a JWT signed with its key for a token, as RFC 7523 says', async () => {
    const { by, asked } = google();
    expect(await by.sign(target, { refresh: false })).toEqual({ ...target, headers: { accept: '*/*', authorization: 'Bearer g1' } });
    const [sent] = asked;
    expect(sent).toMatchObject({ method: 'POST', origin: 'https://oauth2.googleapis.com', path: '/token', trust: 'operator' });
    expect(sent?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    const form = new URLSearchParams(String(sent?.body));
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const [header, claims, signature] = String(form.get('assertion')).split('.');
    expect(decode(header)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'k1' });
    expect(decode(claims)).toEqual({
      iss: 'hub@project.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: 'https://oauth2.googleapis.com/token',
      iat: 1_800_000_000,
      exp: 1_800_003_600,
    });
    expect(verify('RSA-SHA256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(String(signature), 'base64url'))).toBe(true);
  });

  it('asks the token_uri of its file', async () => {
    const { by, asked } = google({ ...file, token_uri: 'https://token.example.com/v2/token?x=1' });
    await sign(by);
    expect(asked[0]).toMatchObject({ origin: 'https://token.example.com', path: '/v2/token?x=1' });
    const [, claims] = String(new URLSearchParams(String(asked[0]?.body)).get('assertion')).split('.');
    expect(decode(claims)).toMatchObject({ aud: 'https://token.example.com/v2/token?x=1' });
  });

  it('gives one token to all callers, and a new one after a 401', async () => {
    const { by, asked } = google();
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => sign(by))))).toEqual(new Set(['Bearer g1']));
    expect(asked).toHaveLength(1);
    expect(await Promise.all([sign(by, true), sign(by, true)])).toEqual(['Bearer g2', 'Bearer g2']);
    expect(asked).toHaveLength(2);
  });

  it('that is refused is an error with host and code, and the next caller tries again', async () => {
    const { by } = google(file, (turn) =>
      turn === 1 ? [400, `{"error":"invalid_grant","error_description":${JSON.stringify(pem)}}`] : [200, '{"access_token":"good"}'],
    );
    await expect(sign(by)).rejects.toMatchObject({
      code: 'upstream_failed',
      message: "The token endpoint oauth2.googleapis.com refused the hub's service account (400: invalid_grant).",
    });
    expect(await sign(by)).toBe('Bearer good');
  });

  it.each([
    ['it is not JSON', pem],
    ['it is not JSON', '[]'],
    ['client_email is missing', { ...file, client_email: undefined }],
    ['private_key is not an RSA key in PEM', { ...file, private_key: pem.slice(0, 200) }],
    ['private_key is not an RSA key in PEM', { ...file, private_key: undefined }],
    ['token_uri is not a URL', { ...file, token_uri: 'token' }],
  ])('that cannot be used says why without showing it: %s', async (why, account) => {
    const { by, asked } = google(account);
    const error = await sign(by).then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );
    expect(error).toMatchObject({ code: 'upstream_unauthorized', message: `The serviceAccount is not a key file of Google: ${why}.` });
    expect(error?.cause).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('with an elliptic key is not one of Google', async () => {
    const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    await expect(sign(google({ ...file, private_key: elliptic }).by)).rejects.toThrow(/not an RSA key/);
  });
});
