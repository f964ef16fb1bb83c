import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hit } from '../../../../../src/core/contracts/semantics.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { rankAgents, textsOf, type ShownAgent } from '../../../../../src/lanes/agents/search/found-agents.ts';

const skill = (id: string, more: JsonObject = {}): JsonObject => ({ id, name: id, description: `Does ${id}.`, tags: [], ...more });
const agent = (name: string, skills: readonly JsonObject[], more: JsonObject = {}): ShownAgent => ({
  name,
  card: { name, description: `The agent ${name}.`, skills, ...more },
});
const hit = (index: number, score: number, words: readonly string[] = []): Hit => ({ index, score, words, lexical: score });
const AT = { base: 'https://hub.test', top: 10 };

describe('textsOf', () => {
  it('has one text for the agent with the words of its skills, and one for each skill', () => {
    const skills = [
      skill('flights', { tags: ['air', 7], examples: ['Fly me to Oslo', {}] }),
      skill('many', { examples: Array.from({ length: 99 }, (_, n) => `${n}`) }),
    ];
    const [own, first, second, ...others] = textsOf([agent('trips', skills, { name: 'Travel', provider: { organization: 'ACME' } })]);
    expect(own).toEqual({ agent: 0, name: 'Travel', description: 'The agent trips.', words: ['trips', 'ACME', 'flights', 'air', 'many'] });
    expect(first).toEqual({
      agent: 0,
      skill: 0,
      name: 'flights',
      description: 'Does flights.',
      words: ['flights', 'trips', 'Travel', 'air'],
      examples: ['Fly me to Oslo'],
    });
    expect([second?.examples?.length, others]).toEqual([10, []]);
  });
});

describe('rankAgents', () => {
  it('names an agent once, by its best text, with the skills that fit first', () => {
    const agents = [agent('one', [skill('a'), skill('b')], { name: 'First' }), agent('two', [])];
    const found = rankAgents(agents, textsOf(agents), [hit(2, 0.912349, ['w']), hit(3, 0.5), hit(0, 0.4, ['w', 'v'])], AT);
    const [a, b] = ['a', 'b'].map((id) => ({ id, name: id, description: `Does ${id}.` }));
    expect(found).toEqual([
      {
        name: 'one',
        title: 'First',
        description: 'The agent one.',
        url: 'https://hub.test/a2a/one',
        card: 'https://hub.test/a2a/one/.well-known/agent-card.json',
        score: 0.9123,
        skills: [b, a],
        words: ['w', 'v'],
      },
      {
        name: 'two',
        description: 'The agent two.',
        url: 'https://hub.test/a2a/two',
        card: 'https://hub.test/a2a/two/.well-known/agent-card.json',
        score: 0.5,
        skills: [],
      },
    ]);
  });

  it('keeps the order of the hits, whatever they are', () => {
    const cards = fc.array(fc.nat(7), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        cards,
        fc.integer({ min: 1, max: 9 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (sizes, top, scores) => {
          const agents = sizes.map((size, at) =>
            agent(
              `a${at}`,
              Array.from({ length: size }, (_, n) => skill(`s${n}`)),
            ),
          );
          const texts = textsOf(agents);
          const hits = texts.map((_, index) => hit(index, scores.next().value as number)).toSorted((one, other) => other.score - one.score);
          const found = rankAgents(agents, texts, hits, { ...AT, top });
          const order = [...new Set(hits.map(({ index }) => `a${texts[index]!.agent}`))];
          expect(found.map(({ name }) => name)).toEqual(order.slice(0, top));
          for (const { name, skills } of found) expect(skills).toHaveLength(Math.min(5, sizes[Number(name.slice(1))]!));
        },
      ),
    );
  });
});
