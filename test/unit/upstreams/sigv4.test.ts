import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import type { UpstreamRequest } from '../../../src/core/upstream.ts';
import { createSigV4Signer } from '../../../src/upstreams/auth/sigv4.ts';
import type { SigV4Account } from '../../../src/upstreams/auth/sigv4.ts';
import { AWS_CREDENTIALS, startMocks } from '../../support/mock-providers/server.mjs';
import type { Mocks } from '../../support/mock-providers/server.mjs';
import { http } from './upstream.ts';

const account: SigV4Account = {
  service: 'bedrock',
  region: 'eu-central-1',
  accessKeyId: AWS_CREDENTIALS.accessKeyId,
  secretAccessKey: new Secret(AWS_CREDENTIALS.secretAccessKey),
};
const now = (): number => Date.parse('2026-11-21T12:34:56.789Z');
const body = JSON.stringify({ messages: [{ role: 'user', content: [{ text: 'Grüße 😀' }] }] });

/** Checks the signature of what it gets against what came over the wire. */
let mocks: Mocks;
beforeAll(async () => void (mocks = await startMocks({ only: ['bedrock'] })));
afterAll(() => mocks.close());

function asking(model: string, more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: 'POST',
    origin: mocks.bedrock.url,
    path: `/model/${encodeURIComponent(model)}/converse`,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body,
    trust: 'operator',
    ...more,
  };
}

async function send(request: UpstreamRequest, as: SigV4Account = account): Promise<{ status: number; body: string }> {
  const signed = await createSigV4Signer(as, { now }).sign(request, { refresh: false });
  const { status, body: answer } = await http().send(signed);
  return { status, body: answer.toString() };
}

describe('createSigV4Signer', () => {
  it.each([
    'anthropic.claude-sonnet-4-5',
    'anthropic.claude-3-5-sonnet-20241022-v2:0',
    'arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    "odd!'()* name~_",
  ])('signs so that the service agrees: %s', async (model) => {
    expect(await send(asking(model))).toMatchObject({ status: 200, body: expect.stringContaining('Grüße 😀') });
  });

  it('signs the bytes of a body that is given as bytes, and those alone', async () => {
    const padded = new TextEncoder().encode(`##${body}##`);
    expect(await send(asking('m.m', { body: padded.subarray(2, -2) }))).toMatchObject({ status: 200 });
    const signed = await createSigV4Signer(account, { now }).sign(asking('m.m'), { refresh: false });
    expect(await http().send({ ...signed, body: body.replace('user', 'User') })).toMatchObject({ status: 403 });
    expect(await http().send({ ...signed, path: signed.path.replace('m.m', 'm.n') })).toMatchObject({ status: 403 });
  });

  it('sends and signs the session token and headers of AWS', async () => {
    const temporary = { ...account, sessionToken: new Secret('token/+=') };
    const request = asking('m.m', { headers: { 'x-amz-meta': ' a  b ', 'user-agent': 'x' } });
    const signed = await createSigV4Signer(temporary, { now }).sign(request, { refresh: false });
    expect(signed.headers).toEqual({
      'x-amz-meta': ' a  b ',
      'user-agent': 'x',
      'x-amz-date': '20261121T123456Z',
      'x-amz-security-token': 'token/+=',
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIAMOCK\/20261121\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=host;x-amz-date;x-amz-meta;x-amz-security-token, Signature=[0-9a-f]{64}$/,
      ),
    });
    expect(await http().send(signed)).toMatchObject({ status: 200 });
    const other = { ...signed.headers, 'x-amz-security-token': 'another' };
    expect(await http().send({ ...signed, headers: other })).toMatchObject({ status: 403 });
  });

  it('lets headers that are not signed change on the way', async () => {
    const signed = await createSigV4Signer(account, { now }).sign(asking('m.m'), { refresh: false });
    expect(await http().send({ ...signed, headers: { ...signed.headers, accept: '*/*', 'x-trace': '1' } })).toMatchObject({ status: 200 });
  });

  it('is refused with a wrong secret', async () => {
    expect(await send(asking('m.m'), { ...account, secretAccessKey: new Secret('other') })).toMatchObject({ status: 403 });
  });

  it('leaves the request as it was, and signs each anew', async () => {
    let clock = now();
    const signer = createSigV4Signer(account, { now: () => clock });
    const request = asking('m.m');
    const first = await signer.sign(request, { refresh: false });
    clock += 24 * 3_600_000;
    const second = await signer.sign(first, { refresh: false });
    expect(request.headers).not.toHaveProperty('authorization');
    expect(second.headers['x-amz-date']).toBe('20261122T123456Z');
    expect(await http().send(second)).toMatchObject({ status: 200 });
    expect(signer.refreshable).toBe(false);
  });
});
