import { describe, expect, test } from 'vitest';
import type { PeerAuth } from '../../../../../../src/config/schema/auth.ts';
import type { OAuth2ClientCredentials } from '../../../../../../src/core/auth.ts';
import { Secret } from '../../../../../../src/core/secret.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import type { A2AFacts } from '../../../../../../src/lanes/agents/sources/a2a/a2a-source.ts';
import { serve } from '../../../../upstreams/upstream.ts';
import { agent, answerJson, ask, reply, rpc, sourceOf, TASK } from './an-agent.ts';

const secret = (text: string): Secret => new Secret(text);
const OWNER = { name: 'ann', groups: [], anonymous: false };

async function asked(auth: PeerAuth | undefined, card: JsonObject = {}, facts: Parameters<typeof ask>[3] = {}) {
  const known: string[] = [];
  const { cardUrl, asked: seen, cards } = await agent((_, res) => answerJson(res, rpc({ task: TASK })), { card });
  const way = sourceOf(cardUrl, { auth }, { addSecret: (value) => (known.push(value), () => {}) });
  await reply(ask(way, 'message/send', undefined, facts));
  const { headers, path } = seen[0]!;
  return { authorization: headers['authorization'], key: headers['x-key'], path, known, onCard: cards[0]?.headers['authorization'] };
}

/** A server that is agent and token endpoint in one; `seen` has method, path and credential of all requests. */
async function ownServer(card: (at: { origin: string; port: number }) => JsonObject) {
  const seen: string[] = [];
  const served = await serve((req, res) => {
    const { authorization = 'none' } = req.headers;
    seen.push(`${req.method} ${req.url} ${authorization.startsWith('Basic') ? 'basic' : authorization}`);
    if (req.url === '/token') return answerJson(res, { access_token: 'fresh', token_type: 'Bearer', expires_in: 3600 });
    if (req.method === 'POST') return answerJson(res, rpc({ task: TASK }));
    return answerJson(res, { name: 'A', version: '1', description: '', skills: [], ...card(served) });
  });
  return { ...served, seen };
}

describe('where credentials go', () => {
  const at = (url: string, version = '1.0') => ({ url, protocolBinding: 'JSONRPC', protocolVersion: version });
  const elsewhere = 'http://elsewhere.test:9';

  test.each<[string, Partial<A2AFacts>]>([
    ['a bearer token', { auth: { bearer: secret('canary') } }],
    ["the caller's own", { auth: { forward: 'user' } }],
    ['headers', { headers: { 'X-Key': secret('canary') } }],
  ])('%s: to no other origin that the card names', async (_, facts) => {
    const { origin, port, seen } = await ownServer(({ port: own }) => ({
      supportedInterfaces: [at(`${elsewhere}/rpc`), at(`https://127.0.0.1:${own}/rpc`)],
    }));
    const way = sourceOf(origin, facts);
    await way.source.refresh();
    const { state, error, card } = way.source.snapshot;
    expect(state).toBe('failed');
    expect(card).toMatchObject({ name: 'A' });
    expect(error).toBe(
      `The card is at ${origin} and names only ${elsewhere} and https://127.0.0.1:${port} to call. Credentials go to the origin of the card alone: give the card's address at ${elsewhere} and https://127.0.0.1:${port} as card of agents.a, or take out auth and headers.`,
    );
    await expect(ask(way, 'message/send')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.not.stringMatching(/elsewhere|127\.0\.0\.1/),
    });
    expect(seen.filter((one) => one.startsWith('POST'))).toEqual([]);
  });

  test('an interface at home is called, though another comes first; names of this machine are one', async () => {
    const { origin, seen } = await ownServer(({ port }) => ({
      supportedInterfaces: [at(`${elsewhere}/rpc`), at(`http://localhost:${port}/old`, '0.3'), at(`http://localhost:${port}/rpc`)],
    }));
    const way = sourceOf(origin, { auth: { bearer: secret('t') } });
    await reply(ask(way, 'message/send'));
    expect(seen.at(-1)).toBe('POST /rpc Bearer t');
    expect(way.source.snapshot).toMatchObject({ state: 'ready' });
    expect(way.source.snapshot).not.toHaveProperty('error');
  });

  test('where there are none, the card may lead elsewhere', async () => {
    const there = await ownServer(() => ({}));
    const { origin } = await ownServer(() => ({ supportedInterfaces: [at(`${there.origin}/rpc`)] }));
    // Which is for the rules of egress to say: only a public address.
    await expect(ask(sourceOf(origin, { headers: {} }), 'message/send')).rejects.toMatchObject({ code: 'egress_refused' });
  });
});

describe('the credential', () => {
  test.each<[string, PeerAuth | undefined, object]>([
    ['none', undefined, { authorization: undefined }],
    ['bearer', { bearer: secret('t') }, { authorization: 'Bearer t', onCard: 'Bearer t' }],
    ['basic', { basic: { username: 'u', password: secret('p') } }, { authorization: 'Basic dTpw' }],
    ['header', { header: { 'X-Key': secret('k') } }, { key: 'k', authorization: undefined }],
    ['query', { query: { key: secret('a&b') } }, { path: '/rpc?key=a%26b' }],
  ])('%s goes with the call', async (_, auth, expected) => {
    expect(await asked(auth)).toMatchObject(expected);
  });

  test('by scheme goes where the card says', async () => {
    const card = {
      securitySchemes: {
        key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } },
        login: { httpAuthSecurityScheme: { scheme: 'Bearer' } },
      },
    };
    const required = { ...card, securityRequirements: [{ schemes: { other: { list: [] } } }, { schemes: { login: { list: [] } } }] };
    expect(await asked({ schemes: { login: secret('t') } }, required)).toMatchObject({ authorization: 'Bearer t', onCard: undefined });
    expect(await asked({ schemes: { key: secret('k') } }, card)).toMatchObject({ key: 'k' });
    await expect(asked({ schemes: { key: secret('k') } }, required)).rejects.toMatchObject({
      code: 'upstream_unauthorized',
      message: expect.stringContaining('other, or login'),
    });
  });

  test('oauth2 is one token for all, from where the card says', async () => {
    const forms: string[] = [];
    const { origin } = await serve(async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      forms.push(`${req.url} ${Buffer.concat(chunks)}`);
      answerJson(res, { access_token: 'fresh', token_type: 'Bearer', expires_in: 3600 });
    });
    const client = { clientId: 'id', clientSecret: secret('s') };
    expect(await asked({ oauth2: { ...client, tokenUrl: `${origin}/t`, scopes: ['all'] } })).toMatchObject({ authorization: 'Bearer fresh', known: ['fresh'], onCard: 'Bearer fresh' }); // prettier-ignore
    expect(forms).toEqual(['/t grant_type=client_credentials&scope=all']);
    const card = {
      securitySchemes: { login: { oauth2SecurityScheme: { flows: { clientCredentials: { tokenUrl: `${origin}/theirs`, scopes: {} } } } } },
    };
    // The word of a card sends the secret to no other origin.
    for (const said of [card, {}]) {
      await expect(asked({ oauth2: client }, said)).rejects.toMatchObject({
        code: 'upstream_unauthorized',
        message: expect.stringContaining('auth.oauth2.tokenUrl'),
      });
    }
    await expect(asked({ schemes: { login: client } }, card)).rejects.toMatchObject({ code: 'upstream_unauthorized' });
    expect(forms).toHaveLength(1);
  });

  test.each<[string, (client: OAuth2ClientCredentials) => PeerAuth]>([
    ['oauth2', (client) => ({ oauth2: client })],
    ['schemes', (client) => ({ schemes: { login: client } })],
  ])('%s asks the card’s own origin for a token where the card says so', async (_, auth) => {
    const { seen, origin } = await ownServer(({ origin: own }) => ({
      supportedInterfaces: [{ url: `${own}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
      securitySchemes: { login: { oauth2SecurityScheme: { flows: { clientCredentials: { tokenUrl: `${own}/token`, scopes: {} } } } } },
    }));
    await reply(ask(sourceOf(origin, { auth: auth({ clientId: 'id', clientSecret: secret('s') }) }), 'message/send'));
    expect(seen.filter((one) => one.startsWith('POST'))).toEqual(['POST /token basic', 'POST /rpc Bearer fresh']);
  });

  test("forward passes the caller's own token on, and never a key of this hub", async () => {
    const headers = { authorization: 'Bearer theirs' };
    expect(await asked({ forward: 'user' }, {}, { headers })).toMatchObject({ authorization: 'Bearer theirs', onCard: undefined });
    expect(await asked({ forward: 'user' })).toMatchObject({ authorization: undefined });
    await expect(asked({ forward: 'user' }, {}, { headers, consumer: OWNER })).rejects.toMatchObject({ code: 'not_implemented' });
  });

  test('oauth says that it is not built', async () => {
    await expect(asked('oauth')).rejects.toMatchObject({ code: 'not_implemented', message: expect.stringContaining('agents.a.auth') });
  });
});
