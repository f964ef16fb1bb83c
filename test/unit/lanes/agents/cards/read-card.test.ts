import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../../../src/core/errors.ts';
import { readCard } from '../../../../../src/lanes/agents/cards/read-card.ts';
import { hybridCard } from '../../../../../src/lanes/agents/cards/card-versions.ts';
import { CARD_03, CARD_10 } from './sample-cards.ts';

const LEAST = { name: 'A', url: 'https://a.example/a2a' };

describe('readCard', () => {
  it('reads a card of 1.0 as it is', () => {
    const { card, interfaces } = readCard(CARD_10);
    expect(card).toEqual(CARD_10);
    expect(interfaces).toEqual([
      { url: 'https://agent.internal:8443/base/a2a', binding: 'JSONRPC', version: '1.0', tenant: 'blue' },
      { url: 'https://agent.internal:8443/base/rest', binding: 'HTTP+JSON', version: '1.0' },
      { url: 'https://agent.internal:8443/base/a2a', binding: 'JSONRPC', version: '0.3' },
      { url: 'https://agent.internal:8443/base/rest', binding: 'HTTP+JSON', version: '0.3' },
      { url: 'agent.internal:50051', binding: 'GRPC', version: '1.0' },
    ]);
  });

  it('reads a card of 0.3, and one of both versions without doubling anything', () => {
    expect(readCard(CARD_03).interfaces).toEqual([
      { url: 'https://agent.internal:8443/base/a2a', binding: 'JSONRPC', version: '0.3' },
      { url: 'https://agent.internal:8443/base/rest', binding: 'HTTP+JSON', version: '0.3' },
    ]);
    expect(readCard(hybridCard(CARD_10)).interfaces).toEqual(readCard(CARD_10).interfaces);
  });

  it('takes the address of 0.3 beside other interfaces of 1.0', () => {
    const card = {
      ...LEAST,
      protocolVersion: '0.3.0',
      supportedInterfaces: [{ url: LEAST.url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
    };
    expect(readCard(card).interfaces).toEqual([
      { url: LEAST.url, binding: 'JSONRPC', version: '1.0' },
      { url: LEAST.url, binding: 'JSONRPC', version: '0.3' },
    ]);
  });

  it('takes the least that can be called, odd names and odd versions', () => {
    expect(readCard(LEAST)).toEqual({
      card: {
        name: 'A',
        supportedInterfaces: [{ url: LEAST.url, protocolBinding: 'JSONRPC', protocolVersion: '0.3' }],
        capabilities: {},
        defaultInputModes: [],
        defaultOutputModes: [],
        skills: [],
      },
      interfaces: [{ url: LEAST.url, binding: 'JSONRPC', version: '0.3' }],
    });
    expect(readCard({ ...LEAST, protocolVersion: '0.2.6', preferredTransport: 'jsonrpc' }).interfaces[0]).toMatchObject({
      binding: 'JSONRPC',
      version: '0.3',
    });
    const written = { supported_interfaces: [{ url: '/a2a', protocol_binding: 'http+json', protocol_version: '1.0.1' }], icon_url: null };
    expect(readCard({ name: 'A', ...written }, 'https://a.example/x/card.json').interfaces).toEqual([
      { url: 'https://a.example/a2a', binding: 'HTTP+JSON', version: '1.0' },
    ]);
    expect(readCard({ name: 'A', protocolVersions: ['1.0'], supportedInterfaces: [{ url: LEAST.url }] }).interfaces).toEqual([
      { url: LEAST.url, binding: 'JSONRPC', version: '1.0' },
    ]);
    expect(readCard({ ...LEAST, skills: [{ name: 'plan' }], provider: null }).card).toMatchObject({ skills: [{ id: 'plan' }] });
  });

  it.each([
    ['a text', /no JSON object/],
    [{}, /has no name/],
    [{ name: 'A' }, /neither supportedInterfaces .* nor url/],
    [{ ...LEAST, name: 7 }, /field name of the agent card must be text/],
    [{ ...LEAST, url: 'agent' }, /field url of/],
    [{ ...LEAST, url: 'ftp://a.example' }, /field url of/],
    [{ ...LEAST, additionalInterfaces: [{ url: 'nonsense', transport: 'JSONRPC' }] }, /additionalInterfaces\[0\]\.url/],
    [{ name: 'A', supportedInterfaces: [{ protocolBinding: 'JSONRPC' }] }, /supportedInterfaces\[0\]\.url/],
    [{ ...LEAST, skills: {} }, /field skills of the agent card must be a list/],
    [{ ...LEAST, skills: [{ id: 'a', tags: ['x', 3] }] }, /skills\[0\]\.tags\[1\] .* must be text/],
    [{ ...LEAST, skills: [{ tags: [] }] }, /skills\[0\]\.id .* missing/],
    [{ ...LEAST, capabilities: { streaming: 'yes' } }, /capabilities\.streaming .* true or false/],
    [{ ...LEAST, security: [{ key: 'x' }] }, /security\[0\]\.key .* list/],
    [{ ...LEAST, securitySchemes: { key: 'x' } }, /securitySchemes\.key .* object/],
  ])('refuses %j and names the field', (raw, message) => {
    expect(() => readCard(raw)).toThrow(expect.objectContaining({ code: 'upstream_failed', message: expect.stringMatching(message) }));
  });

  it('is not drowned by nesting', () => {
    let deep: unknown = 'x';
    for (let level = 0; level < 50_000; level++) deep = [deep];
    expect(() => readCard({ ...LEAST, vendor: deep })).toThrow(/nested too deep/);
  });

  it('answers any JSON with a card or a GatewayError, never anything else', () => {
    const fields = Object.keys({ ...CARD_10, ...CARD_03 });
    const part = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(...Object.values(CARD_10), ...Object.values(CARD_03)));
    const raw = fc.dictionary(fc.oneof(fc.constantFrom(...fields), fc.string()), part).map((more) => ({ ...LEAST, ...more }));
    fc.assert(
      fc.property(raw, (card) => {
        try {
          const read = readCard(card);
          return read.interfaces.length > 0 && readCard(read.card).interfaces.length > 0;
        } catch (error) {
          return error instanceof GatewayError && error.code === 'upstream_failed';
        }
      }),
    );
  });
});
