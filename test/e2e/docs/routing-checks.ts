import { expect } from 'vitest';
import type { Checks } from './checks.ts';

const TIMED = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', weekday: 'short', hour: 'numeric', hourCycle: 'h23' });

/** Which of the two routes of the example the clock allows now. */
function timedRoute(): 'office-hours' | 'else' {
  const parts = Object.fromEntries(TIMED.formatToParts(new Date()).map(({ type, value }) => [type, value]));
  const hour = Number(parts['hour']);
  return hour >= 8 && hour < 18 && !/Sat|Sun/.test(parts['weekday']!) ? 'office-hours' : 'else';
}

export const routingChecks: Checks = {
  'Routes: which model answers which call': {
    async assert({ chat, mock }) {
      expect(await (await chat('gpt-5')).record()).toMatchObject({ route: 'route-1', target: 'openai/gpt-5', outcome: 'ok' });
      expect(await (await chat('support')).record()).toMatchObject({ route: 'support', target: 'openai/gpt-5-mini', outcome: 'ok' });
      mock('openai').setFault('429');
      expect(await (await chat('support')).record()).toMatchObject({ target: 'local/qwen3', attempts: 2, outcome: 'ok' });
      expect((await chat('claude-opus')).status).toBe(404);
    },
  },
  'By name': {
    async assert({ chat, ask, explain }) {
      for (const model of ['fast', 'gpt-4o-mini', 'gpt-3.5-turbo']) {
        const answer = await chat(model);
        expect(answer.body).toMatchObject({ model: 'gpt-5-mini' });
        expect(await answer.record()).toMatchObject({ route: 'fast', asked: model, target: 'openai/gpt-5-mini' });
      }
      expect(await (await chat('claude-opus-4-8')).record()).toMatchObject({ target: 'anthropic/claude-opus-4-8', provider: 'anthropic' });
      const listed = (await ask('models', undefined)).body.data.map(({ id }: { id: string }) => id);
      expect(listed).toEqual(expect.arrayContaining(['fast', 'gpt-4o-mini', 'gpt-3.5-turbo']));
      expect((await explain({ model: 'gpt-4o-mini' })).map(({ rule }) => rule)).toEqual([
        'route fast: called fast or gpt-4o-mini or gpt-3.5-turbo',
        expect.stringMatching(/^target openai \(openai at http:\S+\), model gpt-5-mini: the route forces the name; healthy$/),
      ]);
    },
  },
  'By consumer, group and header': {
    async assert({ chat, explain }) {
      const taken = async (asking: object): Promise<string> => {
        const { route, target } = await (await chat('gpt-5', asking)).record();
        return `${route}: ${target}`;
      };
      expect(await taken({ as: 'alice' })).toBe('for-research: research/gpt-5');
      expect(await taken({ as: 'bob' })).toBe('for-all: openai/gpt-5-mini');
      expect(await taken({ as: 'bob', headers: { 'X-Channel': 'beta' } })).toBe('beta: openai/gpt-5.1');
      expect(await taken({ as: 'batch-night' })).toBe('for-batches: local/qwen3');
      expect((await (await chat('anything', { as: 'batch-night' })).record()).route).toBe('for-batches');
      expect((await chat('anything', { as: 'bob' })).status).toBe(404);
      const rules = async (more: object) =>
        (await explain({ model: 'gpt-5', consumer: 'bob', ...more })).map(({ rule, value }) => [rule, value]);
      expect(await rules({})).toContainEqual(['route beta: header x-channel: beta', 'asked at each request']);
      expect(await rules({ headers: 'x-channel: beta' })).toContainEqual(['route beta: header x-channel: beta', true]);
    },
  },
  'By time, size and text': {
    async assert({ chat, explain }) {
      const taken = async (text: string): Promise<string> => (await (await chat('assistant', { text })).record()).route;
      expect(await taken('Where is my Invoice?')).toBe('invoices');
      expect(await taken('word '.repeat(5_000))).toBe('long-ones');
      expect(await taken('Hello')).toBe(timedRoute());
      const steps = await explain({ model: 'assistant', text: 'Where is my invoice?' });
      expect(steps).toContainEqual(expect.objectContaining({ rule: expect.stringMatching(/^route invoices: when/), value: true }));
    },
    untaken: () => [timedRoute() === 'else' ? 'office-hours' : 'else'],
  },
  Shares: {
    async assert({ chat, mock, explain }) {
      for (let call = 0; call < 100; call++) await chat('support');
      expect(mock('openai').requests.map(({ model }) => model)).toEqual(Array.from({ length: 90 }, () => 'gpt-5-mini'));
      expect(mock('anthropic').requests).toHaveLength(10);
      const targets = (await explain({ model: 'support' })).filter(({ rule }) => rule.startsWith('target'));
      expect(targets.map(({ rule }) => rule.split('; ').at(-1))).toEqual(['weight 90', 'weight 10']);
    },
  },
  Sessions: {
    async assert({ chat, mock }) {
      const arms = async (model: string, asking: object): Promise<number[]> => {
        for (const name of ['east', 'west']) mock(name).reset();
        for (let call = 0; call < 10; call++) expect((await chat(model, asking)).status).toBe(200);
        return [mock('east').requests.length, mock('west').requests.length].sort();
      };
      for (const asking of [
        { headers: { 'x-hubgate-session': 's1' } },
        { headers: { 'x-session-id': 's1' } },
        { body: { prompt_cache_key: 's1' } },
        { body: { metadata: { user_id: 's1' } } },
      ])
        expect(await arms('chat', asking)).toEqual([0, 10]);
      expect(await arms('chat', {})).toEqual([5, 5]);
      expect(await arms('one-by-one', { headers: { 'x-session-id': 's1' } })).toEqual([5, 5]);
    },
  },
};
