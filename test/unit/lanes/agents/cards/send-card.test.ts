import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { EdgeExchange } from '../../../../../src/http/exchange.ts';
import { sendCard, type SendCardOptions } from '../../../../../src/lanes/agents/cards/send-card.ts';
import { serve } from '../../../upstreams/upstream.ts';

const OPTIONS: SendCardOptions = { maxAgeS: 60, isPrivate: false, modifiedAt: Date.UTC(2026, 0, 2) };

/** Asks for the card once. */
async function ask(card: JsonObject, init: RequestInit = {}, options = OPTIONS): Promise<Response> {
  const { origin } = await serve((req, res) => {
    res.setHeader('vary', 'Origin');
    sendCard(new EdgeExchange(req, res, 'r1'), card, options);
  });
  return fetch(origin, init);
}

describe('sendCard', () => {
  it('answers the card with all that a cache needs', async () => {
    const answer = await ask({ name: 'Ä' });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ name: 'Ä' });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'public, max-age=60',
      'content-type': 'application/json',
      etag: expect.stringMatching(/^"[\w-]{43}"$/),
      'last-modified': 'Fri, 02 Jan 2026 00:00:00 GMT',
      vary: 'Origin, A2A-Version, Authorization, X-API-Key, API-Key',
    });
  });

  it('tags content: the same for the same, another for another', async () => {
    const tagOf = async (card: JsonObject) => (await ask(card)).headers.get('etag');
    expect(await tagOf({ name: 'A' })).toBe(await tagOf({ name: 'A' }));
    expect(await tagOf({ name: 'A' })).not.toBe(await tagOf({ name: 'B' }));
  });

  it('says when a copy is still good', async () => {
    const etag = (await ask({ name: 'A' })).headers.get('etag') as string;
    for (const header of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await ask({ name: 'A' }, { headers: { 'if-none-match': header } });
      expect([answer.status, await answer.text(), answer.headers.get('etag')]).toEqual([304, '', etag]);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=60');
      expect(answer.headers.get('vary')).toMatch(/A2A-Version/);
    }
    expect((await ask({ name: 'B' }, { headers: { 'if-none-match': etag } })).status).toBe(200);
    expect((await ask({ name: 'A' }, { headers: { 'if-none-match': etag.slice(1, -1) } })).status).toBe(200);
  });

  it('answers HEAD as GET without the card, and keeps a private one out of shared caches', async () => {
    const answer = await ask({ name: 'A' }, { method: 'HEAD' }, { maxAgeS: 0, isPrivate: true });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(answer.headers.get('content-length')).toBe(String('{"name":"A"}'.length));
    expect(answer.headers.get('cache-control')).toBe('private, max-age=0');
    expect(Date.parse(answer.headers.get('last-modified') as string)).toBeLessThanOrEqual(Date.now());
  });
});
