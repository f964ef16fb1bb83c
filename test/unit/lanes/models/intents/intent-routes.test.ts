import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { HubConfig, ModelRouteConfig } from '../../../../../src/config/types.ts';
import { ANONYMOUS } from '../../../../../src/core/consumer.ts';
import type { Semantics, Verdict } from '../../../../../src/core/contracts/semantics.ts';
import { buildModels } from '../../../../../src/lanes/models/routes/build.ts';
import { asksForIntent, chooseRoute } from '../../../../../src/lanes/models/routes/choose.ts';
import { explainModel } from '../../../../../src/lanes/models/routes/explain-model.ts';
import { buildHost, LENT, merge } from '../doors/start-lane.ts';

const PROVIDERS = { main: { type: 'openai-compatible', baseUrl: 'http://vendor.test/v1' } } as const;
const to = { targets: [{ provider: 'main' }] };
const MODELS: readonly ModelRouteConfig[] = [
  { name: 'accounts', match: { model: 'assistant', intent: 'billing' }, ...to },
  { name: 'only-alice', match: { model: 'private', intent: 'coding', consumer: 'alice' }, ...to },
  { name: 'assistant', ...to },
  { match: { model: '*' }, ...to },
];
const INTENTS = {
  billing: { examples: ['invoice', 'charged', 'refund', 'receipt', 'payment'] },
  coding: { examples: ['python', 'function', 'compile', 'bug', 'class'] },
};
const VERDICT: Verdict = { name: 'billing', scores: [{ name: 'billing', score: 0.8, threshold: 0.5 }], scorer: 'linear', model: 'mini' };

async function build(models = MODELS, more: Partial<HubConfig> = { intents: INTENTS }, verdict: Verdict | undefined = VERDICT) {
  const classify = vi.fn(() => Promise.resolve(verdict));
  const semantics = { classifier: () => ({ classify, ready: () => Promise.resolve() }) } as unknown as Semantics;
  const merged = merge(PROVIDERS, models);
  Object.assign(merged.config, more);
  const generation = await buildModels(merged, { ...buildHost(), semantics }, LENT, [], undefined);
  onTestFinished(() => generation.intents?.end());
  const api = generation.apis.get('v1')!;
  const question = (model: string) => ({ model, consumer: ANONYMOUS, headers: {} });
  return {
    generation,
    classify,
    asks: (model: string) => asksForIntent(api, question(model)),
    taken: (model: string, intent?: string | null) =>
      chooseRoute(api, { ...question(model), ...(intent === undefined ? {} : { intent }) }).name,
    explain: (model: string, text?: string) =>
      explainModel(generation, api, text === undefined ? { model, consumer: ANONYMOUS } : { ...question(model), text }),
  };
}

describe('routes that ask for an intent', () => {
  it('are asked for only where they would take the call otherwise', async () => {
    const { asks } = await build();
    expect(['assistant', 'private', 'anything'].map(asks)).toEqual([true, false, false]);
  });

  it('take calls of that intent; none, another and unknown go to the next', async () => {
    const { taken } = await build();
    expect(taken('assistant', 'billing')).toBe('accounts');
    for (const intent of ['coding', null, undefined]) expect(taken('assistant', intent)).toBe('assistant');
  });

  it('after one that takes all are not asked for', async () => {
    const { asks } = await build(MODELS.toReversed());
    expect(asks('assistant')).toBe(false);
  });
});

describe('problems', () => {
  const problemsOf = async (...given: Parameters<typeof build>) =>
    (await build(...given)).generation.problems.map(({ code, severity, pointer, line }) => ({ code, severity, pointer, line }));

  it('none where each intent has examples and a route', async () => {
    expect(await problemsOf()).toEqual([]);
  });

  it('a route that asks for an intent that there is not is an error, with its place', async () => {
    expect(await problemsOf(MODELS, { intents: { coding: INTENTS.coding } })).toEqual([
      { code: 'intent_unknown', severity: 'error', pointer: '/models/0/match/intent', line: expect.any(Number) },
    ]);
  });

  it.each<[string, ModelRouteConfig | undefined]>([
    ['none', undefined],
    ['one for another model', { name: 'other', ...to }],
    ['one for another intent', { match: { model: 'assistant', intent: 'coding' }, ...to }],
  ])('a route that asks for an intent wants one below that asks for none: %s', async (_, base) => {
    const models = [MODELS[0]!, ...(base === undefined ? [] : [base])];
    const found = await problemsOf(models, { intents: INTENTS });
    expect(found.filter(({ pointer }) => pointer === '/models/0')).toEqual([
      { code: 'intent_without_base', severity: 'warning', pointer: '/models/0', line: expect.any(Number) },
    ]);
  });

  it('an intent that no route asks for, and few examples, are warnings', async () => {
    const intents = { ...INTENTS, 'a/b': { examples: ['one', 'ONE ', 'two'] } };
    expect(await problemsOf(MODELS, { intents })).toEqual([
      { code: 'intent_unused', severity: 'warning', pointer: '/intents/a~1b', line: expect.any(Number) },
      { code: 'intent_examples_few', severity: 'warning', pointer: '/intents/a~1b/examples', line: expect.any(Number) },
    ]);
  });
});

describe('explain', () => {
  const told = (explanation: Awaited<ReturnType<typeof explainModel>>) =>
    explanation.steps.map(({ rule, effect, value }) => `${effect} ${rule}${typeof value === 'object' ? '' : ` (${String(value)})`}`);

  it('without a text says that the request decides, and asks nobody', async () => {
    const { explain, classify } = await build();
    const explanation = await explain('assistant');
    expect(told(explanation)).toContain('info route accounts: intent billing (asked at each request)');
    expect(explanation.visible).toBe(true);
    expect(classify).not.toHaveBeenCalled();
  });

  it('with a text shows the scores and the route that they lead to', async () => {
    const { explain } = await build();
    const explanation = await explain('assistant', 'my invoice');
    expect(told(explanation).slice(0, 3)).toEqual([
      expect.stringMatching(/^info intent billing 0\.80 \(threshold 0\.50\), by linear with mini in \d+ ms$/),
      'allows route accounts: model assistant (true)',
      'allows route accounts: intent billing (true)',
    ]);
    expect(explanation.steps[0]!.value).toEqual({ intent: 'billing', ...VERDICT });
    expect(explanation.steps.at(-1)!.value).toMatchObject({ route: 'accounts' });
  });

  it.each<[string, Partial<HubConfig>, string, Verdict | undefined]>([
    ['in shadow', { intents: INTENTS, intentRouting: { mode: 'shadow' } }, 'my invoice', VERDICT],
    ['without a text to judge', { intents: INTENTS }, '', VERDICT],
    ['for a text of none', { intents: INTENTS }, 'hello', { ...VERDICT, name: undefined } as never],
  ])('%s no route takes the call by intent', async (_, more, text, verdict) => {
    const { explain } = await build(MODELS, more, verdict);
    expect((await explain('assistant', text)).steps.at(-1)!.value).toMatchObject({ route: 'assistant' });
  });
});
