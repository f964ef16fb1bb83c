import { describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../../../src/config/types.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { verifyCard } from '../../../../../src/lanes/agents/cards/signing.ts';
import { cardAt, startAgents } from '../start-agents.ts';

const AGENTS: Record<string, AgentConfig> = {
  travel: {
    card: 'http://travel.test',
    access: [
      { consumers: ['alice'], allow: ['*'] },
      { consumers: ['bob'], allow: ['flights'] },
    ],
  },
  shown: { card: 'http://shown.test', publicCard: true, access: [{ consumers: ['alice'], allow: ['flights'] }] },
  mine: { card: 'http://mine.test', access: [{ consumers: ['alice'], allow: ['*'] }] },
  late: { card: 'http://late.test' },
};
const start = (more: Parameters<typeof startAgents>[0] = {}) =>
  startAgents({ agents: AGENTS, cards: { 'http://late.test': undefined }, ...more });
const as = (name: string, headers: object = {}): RequestInit => ({ headers: { authorization: `Bearer ${name}`, ...headers } });
const WELL_KNOWN = '/.well-known/agent-card.json';
const skillsOf = (card: JsonObject): string[] => (card['skills'] as { id: string }[]).map(({ id }) => id);

describe('the card of an agent', () => {
  it('is there under both names, for this caller alone, with what he may use', async () => {
    const hub = await start();
    for (const path of [WELL_KNOWN, '/.well-known/agent.json']) {
      const got = await hub.fetch(`/a2a/travel${path}`, as('bob', { 'a2a-version': '1.0' }));
      expect([got.status, skillsOf(got.json), got.headers.get('cache-control')]).toEqual([200, ['flights'], 'private, max-age=60']);
      expect(JSON.stringify(got.json)).not.toContain('travel.test');
    }
    expect(hub.inside()).toBe(0);
  });

  it('is in the version that is asked for, and without one in a shape that both readers take', async () => {
    const hub = await start();
    const card = async (query: string, headers: object) => (await hub.fetch(`/a2a/travel${WELL_KNOWN}${query}`, as('alice', headers))).json;
    const [one, old, asked, both] = [
      await card('', { 'a2a-version': '1.0' }),
      await card('', { 'a2a-version': '0.3' }),
      await card('?A2A-Version=0.3', {}),
      await card('', {}),
    ];
    expect(one).toHaveProperty('supportedInterfaces');
    expect(one).not.toHaveProperty('url');
    expect(old).toMatchObject({ url: `${hub.url}/a2a/travel`, preferredTransport: 'JSONRPC' });
    expect(old).not.toHaveProperty('supportedInterfaces');
    expect(asked).toEqual(old);
    expect(both).toMatchObject({ url: `${hub.url}/a2a/travel`, supportedInterfaces: expect.any(Array) });
    const wrong = await hub.fetch(`/a2a/travel${WELL_KNOWN}`, as('alice', { 'a2a-version': '7' }));
    expect([wrong.status, wrong.json.error?.['status']]).toEqual([400, 'FAILED_PRECONDITION']);
  });

  it('needs a key, but where the agent is shown to everybody', async () => {
    const hub = await start();
    expect((await hub.fetch(`/a2a/travel${WELL_KNOWN}`)).status).toBe(401);
    expect((await hub.fetch(`/a2a/none${WELL_KNOWN}`)).status).toBe(401);
    const shown = await hub.fetch(`/a2a/shown${WELL_KNOWN}`);
    expect([shown.status, skillsOf(shown.json), shown.headers.get('cache-control')]).toEqual([200, [], 'public, max-age=60']);
    const known = await hub.fetch(`/a2a/shown${WELL_KNOWN}`, as('alice'));
    expect([skillsOf(known.json), known.headers.get('cache-control')]).toEqual([['flights'], 'private, max-age=60']);
  });

  it('is not there for whoever may not call the agent', async () => {
    const hub = await start();
    expect((await hub.fetch(`/a2a/mine${WELL_KNOWN}`, as('bob'))).status).toBe(404);
    expect((await hub.fetch(`/a2a/none${WELL_KNOWN}`, as('bob'))).status).toBe(404);
    expect((await hub.fetch(`/a2a/shown${WELL_KNOWN}`, as('bob'))).status).toBe(200);
  });

  it('that is not known yet is asked for again, and waited for', async () => {
    const cards: Record<string, JsonObject | undefined> = { 'http://late.test': undefined };
    const hub = await start({ cards });
    expect((await hub.fetch(`/a2a/late${WELL_KNOWN}`, as('alice'))).status).toBe(503);
    cards['http://late.test'] = cardAt('http://late.test');
    expect((await hub.fetch(`/a2a/late${WELL_KNOWN}`, as('alice'))).status).toBe(200);
  });

  it('stays with whoever has it already', async () => {
    const hub = await start();
    const { headers } = await hub.fetch(`/a2a/travel${WELL_KNOWN}`, as('alice'));
    const again = await hub.fetch(`/a2a/travel${WELL_KNOWN}`, as('alice', { 'if-none-match': headers.get('etag')! }));
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('is signed with a key that anybody can fetch', async () => {
    const hub = await start();
    const { json } = await hub.fetch('/.well-known/jwks.json');
    const card = await hub.fetch(`/a2a/travel${WELL_KNOWN}`, as('alice', { 'a2a-version': '1.0' }));
    expect(await verifyCard(card.json, json['keys'] as JsonObject[])).toBe('verified');
  });
});

describe('the catalogues', () => {
  it('have the agents that this key may call; cards where they are known', async () => {
    const hub = await start({ publicUrl: 'https://hub.example/prefix/' });
    const names = async (name: string): Promise<[string[], string[]]> => {
      const own = await hub.fetch('/a2a', as(name));
      const links = await hub.fetch('/.well-known/api-catalog', as(name));
      expect(own.headers.get('cache-control')).toBe('private, no-cache');
      expect(links.headers.get('cache-control')).toBe('private, no-cache');
      return [
        (own.json['agents'] as { name: string }[]).map((one) => one.name),
        (links.json['linkset'] as { anchor: string }[]).map(({ anchor }) => anchor.slice(anchor.lastIndexOf('/') + 1)),
      ];
    };
    expect(await names('alice')).toEqual([
      ['travel', 'shown', 'mine'],
      ['travel', 'shown', 'mine', 'late'],
    ]);
    expect(await names('bob')).toEqual([['travel'], ['travel', 'late']]);
  });

  it('say where everything is', async () => {
    const hub = await start({ publicUrl: 'https://hub.example/prefix/' });
    const { json } = await hub.fetch('/a2a', as('alice'));
    const url = 'https://hub.example/prefix/a2a/travel';
    expect((json['agents'] as JsonObject[])[0]).toMatchObject({
      url,
      cardUrl: `${url}${WELL_KNOWN}`,
      card: { supportedInterfaces: [{ url }, {}, {}, {}] },
    });
    const links = await hub.fetch('/.well-known/api-catalog', as('alice'));
    expect(links.headers.get('content-type')).toBe('application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"');
    expect(links.headers.get('link')).toBe('<https://hub.example/prefix/.well-known/api-catalog>; rel="api-catalog"');
    expect((links.json['linkset'] as unknown[])[0]).toEqual({
      anchor: url,
      'service-desc': [{ href: `${url}${WELL_KNOWN}`, type: 'application/json' }],
    });
    const head = await hub.fetch('/.well-known/api-catalog', { ...as('alice'), method: 'HEAD' });
    expect([head.status, head.headers.get('content-type'), head.text]).toEqual([200, links.headers.get('content-type'), '']);
  });

  it('need a key', async () => {
    const hub = await start();
    expect([(await hub.fetch('/a2a')).status, (await hub.fetch('/.well-known/api-catalog')).status]).toEqual([401, 401]);
  });
});
