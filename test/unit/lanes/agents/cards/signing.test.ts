import { randomBytes } from 'node:crypto';
import { DefaultAgentCardResolver } from '@a2a-js/sdk/client';
import { AgentCard, canonicalizeAgentCard, generateAgentCardSignature, verifyAgentCardSignature } from '@a2a-js/sdk';
import fc from 'fast-check';
import { exportJWK, FlattenedSign, generateKeyPair, importJWK } from 'jose';
import type { JWK } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { writtenForms } from '../../../../../src/lanes/agents/cards/canonical-card.ts';
import { cardToV03, hybridCard } from '../../../../../src/lanes/agents/cards/card-versions.ts';
import { createCardSigner, verifyCard } from '../../../../../src/lanes/agents/cards/signing.ts';
import { CARD_03, CARD_10 } from './sample-cards.ts';

const SECRET = Buffer.alloc(32, 7);
const BEARER = { securityRequirements: [{ schemes: { hub: { list: [] } } }], skills: [], description: '' };

const keysOf = ({ jwks }: { readonly jwks: JsonObject }): readonly JsonObject[] => jwks['keys'] as JsonObject[];

/** As a client with the official library does; resolves when the signature is good. */
async function verifyBySdk(card: JsonObject, keys: readonly JsonObject[]): Promise<void> {
  vi.spyOn(console, 'debug').mockReturnValue();
  await verifyAgentCardSignature(async (kid) => {
    const jwk = keys.find((key) => key['kid'] === kid);
    return (await importJWK(jwk as JWK, 'EdDSA')) as never;
  })(card as never);
}

async function signBySdk(card: JsonObject, alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const signed = await generateAgentCardSignature(privateKey, { alg, kid: 'k1', typ: 'JOSE' })(AgentCard.fromJSON(card));
  return { card: AgentCard.toJSON(signed) as JsonObject, key: { ...(await exportJWK(publicKey)), kid: 'k1' } as JsonObject };
}

describe('createCardSigner', () => {
  it.each([
    ['a full card', CARD_10],
    ['a card with empty required fields', { ...CARD_10, ...BEARER }],
    ['unknown fields of all kinds', { ...CARD_10, vendor: { a: [null, '', 1e21] }, capabilities: { streaming: false, odd: {} } }],
  ])('makes signatures that the official library takes: %s', async (_what, card) => {
    const signer = createCardSigner(SECRET);
    const signed = signer.sign(card);
    await verifyBySdk(signed, keysOf(signer));
    await verifyBySdk(hybridCard(signed), keysOf(signer));
    const resolver = new DefaultAgentCardResolver({ legacyCompat: { enabled: true } });
    await verifyBySdk(resolver.normalizeAgentCard(structuredClone(signed)) as never, keysOf(signer));
    await verifyBySdk(resolver.normalizeAgentCard(structuredClone(hybridCard(signed))) as never, keysOf(signer));
    expect(await verifyCard(signed, keysOf(signer))).toBe('verified');
    expect(signed).toMatchObject({ vendor: card['vendor'] });
    await expect(verifyBySdk({ ...signed, name: 'Another' }, keysOf(signer))).rejects.toThrow(/No valid signatures/);
    expect(await verifyCard({ ...signed, name: 'Another' }, keysOf(signer))).toBe('invalid');
  });

  it('signs alike on every node and after every restart, and otherwise with another key', () => {
    const signed = createCardSigner(SECRET).sign(CARD_10, 'https://hub.example/jwks.json');
    expect(createCardSigner(Buffer.from(SECRET)).sign(CARD_10, 'https://hub.example/jwks.json')).toEqual(signed);
    expect(createCardSigner(randomBytes(32)).jwks).not.toEqual(createCardSigner(SECRET).jwks);
  });

  it('says in the header how to check', () => {
    const signer = createCardSigner(SECRET);
    const [{ protected: header }] = signer.sign(CARD_10, 'https://hub.example/jwks.json')['signatures'] as [{ protected: string }];
    const [key] = keysOf(signer);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      alg: 'EdDSA',
      kid: key?.['kid'],
      typ: 'JOSE',
      jku: 'https://hub.example/jwks.json',
    });
    expect(Object.keys(key as object)).not.toContain('d');
  });

  it('replaces signatures that were there', () => {
    const signer = createCardSigner(SECRET);
    const foreign = { protected: 'x', signature: 'y' };
    expect(signer.sign({ ...CARD_10, signatures: [foreign] })['signatures']).not.toContainEqual(foreign);
  });
});

describe('writtenForms', () => {
  it('has the example of the specification (8.4.1)', () => {
    const card = {
      name: 'Example Agent',
      description: '',
      capabilities: { streaming: false, pushNotifications: false, extensions: [] },
      skills: [],
    };
    const [written] = writtenForms(card);
    expect(written).toBe(
      '{"capabilities":{"pushNotifications":false,"streaming":false},"description":"","name":"Example Agent","skills":[]}',
    );
  });

  it('has the form of the official library for any card', () => {
    const text = fc.string({ unit: 'binary' });
    // The library sets this one where it means to add a key.
    const PROTO = '__proto__';
    const key = text.filter((one) => one !== PROTO);
    const json = fc.jsonValue().filter((one) => !JSON.stringify(one).includes(JSON.stringify(PROTO)));
    const texts = fc.array(text, { maxLength: 3 });
    const requirements = fc.array(fc.record({ schemes: fc.dictionary(key, fc.record({ list: texts })) }), { maxLength: 2 });
    const optional = { requiredKeys: [] };
    const skill = fc.record(
      { id: text, name: text, description: text, tags: texts, examples: texts, securityRequirements: requirements },
      optional,
    );
    const extension = fc.record({ uri: text, required: fc.boolean(), params: fc.dictionary(key, json) }, optional);
    const card = fc.record(
      {
        name: text,
        description: text,
        iconUrl: text,
        provider: fc.record({ url: text, organization: text }, optional),
        supportedInterfaces: fc.array(fc.record({ url: text, protocolBinding: text, tenant: text, protocolVersion: text }, optional)),
        capabilities: fc.record({ streaming: fc.boolean(), extensions: fc.array(extension), odd: json }, optional),
        securitySchemes: fc.dictionary(
          key,
          fc.constantFrom({ httpAuthSecurityScheme: { scheme: 'bearer', bearerFormat: '' } }, { mtlsSecurityScheme: {} }),
        ),
        securityRequirements: requirements,
        skills: fc.array(skill),
        vendor: json,
      },
      optional,
    );
    fc.assert(
      fc.property(card, (one) => {
        const forms = writtenForms(one);
        expect(forms).toContain(canonicalizeAgentCard(one as never));
        expect(forms).toContain(canonicalizeAgentCard(AgentCard.fromJSON(one)));
      }),
    );
  });
});

describe('verifyCard', () => {
  it.each(['ES256', 'EdDSA', 'RS256', 'PS384'])('takes a signature of the official library by %s', async (alg) => {
    const { card, key } = await signBySdk(CARD_10, alg);
    expect(await verifyCard(card, [key])).toBe('verified');
    expect(await verifyCard({ ...card, description: 'Another.' }, [key])).toBe('invalid');
    expect(await verifyCard(card, [])).toBe('unchecked');
    const { kid: _, ...unnamed } = key;
    expect(await verifyCard(card, [unnamed])).toBe('verified');
    expect(await verifyCard(card, [{ ...key, kid: 'k2' }])).toBe('invalid');
  });

  it('takes signatures over the card as it stands, of both versions', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const key = { ...(await exportJWK(publicKey)), kid: 'k1' } as JsonObject;
    for (const card of [{ b: 1, a: { d: '', c: 'ä' } }, { ...cardToV03(CARD_10) }, CARD_03]) {
      const sorted = (value: unknown): unknown =>
        Array.isArray(value) || typeof value !== 'object' || value === null
          ? value
          : Object.fromEntries(
              Object.entries(value)
                .sort()
                .map(([name, item]) => [name, sorted(item)]),
            );
      const deep = JSON.parse(JSON.stringify(card), (_, value: unknown) => sorted(value)) as JsonObject;
      const jws = await new FlattenedSign(Buffer.from(JSON.stringify(deep)))
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .sign(privateKey);
      expect(await verifyCard({ ...card, signatures: [{ protected: jws.protected, signature: jws.signature }] }, [key])).toBe('verified');
    }
  });

  it('trusts no key and no algorithm of the card', async () => {
    const secret = { kty: 'oct', k: Buffer.from('shared').toString('base64url'), kid: 'k1' };
    const signWith = async (header: { alg: string; [name: string]: unknown }, key: Parameters<FlattenedSign['sign']>[0]) => {
      const { protected: head, signature } = await new FlattenedSign(Buffer.from(writtenForms(CARD_10)[0] as string))
        .setProtectedHeader(header)
        .sign(key);
      return { ...CARD_10, signatures: [{ protected: head, signature }] };
    };
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const own = await exportJWK(publicKey);
    const { key } = await signBySdk(CARD_10);
    expect(await verifyCard(await signWith({ alg: 'HS256', kid: 'k1' }, Buffer.from('shared')), [secret])).toBe('invalid');
    expect(await verifyCard(await signWith({ alg: 'ES256', kid: 'k1', jwk: own }, privateKey), [key])).toBe('invalid');
    const none = Buffer.from('{"alg":"none","kid":"k1"}').toString('base64url');
    expect(await verifyCard({ ...CARD_10, signatures: [{ protected: none, signature: '' }] }, [key])).toBe('invalid');
  });

  it('tells what cannot be read from what is not there', async () => {
    const { key } = await signBySdk(CARD_10);
    expect(await verifyCard(CARD_10, [key])).toBe('unsigned');
    expect(await verifyCard({ ...CARD_10, signatures: [] }, [key])).toBe('unsigned');
    expect(
      await verifyCard({ ...CARD_10, signatures: ['x', { protected: '%', signature: 1 }, { protected: '%', signature: 'y' }] }, [key]),
    ).toBe('invalid');
  });
});
