import { AgentCard } from '@a2a-js/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { cardToV03, hybridCard } from '../../../../../src/lanes/agents/cards/card-versions.ts';
import { readCard } from '../../../../../src/lanes/agents/cards/read-card.ts';
import { writeCard, type CardFacts } from '../../../../../src/lanes/agents/cards/write-card.ts';
import { CARD_03, CARD_10 } from './sample-cards.ts';

const FACTS: CardFacts = {
  base: 'https://hub.example/prefix/a2a/routes',
  bindings: ['JSONRPC', 'HTTP+JSON'],
  versions: ['1.0', '0.3'],
  security: 'keys',
  skills: () => true,
  streaming: true,
  pushNotifications: true,
  extendedAgentCard: false,
  extensions: () => true,
  internal: [],
};

const write = (card: JsonObject, facts: Partial<CardFacts> = {}): JsonObject => writeCard(readCard(card).card, { ...FACTS, ...facts });

describe('writeCard', () => {
  it('puts the hub in the place of the agent', () => {
    const card = write(CARD_10);
    expect(card).toMatchObject({
      name: 'Routes',
      vendor: CARD_10['vendor'],
      documentationUrl: 'https://docs.geo.example/routes',
      provider: { organization: 'Geo', url: 'https://geo.example' },
      capabilities: { streaming: true, pushNotifications: true, extendedAgentCard: false, stateTransitionHistory: true },
      securitySchemes: { hub: { httpAuthSecurityScheme: { scheme: 'Bearer' } } },
      securityRequirements: [{ schemes: { hub: { list: [] } } }],
    });
    expect(card['supportedInterfaces']).toEqual(
      ['1.0', '0.3'].flatMap((protocolVersion) =>
        ['JSONRPC', 'HTTP+JSON'].map((protocolBinding) => ({ url: FACTS.base, protocolBinding, protocolVersion })),
      ),
    );
    expect(JSON.stringify(card)).not.toMatch(/agent\.internal|X-Key|login\.geo|blue|securityRequirements.*token/);
    expect(Object.keys(card['securitySchemes'] as object)).toEqual(['hub']);
  });

  it('shows what is offered and what the caller may use', () => {
    const card = write(
      { ...CARD_10, signatures: [{ protected: 'a', signature: 'b' }], authentication: { schemes: ['Basic'] } },
      {
        bindings: ['HTTP+JSON'],
        versions: ['1.0'],
        security: 'open',
        skills: ({ id }) => id === 'draw',
        extensions: () => false,
        description: 'Ours.',
        icons: [{ src: 'https://hub.example/icon.png' }],
      },
    );
    expect(card).toMatchObject({
      supportedInterfaces: [{ protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' }],
      skills: [{ id: 'draw' }],
      capabilities: { extensions: [] },
      description: 'Ours.',
      iconUrl: 'https://hub.example/icon.png',
    });
    for (const field of ['securitySchemes', 'securityRequirements', 'signatures', 'authentication']) expect(card).not.toHaveProperty(field);
  });

  it('gives the poorest agent a card that readers of both versions take', () => {
    const card = write({ name: 'A', url: 'https://a.example', skills: [{ id: 'x' }], provider: { organization: 'Geo' } });
    expect(card).toMatchObject({
      description: 'A',
      version: '0.0.0',
      defaultInputModes: ['text/plain'],
      skills: [{ id: 'x', name: 'x', description: 'x', tags: [] }],
    });
    expect(card).not.toHaveProperty('provider');
    expect(AgentCard.toJSON(AgentCard.fromJSON(card))).toMatchObject({ name: 'A', skills: [{ id: 'x' }] });
    expect(cardToV03(card)).toMatchObject({ url: FACTS.base, preferredTransport: 'JSONRPC', security: [{ hub: [] }] });
  });

  it('turns what is below an interface to the hub, and takes other addresses of the agent out', () => {
    const card = write({
      ...CARD_10,
      iconUrl: 'https://agent.internal:8443/base/a2a/icon.png?size=2#x',
      documentationUrl: 'https://agent.internal/docs',
      description: 'See https://agent.internal:8443/base/a2a/help, or (https://agent.internal/x) and https://docs.example/y.',
      provider: { organization: 'Geo', url: 'http://AGENT.internal' },
      vendor: {
        'https://agent.internal/key': 1,
        kept: 'https://docs.example/?next=x',
        outer: 'https://docs.example/?next=https%3A%2F%2Fagent%2Einternal%3A8443%2Fz',
        list: ['https://agent.internal:8443/base/a2a', 'agent.internal', 'ok'],
      },
      skills: [
        { id: 'plan', name: 'agent.internal', examples: ['call agent.internal:8443', 'plan'] },
        { id: 'https://agent.internal/skill', name: 'Gone' },
      ],
      capabilities: {
        extensions: [{ uri: 'https://agent.internal/ext' }, { uri: 'https://geo.example/ext', params: { at: 'https://agent.internal' } }],
      },
    });
    expect(card).toMatchObject({
      iconUrl: `${FACTS.base}/icon.png?size=2#x`,
      description: `See ${FACTS.base}/help, or ([removed]) and https://docs.example/y.`,
      vendor: { kept: 'https://docs.example/?next=x', list: [FACTS.base, 'ok'] },
      skills: [{ id: 'plan', name: 'plan', examples: ['call [removed]', 'plan'] }],
    });
    expect(card['vendor']).toEqual({ kept: 'https://docs.example/?next=x', list: [FACTS.base, 'ok'] });
    expect((card['capabilities'] as JsonObject)['extensions']).toEqual([{ uri: 'https://geo.example/ext', params: {} }]);
    expect(card).not.toHaveProperty('documentationUrl');
    expect(card).not.toHaveProperty('provider');
    expect(card['skills']).toHaveLength(1);
  });

  it('leaves words alone that are only called like a host', () => {
    const card = write(
      {
        ...CARD_03,
        url: 'http://agent:9000/',
        additionalInterfaces: [],
        description: 'An agent for agents; agent/plan. Not http://agent:9000/x or //agent.',
      },
      { internal: ['agent'] },
    );
    expect(card['description']).toBe(`An agent for agents; agent/plan. Not ${FACTS.base}/x or [removed].`);
  });

  it('serves a hub on the host of the agent', () => {
    const card = write(
      {
        ...CARD_03,
        url: 'http://127.0.0.1:9000/a2a',
        additionalInterfaces: [],
        documentationUrl: 'http://localhost:9000/a2a/docs',
        iconUrl: 'http://127.0.0.1:9000/a2a/i.png',
      },
      { base: 'http://127.0.0.1:8787/a2a/routes', internal: ['localhost:9000'] },
    );
    expect(card).toMatchObject({
      iconUrl: 'http://127.0.0.1:8787/a2a/routes/i.png',
      supportedInterfaces: [{ url: 'http://127.0.0.1:8787/a2a/routes' }, {}, {}, {}],
    });
    expect(card).not.toHaveProperty('documentationUrl');
  });

  it('is done in time, whatever the agent writes', () => {
    const before = performance.now();
    for (const text of ['.'.repeat(500_000), `${'/'.repeat(500_000)}x`, `${'%25'.repeat(150_000)}30`, 'a.'.repeat(250_000)]) {
      write({ ...CARD_10, description: text, vendor: `agent.internal${text}` }, { internal: ['10.0.0.1'] });
    }
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});

/** Spellings of one host, all of which a client would connect to. */
const HOSTS: readonly (readonly [string, ...string[]])[] = [
  [
    'up-7f3a.corp.internal',
    'UP-7F3A.Corp.Internal',
    'up-7f3a.corp.internal.',
    'up%2D7f3a%2ecorp.internal',
    'up-7f3a\u3002corp.internal',
    'up-\u00AD7f3a.corp.internal',
  ],
  ['10.20.30.40', '0x0a.20.30.40', '169090600', '10.20.30.050', '１０.20.30.40', '10%2E20%2e30.40'],
  ['[fd00:12::7:1]', '[FD00:0012:0:0:0:0:7:1]', '%5Bfd00:12::7:1%5D'],
  ['xn--mnchen-3ya.corp.internal', 'münchen.corp.internal', 'M\u00DCNCHEN.corp.internal'],
];

describe('no byte of an upstream host', () => {
  it.each(HOSTS)('%s', (host, ...spellings) => {
    const bare = host.replaceAll(/[[\]]/g, '');
    const path = fc
      .array(fc.constantFrom('base', 'v1', 'a%20b', '..', '%2e%2e', 'a2a', '', '%2f'), { maxLength: 4 })
      .map((parts) => parts.map((part) => `/${part}`).join(''));
    const port = fc.constantFrom('', ':80', ':8443', ':443');
    const scheme = fc.constantFrom('https:', 'http:', 'HTTPS:', 'ws:', 'grpc:', '');
    const address = fc.tuple(scheme, fc.constantFrom(host, ...spellings), port, path).map(([s, h, p, rest]) => `${s}//${h}${p}${rest}`);
    const encoded = fc
      .tuple(address, fc.nat({ max: 3 }))
      .map(([url, times]) => Array.from({ length: times }).reduce((text: string) => encodeURIComponent(text), url));
    const odd = fc.oneof(
      encoded,
      encoded.map((url) => `https://docs.example/go?next=${url}`),
      encoded.map((url) => `See [the docs](${url}), then <${url}>.`),
      encoded.map((url) => `{"callback":"${url}"}`),
      fc.constantFrom(host, ...spellings).map((name) => `${name} is where it runs`),
      address.map((url) => url.replace('//', '//user:secret@')),
      address.map((url) => url.replaceAll('/', '\\')),
      address.map((url) => `${url.slice(0, 9)}\n${url.slice(9)}`),
      fc.string(),
    );
    const any = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        odd,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(odd, tie('value'), { maxKeys: 3 }),
        fc.integer(),
        fc.constant(null),
      ),
    })).value;
    const urls = fc.tuple(fc.constantFrom('http', 'https'), port, path).map(([s, p, rest]) => `${s}://${host}${p}${rest}`);
    const card = fc.record({
      name: fc.oneof(odd, fc.constant('A')),
      description: odd,
      documentationUrl: odd,
      iconUrl: odd,
      provider: fc.record({ url: odd, organization: odd }),
      supportedInterfaces: fc.array(
        fc.record({
          url: urls,
          protocolBinding: fc.constantFrom('JSONRPC', 'HTTP+JSON', 'GRPC'),
          protocolVersion: fc.constantFrom('1.0', '0.3'),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      capabilities: fc.record({ extensions: fc.array(fc.record({ uri: odd, params: any })), more: any }),
      securitySchemes: fc.record({ a: fc.record({ openIdConnectSecurityScheme: fc.record({ openIdConnectUrl: odd }) }) }),
      skills: fc.array(fc.record({ id: odd, name: odd, description: odd, tags: fc.array(odd), examples: fc.array(odd), more: any })),
      vendor: any,
    });
    const base = fc.constantFrom(
      'https://hub.example/a2a/routes',
      'https://hub.example/prefix/x/a2a/routes',
      'http://192.0.2.9:8787/a2a/routes',
    );
    const found = [bare, ...spellings].map((name) => name.toLowerCase());
    fc.assert(
      fc.property(card, base, (one, base) => {
        const facts = { ...FACTS, base, internal: [`${host}:8443`] };
        const written = writeCard(one, facts);
        for (const out of [written, cardToV03(written), hybridCard(written)]) {
          let text = JSON.stringify(out).toLowerCase();
          for (let round = 0; round < 5; round++) {
            for (const name of found) expect(text).not.toContain(name);
            text = text.replaceAll(/(?:%[0-9a-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString()).toLowerCase();
          }
        }
        expect((written['supportedInterfaces'] as JsonObject[]).every(({ url }) => url === base)).toBe(true);
      }),
      { numRuns: 120 },
    );
  });

  it('but any other text stays as it is', () => {
    const clean = fc.oneof(fc.string(), fc.webUrl(), fc.ipV4(), fc.emailAddress()).filter((text) => !/corp\.internal|10\.20/.test(text));
    fc.assert(
      fc.property(clean, fc.constantFrom('up-7f3a.corp.internal', '10.20.30.40:80', 'agent'), (text, host) => {
        const { vendor } = write({
          ...CARD_10,
          supportedInterfaces: [{ url: `http://${host}/a2a`, protocolVersion: '1.0' }],
          vendor: text,
        });
        expect(vendor).toBe(text);
      }),
    );
  });
});
