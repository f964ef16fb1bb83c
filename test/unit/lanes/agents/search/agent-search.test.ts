import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AgentConfig } from '../../../../../src/config/types.ts';
import type { Consumer } from '../../../../../src/core/consumer.ts';
import type { Findable, Semantics } from '../../../../../src/core/contracts/semantics.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { staticSemantics, wordsAlone } from '../../../../support/static-semantics.ts';
import { ALICE, BOB, cardAt, startAgents, type AgentsParts, type StartedAgents } from '../start-agents.ts';

const skill = (id: string, description: string): JsonObject => ({ id, name: id, description, tags: [] });
const FLIGHTS = skill('flights', 'Finds flights to any airport.');
const HOTELS = skill('hotels', 'Books a room for the night.');
const INVOICES = skill('invoices', 'Writes an invoice and finds overdue ones.');
const PAYROLL = skill('payroll', 'Finds what an employee is paid.');

const CARDS = {
  'http://travel.test': cardAt('http://travel.test', { skills: [FLIGHTS, HOTELS] }),
  'http://office.test': cardAt('http://office.test', { name: 'Office', description: 'Does the paperwork.', skills: [INVOICES] }),
  'http://people.test': cardAt('http://people.test', { name: 'People', description: 'Finds flights for employees.', skills: [PAYROLL] }),
};
const TO_ALL: Readonly<Record<string, AgentConfig>> = { travel: { card: 'http://travel.test' }, office: { card: 'http://office.test' } };
/** Bob sees one skill of travel, and not people. */
const TO_SOME: Readonly<Record<string, AgentConfig>> = {
  people: { card: 'http://people.test', access: [{ consumers: ['alice'], allow: ['*'] }] },
  ...TO_ALL,
  travel: {
    card: 'http://travel.test',
    access: [
      { consumers: ['alice'], allow: ['*'] },
      { consumers: ['bob'], allow: ['flights'] },
    ],
  },
};

/** The texts of each index that is made, besides. */
function watched(): Semantics & { readonly made: (readonly Findable[])[] } {
  const inner = wordsAlone();
  const made: (readonly Findable[])[] = [];
  return {
    made,
    index: (texts, options) => (made.push(texts), inner.index(texts, options)),
    embed: (texts, options) => inner.embed(texts, options),
    classifier: (classes, options) => inner.classifier(classes, options),
  };
}

const start = (more: AgentsParts = {}): Promise<StartedAgents> => startAgents({ agents: TO_SOME, cards: CARDS, ...more });
const named = async ({ lane }: StartedAgents, consumer: Consumer, query: string, top = 10): Promise<string[]> =>
  (await lane.search(consumer, query, top)).agents.map(({ name }) => name);

describe('a search', () => {
  it('finds agents by what their skills do, and says where they are', async () => {
    const hub = await start();
    const { agents, degraded } = await hub.lane.search(ALICE, 'a room for the night', 10);
    const url = `${hub.url}/a2a/travel`;
    expect(agents[0]).toMatchObject({
      name: 'travel',
      title: 'Travel',
      description: 'Plans journeys.',
      url,
      card: `${url}/.well-known/agent-card.json`,
      skills: [
        { id: 'hotels', name: 'hotels', description: 'Books a room for the night.' },
        { id: 'flights', name: 'flights', description: 'Finds flights to any airport.' },
      ],
      words: expect.arrayContaining(['room', 'night']),
    });
    expect(degraded).toBeUndefined();
    expect(await named(hub, ALICE, 'overdue invoice')).toEqual(['office']);
    expect(await named(hub, ALICE, 'paperwork')).toEqual(['office']);
    expect(await named(hub, ALICE, 'zygote')).toEqual([]);
    expect(hub.inside()).toBe(0);
  });

  it('gives no more than were asked for, the best of them', async () => {
    const hub = await start();
    const all = await named(hub, ALICE, 'finds flights');
    expect(all.length).toBeGreaterThan(1);
    expect(await named(hub, ALICE, 'finds flights', 1)).toEqual(all.slice(0, 1));
  });

  it.each([1, 3])('asks for as many texts as it takes to find %i of agents with many skills', async (top) => {
    const many = Array.from({ length: 600 }, (_, at) => skill(`flights-${at}`, 'Finds flights.'));
    const asked: number[] = [];
    const semantics = watched();
    const { index } = semantics;
    semantics.index = (texts) => {
      const made = index(texts);
      return { size: made.size, find: (query, most) => (asked.push(most), made.find(query, most)) };
    };
    const cards = { ...CARDS, 'http://travel.test': cardAt('http://travel.test', { name: 'Finds flights', skills: many }) };
    const hub = await start({ semantics, cards });
    expect((await named(hub, ALICE, 'finds flights', top)).toSorted()).toEqual(['office', 'people', 'travel'].slice(3 - top));
    expect(asked).toEqual(top === 1 ? [200] : [200, 605]);
  });

  it('tells the rung that answered in place of the one that was asked for', async () => {
    const degraded = { requested: 'all-MiniLM-L6-v2', active: 'bm25', reason: 'Pull it.' };
    const semantics = watched();
    const { index } = semantics;
    semantics.index = (texts) => {
      const made = index(texts);
      return { size: made.size, find: async (query, top) => ({ ...(await made.find(query, top)), degraded }) };
    };
    const hub = await start({ semantics });
    expect((await hub.lane.search(BOB, 'flights', 5)).degraded).toEqual(degraded);
  });

  it('that fails holds no generation', async () => {
    const semantics = watched();
    semantics.index = () => ({ size: 0, find: () => Promise.reject(new Error('broken')) });
    const hub = await start({ semantics });
    await expect(hub.lane.search(BOB, 'flights', 5)).rejects.toThrow('broken');
    expect(hub.inside()).toBe(0);
  });
});

describe('what a caller may not see', () => {
  it('is not found by him', async () => {
    const hub = await start();
    const query = 'finds flights, pays an employee and books a room';
    expect((await named(hub, ALICE, query)).toSorted()).toEqual(['office', 'people', 'travel']);
    expect(await named(hub, BOB, 'employee payroll')).toEqual([]);
    expect(await named(hub, BOB, 'room night')).toEqual([]);
    const { agents } = await hub.lane.search(BOB, query, 10);
    expect(agents.map(({ name, skills }) => [name, skills.map(({ id }) => id)]).toSorted()).toEqual([
      ['office', ['invoices']],
      ['travel', ['flights']],
    ]);
  });

  it.each([
    ['words', wordsAlone],
    ['words and meaning', staticSemantics],
  ])('changes nothing of what he finds by %s', async (_, semanticsOf) => {
    const semantics = semanticsOf();
    onTestFinished(() => semantics.close());
    await semantics.settled();
    const more = { semantics, publicUrl: 'https://hub.test' };
    const some = await start(more);
    const cards = { ...CARDS, 'http://travel.test': cardAt('http://travel.test', { skills: [FLIGHTS] }) };
    const alone = await start({ agents: TO_ALL, cards, ...more });
    for (const query of ['finds flights', 'finds overdue flights for an employee', 'travel', 'room', 'any paperwork', 'people']) {
      await some.lane.search(ALICE, query, 10);
      for (const top of [1, 10]) expect(await some.lane.search(BOB, query, top)).toEqual(await alone.lane.search(BOB, query, top));
    }
  });

  it('is in no text that he searches, and neither is an address of an agent', async () => {
    const semantics = watched();
    const card = cardAt('http://travel.test', {
      description: 'Plans journeys; see http://travel.test:8080/secret-door.',
      skills: [{ ...FLIGHTS, description: 'Flies from travel.test.', examples: ['Ask http://travel.test/inner'] }, HOTELS],
    });
    const hub = await start({ semantics, cards: { ...CARDS, 'http://travel.test': card } });
    const found = await hub.lane.search(BOB, 'plans journeys from travel test', 10);
    expect(semantics.made).toHaveLength(1);
    for (const text of [JSON.stringify(semantics.made), JSON.stringify(found)])
      expect(text).not.toMatch(/travel\.test|secret-door|inner|hotels|room|payroll|People/);
  });
});

describe('an index', () => {
  it('is shared by callers who see the same', async () => {
    const semantics = watched();
    const hub = await start({ semantics });
    const eve: Consumer = { name: 'eve', groups: [], anonymous: false };
    const joe: Consumer = { name: 'joe', groups: ['x'], anonymous: false };
    for (const consumer of [eve, joe, eve]) await hub.lane.search(consumer, 'flights', 5);
    expect(semantics.made).toHaveLength(1);
    for (const consumer of [ALICE, BOB, ALICE]) await hub.lane.search(consumer, 'flights', 5);
    expect(semantics.made).toHaveLength(3);
  });

  it('is another one when a card has changed, or the configuration', async () => {
    const semantics = watched();
    const cards: Record<string, JsonObject> = { ...CARDS };
    const hub = await start({ semantics, cards });
    expect(await named(hub, BOB, 'umbrella')).toEqual([]);
    await hub.lane.refresh('office');
    expect(await named(hub, BOB, 'umbrella')).toEqual([]);
    expect(semantics.made).toHaveLength(1);
    cards['http://office.test'] = cardAt('http://office.test', { skills: [skill('umbrella', 'Lends an umbrella.')] });
    await hub.lane.refresh('office');
    expect(await named(hub, BOB, 'umbrella')).toEqual(['office']);
    expect(await named(hub, BOB, 'invoice')).toEqual([]);
    expect(semantics.made).toHaveLength(2);
    await hub.serve({ office: { card: 'http://office.test', description: 'Keeps the pencils.' } });
    expect(await named(hub, BOB, 'pencils')).toEqual(['office']);
    expect(await named(hub, BOB, 'flights')).toEqual([]);
    expect(semantics.made).toHaveLength(3);
  });

  it('follows a card that changes what a caller may see', async () => {
    const cardWith = (tags: readonly string[]): JsonObject => cardAt('http://travel.test', { skills: [FLIGHTS, { ...HOTELS, tags }] });
    const cards: Record<string, JsonObject> = { 'http://travel.test': cardWith(['open']) };
    const agents = { travel: { card: 'http://travel.test', access: [{ consumers: ['bob'], allow: ['flights', { tag: 'open' }] }] } };
    const hub = await start({ agents, cards });
    expect(await named(hub, BOB, 'room')).toEqual(['travel']);
    cards['http://travel.test'] = cardWith(['closed']);
    await hub.lane.refresh('travel');
    expect(await named(hub, BOB, 'room')).toEqual([]);
    expect(await named(hub, BOB, 'flights')).toEqual(['travel']);
  });

  it('is kept for the sets of callers who asked last', async () => {
    const semantics = watched();
    const skills = Array.from({ length: 40 }, (_, n) => skill(`s${n}`, `Does ${n}.`));
    const access = skills.map(({ id }) => ({ consumers: [`c${String(id)}`], allow: [{ skill: String(id) }] }));
    const hub = await start({
      semantics,
      agents: { travel: { card: 'http://travel.test', access } },
      cards: { 'http://travel.test': cardAt('http://travel.test', { skills }) },
    });
    const ask = (n: number): Promise<unknown> => hub.lane.search({ name: `cs${n}`, groups: [], anonymous: false }, 'does', 5);
    for (let n = 0; n < 40; n++) {
      await ask(n);
      await ask(0);
    }
    expect(semantics.made).toHaveLength(40);
    await ask(39);
    expect(semantics.made).toHaveLength(40);
    await ask(1);
    expect(semantics.made).toHaveLength(41);
  });
});

describe('mayCallAny', () => {
  it('says whether there is an agent for this caller', async () => {
    const hub = await start({ agents: { people: TO_SOME['people']! } });
    expect([hub.lane.mayCallAny(ALICE), hub.lane.mayCallAny(BOB)]).toEqual([true, false]);
    await hub.serve({});
    expect(hub.lane.mayCallAny(ALICE)).toBe(false);
    expect(await hub.lane.search(ALICE, 'flights', 5)).toEqual({ agents: [] });
  });
});

describe('an agent whose card is not known yet', () => {
  it('is found when it is', async () => {
    const cards: Record<string, JsonObject | undefined> = { 'http://late.test': undefined };
    const hub = await start({ agents: { late: { card: 'http://late.test' } }, cards });
    expect(await named(hub, BOB, 'journeys')).toEqual([]);
    cards['http://late.test'] = cardAt('http://late.test');
    await hub.lane.refresh('late');
    await vi.waitFor(async () => expect(await named(hub, BOB, 'journeys')).toEqual(['late']));
  });
});
