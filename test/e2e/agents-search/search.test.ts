import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { askAdmin } from '../../support/ask-admin.ts';
import type { RawAgent, RawAgentOptions } from '../agents/_agent.ts';
import { bare, request, type Stage, startStage, type Told } from '../agents/_stage.ts';
import { consumer } from '../traffic/_limits.ts';

const PATIENCE = { timeout: 15_000, interval: 50 };

const agent = (name: string, description: string, skills: readonly (readonly [id: string, description: string])[]): RawAgentOptions => ({
  card: { name, description },
  skills: skills.map(([id, text]) => ({ id, name: id, description: text, tags: [] })),
});
const WANTED = [
  agent('Wayfarer', 'Plans journeys.', [
    ['flights', 'Search airline tickets and book a seat on a plane.'],
    ['hotels', 'Reserve a hotel room for some nights.'],
  ]),
  agent('Ledger', 'Does the bookkeeping.', [['invoices', 'Create an invoice for a customer and send it by mail.']]),
  agent('Kitchen', 'Cooks.', [['recipes', 'Find recipes by what is in the fridge.']]),
];

let stage: Stage;
const configOf = ([travel, ledger, kitchen]: readonly RawAgent[], more: object = {}): object => ({
  agents: {
    travel: {
      card: travel!.url,
      access: [
        { consumers: ['alice'], allow: ['*'] },
        { consumers: ['bob'], allow: ['flights'] },
      ],
    },
    ledger: { card: ledger!.url, access: [{ consumers: ['alice'], allow: ['*'] }] },
    kitchen: { card: kitchen!.url },
  },
  consumers: [consumer('alice'), consumer('bob'), consumer('carol', { limits: { requests: '2/hour' } })],
  embedding: { model: 'hubgate-static-en' },
  ...more,
});
const find = (query: string, as = 'alice', more = ''): Promise<Told> =>
  request(stage.hub, 'GET', `/a2a?query=${encodeURIComponent(query)}${more}`, { as });
const namesOf = ({ body }: Told): string[] => body.agents.map(({ name }: JsonObject) => name);

beforeAll(async () => {
  stage = await startStage({ agents: WANTED, config: (...agents) => configOf(agents) });
  const { hub } = stage;
  await vi.waitFor(async () => {
    expect((await request(hub, 'GET', '/a2a', { as: 'alice' })).body.agents).toHaveLength(3);
    for (const as of ['alice', 'bob']) expect((await find('anything', as)).body).not.toHaveProperty('degraded');
  }, PATIENCE);
});
afterAll(() => stage?.stop());

describe('GET /a2a?query=', () => {
  it('finds by words', async () => {
    const told = await find('invoice for a customer');
    expect(told.status).toBe(200);
    const [first] = told.body.agents;
    expect(first).toMatchObject({ name: 'ledger', words: expect.arrayContaining(['invoic']) });
    expect(first.card).toEqual((await request(stage.hub, 'GET', '/a2a/ledger/.well-known/agent-card.json', { as: 'alice' })).body);
    expect(first.score).toBeGreaterThan(0);
    expect(told.text).not.toContain(new URL(stage.agents[1]!.url).host);
  });

  it.each([
    ['lodging in Paris', 'travel'],
    ['bill a client', 'ledger'],
    ['what can I make for dinner tonight', 'kitchen'],
  ])('finds by meaning: %s', async (query, name) => {
    expect(namesOf(await find(query, 'alice', '&top=1'))).toEqual([name]);
  });

  it('shows each caller a catalogue of his own', async () => {
    const query = 'reserve a hotel room, book a seat, send an invoice and find recipes';
    expect(namesOf(await find(query)).toSorted()).toEqual(['kitchen', 'ledger', 'travel']);
    const told = await find(query, 'bob', '&top=100');
    expect(namesOf(told).toSorted()).toEqual(['kitchen', 'travel']);
    expect(told.text).not.toMatch(/hotel|invoic|ledger/i);
    expect(namesOf(await find('invoice', 'bob'))).not.toContain('ledger');
    expect(namesOf(await find('airline', 'bob'))).toEqual(['travel']);
  });

  it('says what is allowed when it cannot read what is asked', async () => {
    const told = await Promise.all([find('x', 'alice', '&top=0'), find('x', 'alice', '&top=many'), find('')]);
    expect(told.map(({ status, error }) => [status, error.code, error.message])).toEqual([
      [400, 'bad_request', expect.stringContaining('from 1 to 100')],
      [400, 'bad_request', expect.stringContaining('from 1 to 100')],
      [400, 'bad_request', expect.stringContaining('?query= is empty')],
    ]);
  });

  it('is a call that limits and the record see, as the whole catalogue is not', async () => {
    const asked = [await find('airline', 'carol'), await find('invoice', 'carol'), await find('airline', 'carol')];
    expect(asked.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(Number(asked[2]!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await request(stage.hub, 'GET', '/a2a', { as: 'carol' })).status).toBe(200);
    const outcomes = async (): Promise<unknown> => {
      const { items } = (await askAdmin(stage.hub, 'GET', '/calls?consumer=carol')).body as { items: JsonObject[] };
      return items.map(({ operation, outcome }) => [operation, outcome]).toSorted();
    };
    await expect.poll(outcomes, PATIENCE).toEqual([
      ['agents/search', 'limit_exceeded'],
      ['agents/search', 'ok'],
      ['agents/search', 'ok'],
    ]);
  });

  it('is tagged by what it holds, for this caller', async () => {
    const [whole, found] = await Promise.all([request(stage.hub, 'GET', '/a2a', { as: 'alice' }), find('airline')]);
    const tags = [whole, found].map(({ headers }) => headers.get('etag'));
    expect(tags[0]).not.toBe(tags[1]);
    const again = await request(stage.hub, 'GET', '/a2a?query=airline', { as: 'alice', headers: { 'if-none-match': String(tags[1]) } });
    expect([again.status, again.headers.get('cache-control'), again.headers.get('vary')]).toEqual([
      304,
      'private, no-cache',
      expect.stringContaining('Authorization'),
    ]);
  });
});

describe('a change', () => {
  it('of a card is found at once', async () => {
    const { hub, agents } = stage;
    const before = await find('umbrella');
    expect(namesOf(before)).not.toContain('kitchen');
    const kitchen = agents[2]!;
    kitchen.card = { ...kitchen.card, skills: [{ id: 'umbrella', name: 'Umbrella', description: 'Lends an umbrella.', tags: [] }] };
    expect((await askAdmin(hub, 'POST', '/agents/kitchen/refresh')).status).toBe(200);
    expect(namesOf(await find('umbrella'))[0]).toBe('kitchen');
    // Kitchens and recipes still have to do with each other.
    expect((await find('recipes')).text).not.toMatch(/recip/);
  });

  it('of what others may see changes nothing for whoever may not', async () => {
    const { hub, agents } = stage;
    const before = await find('plane seat, hotel room or umbrella', 'bob');
    const ledger = agents[1]!;
    ledger.card = { ...ledger.card, description: 'Knows the plane, its seat, the hotel, the room and the umbrella.' };
    expect((await askAdmin(hub, 'POST', '/agents/ledger/refresh')).status).toBe(200);
    expect(bare(await find('plane seat, hotel room or umbrella', 'bob'))).toEqual(bare(before));
    expect(namesOf(await find('plane seat, hotel room or umbrella'))).toContain('ledger');
  });

  it('to a model that is not there is answered by the next rung, which says so', async () => {
    const { hub, agents } = stage;
    await hub.write('hubgate.yaml', JSON.stringify(configOf(agents, { embedding: { model: 'no-such-model' } })));
    await expect
      .poll(async () => (await find('airline')).body.degraded, PATIENCE)
      .toEqual({ requested: 'no-such-model', active: 'static', reason: expect.stringContaining('hubgate models pull no-such-model') });
    expect(namesOf(await find('lodging in Paris', 'alice', '&top=1'))).toEqual(['travel']);
  });
});
