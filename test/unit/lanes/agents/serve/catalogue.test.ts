import { describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../../../src/config/types.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import type { Found } from '../../../../../src/core/contracts/semantics.ts';
import type { BoundPolicy } from '../../../../../src/pipeline/chain.ts';
import { wordsAlone } from '../../../../support/static-semantics.ts';
import { cardAt, FLIGHTS, HOTELS, startAgents, type Answered, type StartedAgents } from '../start-agents.ts';

const AGENTS: Record<string, AgentConfig> = {
  hotels: { card: 'http://hotels.test', access: [{ consumers: ['alice'], allow: ['*'] }] },
  flights: { card: 'http://flights.test' },
};
const CARDS = {
  'http://hotels.test': cardAt('http://hotels.test', { name: 'Hotels', description: 'Books rooms.', skills: [HOTELS] }),
  'http://flights.test': cardAt('http://flights.test', { name: 'Flights', description: 'Flies anywhere.', skills: [FLIGHTS] }),
};
const start = (): Promise<StartedAgents> => startAgents({ agents: AGENTS, cards: CARDS });
const get = (hub: StartedAgents, path: string, as = 'alice', headers: object = {}): Promise<Answered> =>
  hub.fetch(path, { headers: { authorization: `Bearer ${as}`, ...headers } });
const itemsOf = ({ json }: Answered): JsonObject[] => json['agents'] as JsonObject[];
const namesOf = (told: Answered): unknown[] => itemsOf(told).map(({ name }) => name);

describe('GET /a2a?query=', () => {
  it('is the catalogue narrowed to what matches, best first', async () => {
    const hub = await start();
    const whole = itemsOf(await get(hub, '/a2a'));
    expect(whole.map(({ name }) => name)).toEqual(['hotels', 'flights']);
    const found = await get(hub, '/a2a?query=flights+flies+travel');
    expect(itemsOf(found)).toEqual([
      { ...whole[1], score: expect.any(Number), words: expect.any(Array) },
      { ...whole[0], score: expect.any(Number), words: ['travel'] },
    ]);
    expect(found.json).not.toHaveProperty('degraded');
    expect(namesOf(await get(hub, '/a2a?query=flights+flies+travel&top=1'))).toEqual(['flights']);
    expect(namesOf(await get(hub, '/a2a?query=zygote'))).toEqual([]);
    expect(hub.inside()).toBe(0);
  });

  it('has what this key may call, and hangs on nothing else', async () => {
    const hub = await start();
    const path = '/a2a?query=hotels+and+travel';
    expect(namesOf(await get(hub, path))).toEqual(['hotels', 'flights']);
    const first = await get(hub, path, 'bob');
    expect(namesOf(first)).toEqual(['flights']);
    await get(hub, '/a2a?query=other', 'bob');
    expect((await get(hub, path, 'bob')).text).toBe(first.text);
    expect((await hub.fetch(path)).status).toBe(401);
  });

  it('refuses what it cannot read', async () => {
    const hub = await start();
    const wrong = ['query=', 'query=%20', 'top=5', ...['0', '101', '-1', '2.5', '1e1', '', 'ten'].map((top) => `query=x&top=${top}`)];
    for (const query of wrong) expect([query, (await get(hub, `/a2a?${query}`)).status]).toEqual([query, 400]);
    for (const top of ['1', '100']) expect((await get(hub, `/a2a?query=x&top=${top}`)).status).toBe(200);
  });
});

describe('a narrowed catalogue', () => {
  const startWith = (hooks: BoundPolicy['hooks'], stage: BoundPolicy['stage'] = 'limit'): Promise<StartedAgents> =>
    startAgents({ agents: AGENTS, cards: CARDS, policies: [{ name: 'mine', stage, hooks }] });

  it('is a call on record, without its texts; the whole one is none', async () => {
    const hub = await start();
    await get(hub, '/a2a');
    await get(hub, '/a2a?query=');
    expect(hub.records).toEqual([]);
    await get(hub, '/a2a?query=flights+flies&top=1');
    const [{ call, outcome }, ...others] = hub.records as [(typeof hub.records)[number]];
    expect(others).toEqual([]);
    expect([call.lane, call.operation, call.route, call.consumer.name]).toEqual(['agents', 'agents/search', '', 'alice']);
    expect(outcome).toMatchObject({ ok: true, attempts: 0, events: [{ type: 'searched', detail: '1 of 2 agents' }] });
    expect(JSON.stringify(outcome)).not.toContain('flies');
  });

  it('is refused by a policy, which does not hear of the whole one', async () => {
    const hub = await startWith({ onCall: () => Promise.reject(new GatewayError('limit_exceeded', 'Too many.', { retryAfterMs: 2_000 })) });
    expect((await get(hub, '/a2a?query=flights')).status).toBe(429);
    expect(hub.records.map(({ outcome }) => outcome.error?.code)).toEqual(['limit_exceeded']);
    expect((await get(hub, '/a2a')).status).toBe(200);
    expect(hub.inside()).toBe(0);
  });

  it('shows policies its query, which they may change', async () => {
    const seen: string[] = [];
    const hub = await startWith(
      {
        onCall(call) {
          seen.push(...Array.from(call.segments(), ({ text, origin, path }) => `${origin} ${path} ${text}`));
          call.rewriteText(({ text }) => text.replace('hotels', 'flights'));
        },
      },
      'transform',
    );
    expect(namesOf(await get(hub, '/a2a?query=hotels&top=1'))).toEqual(['flights']);
    expect(seen).toEqual(['arguments /params/query hotels']);
  });

  it('is called off when its caller leaves', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<AbortSignal>();
    const semantics = Object.assign(wordsAlone(), { index: () => ({ size: 1, find: waits }) });
    function waits(_query: string, _top: number, signal?: AbortSignal): Promise<Found> {
      resolve(signal!);
      return new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error)));
    }
    const hub = await startAgents({ agents: AGENTS, cards: CARDS, semantics });
    const leaving = new AbortController();
    const answer = hub.fetch('/a2a?query=flights', { headers: { authorization: 'Bearer alice' }, signal: leaving.signal });
    await asked;
    leaving.abort();
    await expect(answer).rejects.toThrow('aborted');
    await expect.poll(() => hub.records.map(({ outcome }) => outcome.error?.code)).toEqual(['client_closed']);
    expect(hub.inside()).toBe(0);
  });

  it('may be answered by a policy', async () => {
    const hub = await startWith({ onCall: () => ({ result: { agents: [] } }) as never }, 'transform');
    expect((await get(hub, '/a2a?query=flights')).json).toEqual({ agents: [] });
  });
});

describe('a catalogue that a client has', () => {
  it('is not sent again while it is the same; each address has its own', async () => {
    const hub = await start();
    const paths = ['/a2a', '/a2a?query=flights', '/a2a?query=hotels', '/a2a?query=travel', '/a2a?query=travel&top=1'];
    const told = await Promise.all(paths.map((path) => get(hub, path)));
    const tags = told.map(({ headers }) => headers.get('etag')!);
    expect(new Set(tags).size).toBe(paths.length);
    for (const [at, { headers }] of told.entries()) {
      expect([headers.get('cache-control'), headers.get('vary')]).toEqual([
        'private, no-cache',
        expect.stringContaining('Authorization, X-API-Key, API-Key'),
      ]);
      const again = await get(hub, paths[at]!, 'alice', { 'if-none-match': tags[at]! });
      expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', tags[at]]);
    }
    expect((await get(hub, '/a2a', 'alice', { 'if-none-match': tags[1]! })).status).toBe(200);
    expect((await get(hub, '/a2a', 'bob', { 'if-none-match': tags[0]! })).status).toBe(200);
  });
});

describe('the link set', () => {
  it('knows no query', async () => {
    const hub = await start();
    const path = '/.well-known/api-catalog';
    expect((await get(hub, `${path}?query=flights&top=x`)).text).toBe((await get(hub, path)).text);
  });
});
