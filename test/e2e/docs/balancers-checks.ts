import { expect } from 'vitest';
import type { Checks } from './checks.ts';
import type { RunningExample } from './start-example.ts';

/** What the targets of a model go by, in the words of the explanation. */
async function figures({ explain }: RunningExample, model: string): Promise<string[]> {
  const steps = await explain({ model });
  return steps.flatMap(({ rule }) => (rule.startsWith('target ') ? [rule.split('; ').slice(1).join('; ')] : []));
}

export const balancersChecks: Checks = {
  'Balancers: which target of a route': {
    async assert(example) {
      const { chat, mock } = example;
      expect(await figures(example, 'assistant')).toEqual(['healthy; latency: not measured yet', 'healthy; latency: not measured yet']);
      mock('openai').setFault('slow-first-token,ms=150');
      for (let call = 0; call < 30; call++) expect((await chat('assistant')).status).toBe(200);
      // Five calls make a target warm; then one in ten goes where it is cold, and one in fifty anywhere.
      expect(mock('anthropic').requests.length).toBeGreaterThan(mock('openai').requests.length);
      expect(await figures(example, 'assistant')).toEqual([
        expect.stringMatching(/^healthy; latency: 1\d\d ms$/),
        expect.stringMatching(/^healthy; latency: \d\d? ms$/),
      ]);
    },
  },
  'By cost': {
    async assert(example) {
      const { chat, mock } = example;
      for (let call = 0; call < 5; call++) expect((await (await chat('summary')).record()).target).toBe('gpu/qwen3');
      mock('gpu').setFault('401');
      expect(await (await chat('summary')).record()).toMatchObject({ target: 'openai/gpt-5-mini', attempts: 2 });
      const figure = expect.stringMatching(/^(healthy|resting); cost: \$[\d.]+ a million tokens$/);
      const shown = await figures(example, 'summary');
      expect(shown).toEqual([figure, figure, 'resting, to be tried in 1 s; cost: $0.15 a million tokens']);
    },
  },
  'One of your own': {
    async assert(example) {
      const { chat, mock } = example;
      mock('gpu').setFault('slow-first-token,ms=1000');
      const first = Array.from({ length: 8 }, () => chat('assistant'));
      await expect
        .poll(() => figures(example, 'assistant'))
        .toEqual(['healthy; spill: 8 of 8 on their way', 'healthy; spill: 0 of 8 on their way']);
      const ninth = await chat('assistant');
      expect((await ninth.record()).target).toBe('openai/gpt-5-mini');
      for (const answer of await Promise.all(first)) expect((await answer.record()).target).toBe('gpu/qwen3');
      mock('gpu').reset();
      expect((await (await chat('assistant')).record()).target).toBe('gpu/qwen3');
    },
  },
};
