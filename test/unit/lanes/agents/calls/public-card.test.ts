import { describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../../../src/config/types.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { createCardSigner, verifyCard } from '../../../../../src/lanes/agents/cards/signing.ts';
import { capabilities, publicCard, shownCard } from '../../../../../src/lanes/agents/calls/public-card.ts';
import { agentOf, ALICE, BOB, cardAt, fakeSource, target } from '../start-agents.ts';

const BASE = 'https://hub.test';
const signer = createCardSigner(Buffer.alloc(32, 1));
const keyed = { signer, isOpen: () => false };
const OWN = cardAt('http://travel.test');

const show = (own: JsonObject, config: AgentConfig = {}): JsonObject => shownCard(agentOf(config), own, () => true, BASE, keyed);

describe('the card of an agent as callers get it', () => {
  it('has the address of the hub, in all versions and bindings', () => {
    const { supportedInterfaces } = show(OWN);
    expect(supportedInterfaces).toHaveLength(4);
    expect(new Set((supportedInterfaces as { url: string }[]).map(({ url }) => url))).toEqual(new Set([`${BASE}/a2a/travel`]));
  });

  it('is signed by the hub', async () => {
    const card = publicCard(agentOf(), OWN, ALICE, BASE, keyed);
    const [key] = signer.jwks['keys'] as JsonObject[];
    expect(await verifyCard(card, [key!])).toBe('verified');
    const [{ protected: header }] = card['signatures'] as [{ protected: string }];
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ jku: `${BASE}/.well-known/jwks.json` });
    expect(await verifyCard({ ...card, description: 'another' }, [key!])).toBe('invalid');
  });

  it('has the skills that its reader may use', () => {
    const agent = agentOf({
      access: [
        { consumers: ['alice'], allow: ['flights'] },
        { consumers: ['bob'], allow: ['*'] },
      ],
    });
    const ids = (card: JsonObject): string[] => (card['skills'] as { id: string }[]).map(({ id }) => id);
    expect(ids(publicCard(agent, OWN, ALICE, BASE, keyed))).toEqual(['flights']);
    expect(ids(publicCard(agent, OWN, BOB, BASE, keyed))).toEqual(['flights', 'hotels']);
  });

  it('asks for a key where one is needed', () => {
    expect(show(OWN)).toHaveProperty('securitySchemes');
    expect(shownCard(agentOf(), OWN, () => true, BASE, { isOpen: () => true })).not.toHaveProperty('securitySchemes');
  });

  it('says no more of the agent than it says itself, and what the operator says in its place', () => {
    const own = {
      ...OWN,
      capabilities: { streaming: false, extensions: [{ uri: 'https://a.example/x' }, { uri: 'https://a.example/y' }] },
    };
    expect(show(own, { description: 'Ours.', extensions: ['https://a.example/y'] })).toMatchObject({
      description: 'Ours.',
      capabilities: { streaming: false, pushNotifications: false, extendedAgentCard: false, extensions: [{ uri: 'https://a.example/y' }] },
    });
    expect(show(OWN)).toMatchObject({ capabilities: { streaming: true, pushNotifications: true, extendedAgentCard: true } });
  });

  it('shows no address that only the hub knows: of any instance, interface or place in the configuration', () => {
    const second = fakeSource('travel#2', undefined, { card: cardAt('http://rpc.internal.test') });
    const config: AgentConfig = { targets: [target('http://card.internal.test'), target('http://other.internal.test/x')] };
    const hosts = ['travel.test', 'travel-2.test', 'rpc.internal.test', 'card.internal.test', 'other.internal.test'];
    const own = {
      ...OWN,
      description: `See ${hosts.map((host) => `http://${host}/docs`).join(' and ')}.`,
      documentationUrl: 'https://public.example/docs',
    };
    const text = JSON.stringify(shownCard(agentOf(config, [{}, { source: second }]), own, () => true, BASE, keyed));
    expect(hosts.filter((host) => text.includes(host))).toEqual([]);
    expect(text).toContain('https://public.example/docs');
    const rest = agentOf({ rest: { url: 'http://app.internal.test', spec: 'http://spec.internal.test/openapi.json' } });
    const said = { ...OWN, description: 'http://app.internal.test and http://spec.internal.test/x' };
    expect(JSON.stringify(shownCard(rest, said, () => true, BASE, keyed))).not.toContain('internal.test');
  });
});

it.each([
  [{ capabilities: { streaming: true } }, true],
  [{ capabilities: { streaming: 'yes' } }, false],
  [{ capabilities: null }, false],
  [{}, false],
])('%j streams: %s', (card, streams) => expect(capabilities(card)('streaming')).toBe(streams));
