import { expect } from 'vitest';
import type { Checks } from './checks.ts';

export const budgetsChecks: Checks = {
  Budgets: {
    async assert({ chat, explain }) {
      const answer = await chat('demo');
      const { usage } = await answer.record();
      expect(usage?.cost).toBeCloseTo((usage!.inputTokens! + 4 * usage!.outputTokens!) / 1e6, 12);
      // Five dollars of the demo model, at one dollar for a million tokens in and four for as many out.
      expect((await chat('demo', { text: 'a '.repeat(1_001_000) })).status).toBe(200);
      const refused = await chat('demo');
      expect([refused.status, refused.body.error.code]).toEqual([429, 'rate_limit_exceeded']);
      expect(refused.body.error.message).toMatch(
        /^The budget of \$5 a day for consumer alice is used up \(\$5\.01 used[^)]*\)\. It begins anew on \d{4}-\d\d-\d\d\./,
      );
      const steps = await explain({ model: 'demo', consumer: 'alice' });
      const rules = steps.filter(({ rule }) => rule.startsWith('budget')).map(({ rule, value }) => `${rule}: ${String(value)}`);
      expect(rules).toEqual([
        expect.stringMatching(/^budget: \$20 a month for consumer alice: \$5\.01 used.*, \$14\.99 left$/),
        expect.stringMatching(/^budget: \$5 a day for consumer alice: /),
        expect.stringMatching(/^budget: \$50 a month for consumer alice: /),
        expect.stringMatching(/^budget: 10,000,000 tokens a month for consumer alice: /),
        expect.stringMatching(/^budget: \$500 a month for group support: /),
      ]);
    },
  },
  'The webhook': {
    async assert({ chat, hooks }) {
      expect((await chat('demo')).status).toBe(200);
      expect(hooks.requests).toEqual([]);
      // Forty dollars.
      const answer = await chat('demo', { text: 'a '.repeat(8_100_000) });
      expect((await answer.record()).usage!.cost).toBeGreaterThan(40);
      await expect.poll(() => hooks.requests.length, { timeout: 5_000 }).toBe(1);
      const [{ method, body }] = hooks.requests as [(typeof hooks.requests)[number]];
      expect(method).toBe('POST');
      expect(JSON.parse(body.toString())).toMatchObject({
        type: 'budget',
        threshold: 80,
        budget: '50 usd a month',
        subject: { consumer: 'anonymous' },
        limitUsd: 50,
      });
    },
  },
};
