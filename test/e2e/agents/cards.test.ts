import { createLocalJWKSet, flattenedVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { askAdmin } from '../../support/ask-admin.ts';
import { consumer } from '../traffic/_limits.ts';
import { canonicalCard } from './_canonical.ts';
import { request, rpc, saying, sayingLegacy, type Stage, startStage, type Told } from './_stage.ts';

const PUBLIC = 'https://hub.example.com/ai';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({
    agents: [{ path: '/teams/7' }, { version: '0.3', path: '/old' }],
    config: (modern, legacy) => ({
      publicUrl: PUBLIC,
      agents: {
        modern: {
          card: modern.url,
          access: [
            { groups: ['staff'], allow: ['*'] },
            { consumers: ['ivo'], allow: [{ skill: 'ec*' }] },
          ],
        },
        legacy: { card: legacy.url, access: [{ groups: ['staff'], allow: ['*'] }] },
        shown: { card: modern.url, publicCard: true, description: 'In our words', access: [{ groups: ['staff'], allow: ['*'] }] },
      },
      consumers: [consumer('alice', { groups: ['staff'] }), consumer('ivo'), consumer('nobody')],
    }),
  });
});
afterAll(() => stage?.stop());

const card = (
  agent: string,
  version: '1.0' | '0.3' | '2.0',
  headers: Record<string, string> = {},
  as: string | null = 'alice',
): Promise<Told> =>
  request(stage.hub, 'GET', `/a2a/${agent}/.well-known/agent-card.json`, {
    ...(as !== null && { as }),
    headers: { 'a2a-version': version, ...headers },
  });
const skillsIn = ({ body }: Told): string[] => (body.skills as { id: string }[]).map(({ id }) => id);

describe.each(['modern', 'legacy'])('the card of an agent (%s)', (name) => {
  const address = `${PUBLIC}/a2a/${name}`;

  it('is that of 1.0 with the addresses and the door of the hub', async () => {
    const { status, body } = await card(name, '1.0');
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: 'Raw', version: '7.1.0', description: 'An agent made of raw JSON' });
    expect(body.supportedInterfaces.map(({ url }: JsonObject) => url)).toEqual(Array(4).fill(address));
    expect(
      new Set(body.supportedInterfaces.map((one: JsonObject) => `${String(one['protocolBinding'])} ${String(one['protocolVersion'])}`)),
    ).toEqual(new Set(['JSONRPC 1.0', 'HTTP+JSON 1.0', 'JSONRPC 0.3', 'HTTP+JSON 0.3']));
    expect(body.securitySchemes).toEqual({ hub: { httpAuthSecurityScheme: { scheme: 'Bearer', description: expect.any(String) } } });
    expect(body.securityRequirements).toEqual([{ schemes: { hub: { list: [] } } }]);
    expect(body).not.toHaveProperty('url');
  });

  it('is that of 0.3 for who asks for it', async () => {
    const { body } = await card(name, '0.3');
    expect(body).toMatchObject({
      url: address,
      preferredTransport: 'JSONRPC',
      protocolVersion: '0.3',
      supportsAuthenticatedExtendedCard: true,
    });
    expect(body.additionalInterfaces).toEqual([{ url: address, transport: 'HTTP+JSON' }]);
    expect(body.security).toEqual([{ hub: [] }]);
    expect(body.securitySchemes.hub).toMatchObject({ type: 'http', scheme: 'Bearer' });
    expect(body).not.toHaveProperty('supportedInterfaces');
  });

  it('has both shapes for who names no version', async () => {
    const { hub } = stage;
    const answer = await fetch(`${hub.url}/a2a/${name}/.well-known/agent-card.json`, {
      headers: { authorization: 'Bearer hg_key-of-alice' },
    });
    const body = (await answer.json()) as JsonObject;
    expect(body).toMatchObject({ url: address, protocolVersion: '0.3' });
    expect(body['supportedInterfaces']).toHaveLength(4);
  });

  it('is signed with the key that the hub shows', async () => {
    const { body } = await card(name, '1.0');
    const jwks = (await request(stage.hub, 'GET', '/.well-known/jwks.json')).body;
    const { signatures, ...content } = body;
    const payload = Buffer.from(canonicalCard(content)).toString('base64url');
    const { protectedHeader } = await flattenedVerify({ payload, ...signatures[0] }, createLocalJWKSet(jwks));
    expect(protectedHeader).toMatchObject({ jku: `${PUBLIC}/.well-known/jwks.json` });
    // The others are over what official libraries make of the card.
    for (const one of signatures) expect(one.protected).toBe(signatures[0].protected);
    const other = Buffer.from(canonicalCard({ ...content, name: 'Other' })).toString('base64url');
    await expect(flattenedVerify({ payload: other, ...signatures[0] }, createLocalJWKSet(jwks))).rejects.toThrow('signature');
  });

  it('has a tag that stays with the content', async () => {
    const first = await card(name, '1.0');
    const etag = first.headers.get('etag')!;
    expect(etag).toMatch(/^"/);
    expect(first.headers.get('cache-control')).toMatch(/private.*max-age=60|max-age=60.*private/);
    expect(first.headers.get('vary')).toMatch(/A2A-Version/i);
    expect(first.headers.get('vary')).toMatch(/Authorization/i);
    const again = await card(name, '1.0', { 'if-none-match': etag });
    expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
    const other = await card(name, '0.3', { 'if-none-match': etag });
    expect([other.status, other.headers.get('etag') === etag]).toEqual([200, false]);
  });

  it('that only some may see is fetched for each of them', async () => {
    const { agents } = stage;
    const agent = agents[name === 'modern' ? 0 : 1]!;
    const asked = (): number => agent.heard.filter(({ method }) => /extended/i.test(method)).length;
    const before = asked();
    const modern = await rpc(stage.hub, name, 'GetExtendedAgentCard', {}, { as: 'alice' });
    expect(modern.result.skills.map(({ id }: JsonObject) => id)).toEqual(['echo', 'count', 'inner']);
    expect(modern.result.supportedInterfaces[0].url).toBe(address);
    const legacy = await rpc(stage.hub, name, 'agent/getAuthenticatedExtendedCard', {}, { as: 'alice', version: '0.3' });
    expect(legacy.result.url).toBe(address);
    expect(asked()).toBe(before + 2);
    expect(`${modern.text}${legacy.text}`).not.toContain(String(agent.server.port));
  });
});

describe('whom a card is for', () => {
  it('skills that a consumer may not use are not on it, and the tag is another', async () => {
    const [alice, ivo] = [await card('modern', '1.0'), await card('modern', '1.0', {}, 'ivo')];
    expect([skillsIn(alice), skillsIn(ivo)]).toEqual([['echo', 'count'], ['echo']]);
    expect(ivo.headers.get('etag')).not.toBe(alice.headers.get('etag'));
    const legacy = await card('modern', '0.3', {}, 'ivo');
    expect(skillsIn(legacy)).toEqual(['echo']);
    const extended = await rpc(stage.hub, 'modern', 'GetExtendedAgentCard', {}, { as: 'ivo' });
    expect(extended.text).not.toContain('"inner"');
  });

  it('publicCard shows it without a key, and nothing else', async () => {
    const open = await card('shown', '1.0', {}, null);
    expect(open.status).toBe(200);
    expect(open.body.description).toBe('In our words');
    expect(open.headers.get('cache-control')).toContain('public');
    expect((await card('modern', '1.0', {}, null)).status).toBe(401);
    expect((await rpc(stage.hub, 'shown', 'SendMessage', {})).status).toBe(401);
    expect((await rpc(stage.hub, 'shown', 'GetExtendedAgentCard', {})).status).toBe(401);
  });

  it('catalogues hold what the consumer may call', async () => {
    const names = async (as: string): Promise<unknown> =>
      (await request(stage.hub, 'GET', '/a2a', { as })).body.agents.map(({ name }: JsonObject) => name);
    expect([await names('alice'), await names('ivo'), await names('nobody')]).toEqual([['modern', 'legacy', 'shown'], ['modern'], []]);
    const ivo = await request(stage.hub, 'GET', '/a2a', { as: 'ivo' });
    expect(ivo.body.agents[0]).toMatchObject({
      url: `${PUBLIC}/a2a/modern`,
      cardUrl: `${PUBLIC}/a2a/modern/.well-known/agent-card.json`,
      card: { skills: [{ id: 'echo' }] },
    });
    const links = await request(stage.hub, 'GET', '/.well-known/api-catalog', { as: 'ivo' });
    expect(links.headers.get('content-type')).toContain('application/linkset+json');
    expect(links.body.linkset).toEqual([
      {
        anchor: `${PUBLIC}/a2a/modern`,
        'service-desc': [{ href: `${PUBLIC}/a2a/modern/.well-known/agent-card.json`, type: 'application/json' }],
      },
    ]);
    expect((await request(stage.hub, 'GET', '/.well-known/api-catalog', { as: 'nobody' })).body.linkset).toEqual([]);
    expect((await request(stage.hub, 'GET', '/a2a')).status).toBe(401);
  });
});

it('a change of the card reaches callers, and its tag changes', async () => {
  const { hub, agents } = stage;
  const before = (await card('legacy', '1.0')).headers.get('etag');
  agents[1]!.card = { ...agents[1]!.card, version: '8.0.0' };
  expect((await askAdmin(hub, 'POST', '/agents/legacy/refresh')).status).toBe(200);
  const after = await card('legacy', '1.0', { 'if-none-match': before! });
  expect([after.status, after.body.version]).toEqual([200, '8.0.0']);
});

it('a version that is none of A2A is refused in its words', async () => {
  const odd = await card('modern', '2.0');
  expect([odd.status, odd.body.error.details[0].reason]).toEqual([400, 'VERSION_NOT_SUPPORTED']);
  const call = await rpc(stage.hub, 'modern', 'SendMessage', {}, { as: 'alice', headers: { 'a2a-version': '2.0' } });
  expect(call.error.code).toBe(-32009);
});

describe('extensions', () => {
  it.each([
    ['modern', 'a2a-extensions'],
    ['legacy', 'x-a2a-extensions'],
  ])('that the card of %s has are asked for, by the name of its version, and no others', async (name, header) => {
    const { hub, agents } = stage;
    const agent = agents[name === 'modern' ? 0 : 1]!;
    const [known, other] = ['https://extensions.example/known', 'https://extensions.example/other'];
    agent.card = { ...agent.card, capabilities: { ...(agent.card['capabilities'] as JsonObject), extensions: [{ uri: known }] } };
    await askAdmin(hub, 'POST', `/agents/${name}/refresh`);
    expect((await card(name, '1.0')).body.capabilities.extensions).toEqual([{ uri: known }]);
    await rpc(hub, name, 'SendMessage', saying('hello'), { as: 'alice', headers: { 'a2a-extensions': `${other}, ${known}` } });
    expect(agent.heard.at(-1)!.headers).toMatchObject({ [header]: known, 'a2a-version': name === 'modern' ? '1.0' : '0.3' });
    await rpc(hub, name, 'message/send', sayingLegacy('hello'), { as: 'alice', version: '0.3', headers: { 'x-a2a-extensions': known } });
    expect(agent.heard.at(-1)!.headers[header]).toBe(known);
    await rpc(hub, name, 'SendMessage', saying('hello'), { as: 'alice' });
    expect(agent.heard.at(-1)!.headers[header]).toBeUndefined();
  });
});

it('a hub without consumers has cards without a door, and lets everybody in', async () => {
  const open = await startStage({ config: ({ url }) => ({ agents: { desk: { card: url } } }) });
  try {
    const { body } = await request(open.hub, 'GET', '/a2a/desk/.well-known/agent-card.json');
    expect(body).not.toHaveProperty('securitySchemes');
    expect(body).not.toHaveProperty('securityRequirements');
    expect(body.supportedInterfaces[0].url).toBe(`${open.hub.url}/a2a/desk`);
    const { result } = await rpc(open.hub, 'desk', 'SendMessage', saying('hello'));
    expect((await rpc(open.hub, 'desk', 'GetTask', { id: result.task.id })).result.id).toBe(result.task.id);
  } finally {
    await open.stop();
  }
});
