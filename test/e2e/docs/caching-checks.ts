import { expect } from 'vitest';
import type { Checks } from './checks.ts';
import type { Answer, RunningExample } from './start-example.ts';

const cached = ({ headers }: Answer): string | null => headers.get('x-hubgate-cache');

/** What the cache did for the calls of a tool, the oldest first. */
async function cachedTools({ calls }: RunningExample, route: string): Promise<(string | undefined)[]> {
  const records = (await calls()).filter((record) => record.route === route && record.operation === 'tools/call').toReversed();
  return records.map(({ events }) => events.find(({ type }) => type === 'cached')?.detail);
}

export const cachingChecks: Checks = {
  'Caching: the same answer for the same question': {
    async assert({ chat }) {
      const first = await chat('demo');
      expect(cached(first)).toBe('miss');
      const second = await chat('demo');
      expect(cached(second)).toBe('hit');
      expect(second.body).toEqual(first.body);
      const record = await second.record();
      expect(record).toMatchObject({ attempts: 0, outcome: 'ok', events: [{ type: 'cached', detail: 'hit' }, { type: 'answered' }] });
      expect(cached(await chat('demo', { headers: { 'x-hubgate-cache': 'refresh' } }))).toBe('refresh');
      expect(cached(await chat('demo', { headers: { 'cache-control': 'no-store' } }))).toBe('bypass');
      expect(cached(await chat('demo', { text: 'Hello!' }))).toBe('miss');
      const streamed = await chat('demo', { body: { stream: true } });
      expect(cached(streamed)).toBe('hit');
      expect(streamed.text).toMatch(/data: \[DONE\]\n\n$/);
    },
  },
  Options: {
    async assert({ chat, ask }) {
      const vectors = (): Promise<Answer> => ask('embeddings', { model: 'vectors', input: 'Hello' });
      expect(cached(await vectors())).toBe('miss');
      expect(cached(await vectors())).toBe('hit');
      // Nobody is in the group, or called so.
      expect(cached(await chat('demo'))).toBeNull();
    },
  },
  'Many equal calls at once': {
    async assert({ chat }) {
      const answers = await Promise.all(Array.from({ length: 5 }, () => chat('demo')));
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 200));
      expect(answers.map(cached).filter((how) => how === 'miss')).toHaveLength(1);
      expect(answers.map(cached).filter((how) => how === 'joined' || how === 'hit')).toHaveLength(4);
    },
  },
  'The same question in other words': {
    async assert({ chat }) {
      const asked = ['How do I boil an egg?', 'How do I boil an egg?', 'Please tell me how to boil an egg', 'How do I boil two eggs?'];
      const answers: Answer[] = [];
      for (const text of asked) answers.push(await chat('demo', { text }));
      expect(answers.map(cached)).toEqual(['miss', 'hit', 'hit wording', 'miss']);
      expect(answers[2]!.body).toEqual(answers[0]!.body);
    },
  },
  'Results of tools': {
    async assert(example) {
      const { tool } = example;
      for (let call = 0; call < 2; call++) {
        await tool('petstore', 'listPets', {});
        await tool('petstore', 'addPet', { body: { name: 'Rex' } });
        await tool('pets', 'findPetsByTag', { tags: ['small'] });
      }
      await expect.poll(() => cachedTools(example, 'petstore')).toEqual(['miss', undefined, 'hit', undefined]);
      await expect.poll(() => cachedTools(example, 'pets')).toEqual(['miss', 'hit']);
    },
  },
};
