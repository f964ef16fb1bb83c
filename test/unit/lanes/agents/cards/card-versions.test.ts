import { AgentCard } from '@a2a-js/sdk';
import { DefaultAgentCardResolver } from '@a2a-js/sdk/client';
import { agentCardHandler } from '@a2a-js/sdk/server/express';
import express from 'express';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { cardFromV03, cardToV03, hybridCard } from '../../../../../src/lanes/agents/cards/card-versions.ts';
import { serve } from '../../../upstreams/upstream.ts';
import { CARD_03, CARD_10 } from './sample-cards.ts';

const compat = { enabled: true } as const;

/** What the SDK's server answers a client that names no version. */
async function legacyBySdk(card: JsonObject): Promise<JsonObject> {
  const { origin } = await serve(
    express().use(agentCardHandler({ agentCardProvider: async () => AgentCard.fromJSON(card), legacyCompat: compat })),
  );
  return (await (await fetch(origin)).json()) as JsonObject;
}

/** What the SDK's client makes of a card. */
const readBySdk = (card: JsonObject): unknown =>
  AgentCard.toJSON(new DefaultAgentCardResolver({ legacyCompat: compat }).normalizeAgentCard(structuredClone(card)));

/** Without the fields that the SDK has no place for. */
const known = (card: JsonObject): unknown => AgentCard.toJSON(AgentCard.fromJSON(card));

describe('cardToV03', () => {
  it('gives what the official server gives, and the unknown fields with it', async () => {
    const { supportedInterfaces: _, ...official } = await legacyBySdk(CARD_10);
    expect(cardToV03(CARD_10)).toMatchObject(official);
    expect(cardToV03(CARD_10)).toMatchObject({
      vendor: CARD_10['vendor'],
      capabilities: { stateTransitionHistory: true },
      skills: [{ vendorNote: 1 }, {}],
    });
    expect(Object.keys(cardToV03(CARD_10)).sort()).toEqual([...Object.keys(official), 'vendor'].sort());
  });

  it('drops signatures, which are over the form of 1.0', () => {
    expect(cardToV03({ ...CARD_10, signatures: [{ protected: 'a', signature: 'b' }] })).not.toHaveProperty('signatures');
  });

  it('refuses a card that has no interface of 0.3', () => {
    const card = { ...CARD_10, supportedInterfaces: [{ url: 'https://a.example', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }] };
    expect(() => cardToV03(card)).toThrow(expect.objectContaining({ code: -32009 }));
    expect(hybridCard(card)).toEqual(card);
  });
});

describe('cardFromV03', () => {
  it('gives what the official client reads, and the unknown fields with it', () => {
    const card = cardFromV03(CARD_03);
    expect(known(card)).toEqual(readBySdk(CARD_03));
    expect(card).toMatchObject({
      vendor: CARD_03['vendor'],
      capabilities: { stateTransitionHistory: false },
      skills: [{ vendorNote: 1 }, {}],
    });
    expect(Object.keys(card)).not.toEqual(expect.arrayContaining(['url']));
  });

  it('comes back as it went, but for what 0.3 has one place for', () => {
    expect(cardToV03(cardFromV03(CARD_03))).toEqual(CARD_03);
  });

  it('leaves a card of 1.0 alone', () => {
    expect(cardFromV03(CARD_10)).toEqual(CARD_10);
  });

  it('reads schemes that the official server took from its memory', () => {
    const grant = {
      $case: 'oauth2SecurityScheme',
      value: { flows: { flow: { $case: 'clientCredentials', value: { tokenUrl: 't', scopes: {} } } } },
    };
    const token = { $case: 'httpAuthSecurityScheme', value: { scheme: 'bearer' } };
    expect(cardFromV03({ securitySchemes: { grant: { scheme: grant }, token: { scheme: token } } })).toMatchObject({
      securitySchemes: {
        grant: { oauth2SecurityScheme: { flows: { clientCredentials: { tokenUrl: 't' } } } },
        token: { httpAuthSecurityScheme: { scheme: 'bearer' } },
      },
    });
  });

  it('keeps a scheme of a type that nobody knows', () => {
    expect(cardFromV03({ securitySchemes: { odd: { type: 'riddle', ask: 1 } } })).toMatchObject({
      securitySchemes: { odd: { type: 'riddle', ask: 1 } },
    });
  });
});

describe('hybridCard', () => {
  it('has all that the official server answers without a version', async () => {
    const { securitySchemes, supportedInterfaces, ...official } = await legacyBySdk(CARD_10);
    const hybrid = hybridCard(CARD_10);
    expect(hybrid).toMatchObject(official);
    expect(hybrid).toMatchObject({ securitySchemes, supportedInterfaces: CARD_10['supportedInterfaces'] });
    expect(supportedInterfaces).toHaveLength(5);
  });

  it('is the card of 1.0 to a client of 1.0, and the card of 0.3 to one of 0.3', () => {
    const hybrid = hybridCard(CARD_10);
    expect(known(hybrid)).toEqual(known(CARD_10));
    const { supportedInterfaces: _, ...legacy } = hybrid;
    expect(readBySdk(legacy)).toEqual(readBySdk(cardToV03(CARD_10)));
  });

  it('reads back as the card that it was', () => {
    expect(known(cardFromV03(hybridCard(CARD_10)))).toEqual(known(CARD_10));
    expect(cardFromV03(hybridCard(CARD_10))['supportedInterfaces']).toEqual(CARD_10['supportedInterfaces']);
  });
});
