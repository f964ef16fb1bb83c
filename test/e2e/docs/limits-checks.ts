import { expect } from 'vitest';
import type { RawAnswer } from '../../support/mcp-clients.ts';
import type { Checks } from './checks.ts';

const times = <T>(count: number, make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, make));

/** What a tool said, where it was an error. */
function refusal({ result = {} }: RawAnswer): string | undefined {
  const [content] = result['content'] as [{ readonly text: string }];
  return result['isError'] === true ? content.text : undefined;
}

export const limitsChecks: Checks = {
  Limits: {
    async assert({ chat, ask, explain }) {
      expect((await chat('demo-warm')).status).toBe(200);
      const answers = await times(12, () => chat('demo'));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
      const refused = answers.find(({ status }) => status === 429)!;
      expect(refused.body.error).toEqual({
        message: expect.stringMatching(
          /^The limit of 10 requests a second for consumer alice and model demo is reached \(10 used\)\. Try again in 1 s\. Rule: rate-limit\.$/,
        ),
        type: 'rate_limit_error',
        param: null,
        code: 'rate_limit_exceeded',
      });
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(Number(refused.headers.get('retry-after-ms'))).toBeLessThanOrEqual(1_017);
      expect((await refused.record()).events).toMatchObject([{ type: 'throttled' }]);

      const message = { model: 'demo-2', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] };
      const messages = await times(12, () => ask('messages', message));
      expect(messages.find(({ status }) => status === 429)!.body).toMatchObject({
        type: 'error',
        error: { type: 'rate_limit_error', message: expect.stringContaining('10 requests a second') },
      });
      const steps = await explain({ model: 'demo', consumer: 'alice' });
      expect(steps.map(({ rule }) => rule)).toEqual(expect.arrayContaining(['rate-limit: 100 requests a minute for consumer alice']));
    },
  },
  'Who shares a counter': {
    async assert({ chat, tool, calls, explain }) {
      const list = (headers: Record<string, string> = {}): Promise<RawAnswer> => tool('petstore', 'listPets', {}, { headers });
      const first = (await times(60, list)).map(refusal);
      expect(first.filter((text) => text === undefined)).toHaveLength(50);
      expect(first.find((text) => text !== undefined)).toMatch(/The limit of 50 requests a second for address 127\.0\.0\.1 is reached/);
      // The second goes by; the minute of the tool does not, whatever team it is.
      let team = 0;
      await expect
        .poll(async () => refusal(await list({ 'x-team': `team-${team++}` })), { timeout: 5_000, interval: 20 })
        .toMatch(/The limit of 60 requests a minute for consumer anonymous and this tool is reached/);
      await expect.poll(async () => (await calls()).filter(({ outcome }) => outcome === 'ok').length).toBe(60);
      await expect.poll(async () => refusal(await tool('petstore', 'getInventory', {})), { timeout: 5_000 }).toBeUndefined();
      expect((await chat('support')).status).toBe(200);
      const rules = (await explain({ model: 'support' })).map(({ rule, value }) => `${rule}: ${String(value)}`);
      expect(rules).toContain('rate-limit: 1,000 requests a minute: 1 used, 999 left');
    },
  },
};
