import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/core/secret.ts';
import type { RequestSigner, UpstreamRequest } from '../../../../src/core/upstream.ts';
import { createOAuth2Signer } from '../../../../src/upstreams/auth/oauth2.ts';
import { http, request, serve } from '../upstream.ts';

interface TokenRequest {
  readonly authorization: string | undefined;
  readonly form: Record<string, string>;
}

/** A token endpoint that numbers its tokens, or answers what it is told. */
async function endpoint(answer?: (turn: number) => [number, string]): Promise<{ tokenUrl: string; asked: TokenRequest[] }> {
  const asked: TokenRequest[] = [];
  const { origin } = await serve((req, res) => {
    let text = '';
    req.on('data', (chunk) => (text += String(chunk)));
    req.on('end', async () => {
      asked.push({ authorization: req.headers.authorization, form: Object.fromEntries(new URLSearchParams(text)) });
      const turn = asked.length;
      await sleep(20);
      const [status, body] = answer?.(turn) ?? [200, JSON.stringify({ access_token: `t${turn}`, token_type: 'bearer', expires_in: 3_600 })];
      res.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  });
  return { tokenUrl: `${origin}/token?tenant=1`, asked };
}

function signer(
  tokenUrl: string,
  more: { clientId?: string; now?: () => number; scopes?: string[]; addSecret?: (value: string) => () => void } = {},
): RequestSigner {
  const { clientId = 'hub', now = Date.now, scopes = ['read', 'write'], addSecret = () => () => {} } = more;
  const up = http();
  return createOAuth2Signer(
    { tokenUrl, clientId, clientSecret: new Secret('s3cret:&ü'), scopes },
    { send: (token) => up.send(token), trust: 'operator', now, addSecret },
  );
}

const target = request('https://api.example.com', { headers: { accept: '*/*' } });

async function sign(by: RequestSigner, refresh = false, what: UpstreamRequest = target): Promise<unknown> {
  return (await by.sign(what, { refresh })).headers['authorization'];
}

describe('client credentials', () => {
  it('are sent as RFC 6749 says, and the token is put on the request', async () => {
    const { tokenUrl, asked } = await endpoint();
    const signed = await signer(tokenUrl, { clientId: 'hub id' }).sign(target, { refresh: false });
    expect(signed).toEqual({ ...target, headers: { accept: '*/*', authorization: 'Bearer t1' } });
    expect(asked[0]?.form).toEqual({ grant_type: 'client_credentials', scope: 'read write' });
    expect(Buffer.from(String(asked[0]?.authorization?.slice(6)), 'base64').toString()).toBe('hub+id:s3cret%3A%26%C3%BC');
  });

  it('give one token to all callers, asked for once', async () => {
    const { tokenUrl, asked } = await endpoint();
    const by = signer(tokenUrl);
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => sign(by))))).toEqual(new Set(['Bearer t1']));
    expect(await sign(by)).toBe('Bearer t1');
    expect(asked).toHaveLength(1);
  });

  it('are used again shortly before the token ends', async () => {
    let now = 1_000_000;
    const { tokenUrl, asked } = await endpoint();
    const by = signer(tokenUrl, { now: () => now });
    await sign(by);
    now += 3_569_000;
    expect(await sign(by)).toBe('Bearer t1');
    now += 2_000;
    expect(await sign(by)).toBe('Bearer t2');
    expect(asked).toHaveLength(2);
  });

  it('are used again after a 401, once however many met it, and not for an older token', async () => {
    const { tokenUrl, asked } = await endpoint();
    const by = signer(tokenUrl);
    const requests = Array.from({ length: 5 }, (_, i) => request('https://api.example.com', { path: `/${i}` }));
    for (const one of requests) await sign(by, false, one);
    expect(await Promise.all(requests.slice(0, 4).map((one) => sign(by, true, one)))).toEqual(Array(4).fill('Bearer t2'));
    expect(await sign(by, true, requests[4])).toBe('Bearer t2');
    expect(asked).toHaveLength(2);
    expect(await sign(by, true, requests[4])).toBe('Bearer t3');
  });

  it('make each token known as a secret, and the older ones forgotten in time', async () => {
    const { tokenUrl } = await endpoint();
    const known = new Set<string>();
    const addSecret = (value: string) => {
      known.add(value);
      return () => void known.delete(value);
    };
    const by = signer(tokenUrl, { addSecret });
    for (let turn = 1; turn <= 10; turn++) {
      await sign(by, turn > 1);
      expect([turn, known.has(`t${turn}`), known.has(`t${turn - 1}`)]).toEqual([turn, true, turn > 1]);
    }
    expect(known.size).toBeLessThan(6);
  });

  it('that are refused are an error with host and code, and the next caller tries again', async () => {
    const { tokenUrl } = await endpoint((turn) =>
      turn === 1 ? [401, '{"error":"invalid_client","error_description":"s3cret:&ü"}'] : [200, '{"access_token":"good"}'],
    );
    const by = signer(tokenUrl);
    const host = new URL(tokenUrl).host;
    await expect(sign(by)).rejects.toMatchObject({
      code: 'upstream_failed',
      message: `The token endpoint ${host} refused the hub's client credentials (401: invalid_client).`,
    });
    expect(await sign(by)).toBe('Bearer good');
  });

  it.each(['not json', '[]', '{}', '{"access_token":"a b"}', '{"access_token":"x","token_type":"mac"}'])(
    'need a usable answer, unlike %s',
    async (body) => {
      const { tokenUrl } = await endpoint(() => [200, body]);
      await expect(sign(signer(tokenUrl))).rejects.toThrow(/gave no bearer token/);
    },
  );
});
