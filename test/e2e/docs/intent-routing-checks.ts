import { expect, vi } from 'vitest';
import type { Checks } from './checks.ts';

export const intentRoutingChecks: Checks = {
  'Routing by intent: the right model for what is asked': {
    async assert({ chat, explain }) {
      const ask = (text: string) => chat('assistant', { text });
      await vi.waitFor(
        async () =>
          expect((await ask('I was charged two times')).headers.get('x-hubgate-intent')).toMatch(/^billing 0\.\d\d \(threshold 0\.\d\d\)$/),
        { timeout: 15_000, interval: 100 },
      );
      const routeOf = async (text: string): Promise<string> => (await (await ask(text)).record()).route;
      expect(await routeOf('I was charged two times')).toBe('accounts');
      expect(await routeOf('please fix the bug in this function')).toBe('code');
      expect(await routeOf('who painted the Mona Lisa?')).toBe('assistant');
      const rules = await explain({ model: 'assistant', text: 'I was charged two times' });
      expect(rules[0]!.rule).toMatch(/^intent billing 0\.\d\d \(threshold 0\.\d\d\), coding 0\.\d\d, by linear with \S+ in \d+ ms$/);
      expect(rules.at(-1)!.value).toMatchObject({ route: 'accounts' });
    },
  },
};
