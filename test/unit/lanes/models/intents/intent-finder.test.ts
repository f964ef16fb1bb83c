import { describe, expect, it, vi } from 'vitest';
import type { Classifier, Semantics, Verdict } from '../../../../../src/core/contracts/semantics.ts';
import { describeIntent } from '../../../../../src/lanes/models/intents/describe-intent.ts';
import { intentFinder, type IntentSettings } from '../../../../../src/lanes/models/intents/intent-finder.ts';

const BILLING: Verdict = {
  name: 'billing',
  scores: [
    { name: 'billing', score: 0.8312, threshold: 0.61 },
    { name: 'coding', score: 0.12, threshold: 0.61 },
  ],
  scorer: 'linear',
  model: 'all-MiniLM-L6-v2',
};
const SETTINGS: IntentSettings = { intents: { billing: { examples: ['my invoice'] }, coding: { examples: ['my code'], threshold: 0.7 } } };

function finderOf(classify: Classifier['classify'], settings = SETTINGS) {
  const made = vi.fn<Semantics['classifier']>(() => ({ classify, ready: () => Promise.resolve() }));
  const semantics = { classifier: made } as unknown as Semantics;
  return { finder: intentFinder(settings, semantics, undefined)!, made, semantics };
}

describe('finding an intent', () => {
  it('gives examples, thresholds and options to the classifier, once', async () => {
    const settings = { ...SETTINGS, intentRouting: { none: ['hello'], model: 'none' } };
    const { finder, made } = finderOf(() => Promise.resolve(BILLING), settings);
    await finder.find('a');
    await finder.find('b');
    expect(made.mock.calls).toEqual([
      [
        [
          { name: 'billing', examples: ['my invoice'] },
          { name: 'coding', examples: ['my code'], threshold: 0.7 },
        ],
        { signal: expect.any(AbortSignal), none: ['hello'], model: 'none' },
      ],
    ]);
  });

  it('asks the same only once, and a thousand others later again', async () => {
    const asked: string[] = [];
    const { finder } = finderOf((text) => (asked.push(text), Promise.resolve(BILLING)));
    expect((await Promise.all([finder.find('same'), finder.find('same')])).map(({ verdict }) => verdict)).toEqual([BILLING, BILLING]);
    expect(asked).toEqual(['same']);
    for (let at = 0; at < 1_000; at++) await finder.find(`other ${at}`);
    await finder.find('same');
    expect(asked.filter((text) => text === 'same')).toHaveLength(2);
  });

  it.each<[string, Classifier['classify'], RegExp]>([
    ['takes too long', () => new Promise(() => undefined), /^unknown: it was not found in 20 ms$/],
    ['has learnt nothing yet', () => Promise.resolve(undefined), /^unknown: the examples are not learnt yet$/],
    ['fails', () => Promise.reject(new Error('secret text')), /^unknown: the examples are not learnt yet$/],
  ])('a classifier that %s is no error', async (_, classify, told) => {
    const { finder } = finderOf(classify, { ...SETTINGS, intentRouting: { timeout: 20 } });
    const found = await finder.find('text');
    expect(found.verdict).toBeUndefined();
    expect(describeIntent(found, false)).toMatch(told);
  });

  it('what was not known is asked again', async () => {
    const verdicts = [undefined, BILLING];
    const { finder } = finderOf(() => Promise.resolve(verdicts.shift()));
    expect((await finder.find('text')).verdict).toBeUndefined();
    expect((await finder.find('text')).verdict).toBe(BILLING);
  });

  it('calls off what it learns when it ends', () => {
    const { finder, made } = finderOf(() => Promise.resolve(BILLING));
    void finder.find('text');
    const { signal } = made.mock.calls[0]![1]!;
    expect(signal!.aborted).toBe(false);
    finder.end();
    expect(signal!.aborted).toBe(true);
  });

  it('refuses to queue without end', async () => {
    const { finder } = finderOf(() => new Promise(() => undefined), { ...SETTINGS, intentRouting: { timeout: 30 } });
    const found = await Promise.all(Array.from({ length: 70 }, (_, at) => finder.find(`text ${at}`)));
    expect(found.filter(({ reason }) => reason === '64 texts wait for the model')).toHaveLength(6);
  });

  it('stays with what it has learnt while the configuration says the same', () => {
    const { finder, semantics } = finderOf(() => Promise.resolve(BILLING));
    expect(intentFinder(structuredClone(SETTINGS), semantics, finder)).toBe(finder);
    expect(intentFinder({ ...SETTINGS, intentRouting: { mode: 'shadow' } }, semantics, finder)).not.toBe(finder);
    expect(intentFinder({}, semantics, finder)).toBeUndefined();
  });
});

describe('after a change of the settings', () => {
  const CHANGED: IntentSettings = { intents: { billing: { examples: ['my invoice', 'my bill'] }, legal: { examples: ['my contract'] } } };
  const after = (before: ReturnType<typeof finderOf>['finder'], classify: Classifier['classify'], settings = CHANGED) =>
    intentFinder(settings, { classifier: () => ({ classify, ready: () => Promise.resolve() }) } as unknown as Semantics, before)!;

  it('what was learnt before answers until the new examples are learnt, without intents that are gone', async () => {
    const { finder } = finderOf(() => Promise.resolve(BILLING));
    const verdicts = [undefined, { ...BILLING, model: 'new' }, undefined];
    const changed = after(finder, () => Promise.resolve(verdicts.shift()));
    expect((await changed.find('text')).verdict).toEqual({ ...BILLING, scores: [BILLING.scores[0]] });
    expect((await changed.find('text')).verdict?.model).toBe('new');
    // From then on nothing is asked of it.
    expect((await changed.find('other')).verdict).toBeUndefined();
  });

  it('an intent that is gone is none, and nothing is known by intents that are all gone', async () => {
    const { finder } = finderOf(() => Promise.resolve(BILLING));
    const unlearnt = (): Promise<undefined> => Promise.resolve(undefined);
    const { verdict } = await after(finder, unlearnt, { intents: { coding: { examples: ['x'] } } }).find('text');
    expect(verdict).toEqual({ ...BILLING, name: undefined, scores: [BILLING.scores[1]] });
    expect((await after(finder, unlearnt, { intents: { legal: { examples: ['x'] } } }).find('text')).verdict).toBeUndefined();
  });

  it('several times before anything is learnt, the one that has learnt answers', async () => {
    const { finder } = finderOf(() => Promise.resolve(BILLING));
    const unlearnt = (): Promise<undefined> => Promise.resolve(undefined);
    const second = after(after(finder, unlearnt), unlearnt, { ...CHANGED, intentRouting: { timeout: 50 } });
    expect((await second.find('text')).verdict?.name).toBe('billing');
  });
});

describe('what is said of it', () => {
  it('names the scores, the threshold and what found it', () => {
    const found = { verdict: BILLING, tookMs: 4.4 };
    expect(describeIntent(found, false)).toBe('billing 0.83 (threshold 0.61), coding 0.12, by linear with all-MiniLM-L6-v2 in 4 ms');
    const { name: _, model: __, ...none } = BILLING;
    expect(describeIntent({ verdict: none, tookMs: 0 }, true)).toBe(
      'none: billing 0.83 (below 0.61), coding 0.12, by linear with words alone in 0 ms (shadow: no route is taken by it)',
    );
  });
});
