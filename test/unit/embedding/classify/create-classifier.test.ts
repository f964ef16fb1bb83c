import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Embedder } from '../../../../src/core/contracts/embedder.ts';
import type { ClassExamples, Verdict } from '../../../../src/core/contracts/semantics.ts';
import { GatewayError } from '../../../../src/core/errors.ts';
import { createClassifier } from '../../../../src/embedding/classify/create-classifier.ts';
import type { Ladder, Rung } from '../../../../src/embedding/rung.ts';
import { staticSemantics, wordsAlone } from '../../../support/static-semantics.ts';

interface Cut {
  readonly classes: readonly { readonly name: string; readonly examples: readonly string[]; readonly test: readonly string[] }[];
  readonly outOfScope: readonly string[];
}
const CUT = JSON.parse(readFileSync(`${import.meta.dirname}/../../../fixtures/intents/clinc150-cut.json`, 'utf8')) as Cut;

const CLASSES: readonly ClassExamples[] = [
  {
    name: 'billing',
    examples: ['I was charged twice', 'where is my invoice', 'refund my payment', 'the payment failed', 'send me a receipt'],
  },
  {
    name: 'coding',
    examples: ['fix this python bug', 'write a function', 'why does it not compile', 'explain the stack trace', 'refactor this class'],
  },
];

function semantics(make = staticSemantics) {
  const made = make();
  onTestFinished(() => made.close());
  return made;
}

/** An embedder whose vectors say which of the words a text has. */
function rungOf(id: string, words: readonly string[], embed?: Embedder['embed']): Rung {
  const vectorOf = (text: string) => Float32Array.from(words, (word) => (text.includes(word) ? 1 : 0.01));
  return {
    name: id,
    traits: { pooling: 'mean', queryPrefix: '', documentPrefix: '', weight: 0.6, sameRequest: 0.9 },
    embedder: { id, dims: words.length, batch: 4, embed: embed ?? ((texts) => texts.map(vectorOf)) },
  };
}

/** A ladder whose rungs the test moves. */
function ladderOf(...rungs: Rung[]) {
  const listeners = new Set<() => void>();
  const failed: unknown[] = [];
  const ladder: { rungs: readonly Rung[] } & Ladder = {
    requested: 'auto',
    rungs,
    settled: () => Promise.resolve(),
    onChange: (listener: () => void) => (listeners.add(listener), () => listeners.delete(listener)),
    failed: (rung: Rung, error: unknown) => {
      failed.push(error);
      ladder.rungs = ladder.rungs.filter((one) => one !== rung);
    },
    degraded: (active: Rung | undefined) =>
      active === ladder.rungs[0] ? undefined : { requested: 'auto', active: active?.name ?? 'bm25', reason: 'why' },
  };
  return { ladder, failed, move: (...next: Rung[]) => (ladder.rungs = next) };
}

describe('on a cut of CLINC150, 12 intents of 10 examples', () => {
  it.each([
    ['the bundled model', staticSemantics, { accuracy: 0.93, kept: 0.8, refused: 0.85 }],
    ['words alone', wordsAlone, { accuracy: 0.85, kept: 0.65, refused: 0.6 }],
  ])('%s finds intents and what has none', async (_, make, floor) => {
    const classifier = semantics(make).classifier(CUT.classes);
    await classifier.ready();
    const asked = CUT.classes.flatMap(({ name, test }) => test.map((text) => ({ name, text })));
    const verdicts = await Promise.all(asked.map(async ({ name, text }) => ({ name, verdict: (await classifier.classify(text))! })));
    const outside = await Promise.all(CUT.outOfScope.map((text) => classifier.classify(text)));
    const share = (some: readonly unknown[], all: readonly unknown[]): number => some.length / all.length;
    const figures = {
      accuracy: share(
        verdicts.filter(({ name, verdict }) => verdict.scores[0]!.name === name),
        verdicts,
      ),
      kept: share(
        verdicts.filter(({ name, verdict }) => verdict.name === name),
        verdicts,
      ),
      refused: share(
        outside.filter((verdict) => verdict!.name === undefined),
        outside,
      ),
    };
    for (const [what, least] of Object.entries(floor)) expect(figures[what as keyof typeof figures], what).toBeGreaterThanOrEqual(least);
  });
});

describe('a verdict', () => {
  it('has the best scores first, between 0 and 1, and says what found it', async () => {
    const classifier = semantics().classifier(CUT.classes);
    await classifier.ready();
    const verdict = (await classifier.classify('what will the weather be like tomorrow'))!;
    expect(verdict).toMatchObject({ name: 'weather', scorer: 'linear', model: 'hubgate-static-en@2' });
    expect(verdict.scores).toHaveLength(5);
    const scores = verdict.scores.map(({ score }) => score);
    expect(scores.toSorted((a, b) => b - a)).toEqual(scores);
    expect(Math.min(...scores)).toBeGreaterThan(0);
    expect(scores.reduce((a, b) => a + b)).toBeLessThanOrEqual(1);
  });

  it('is by the threshold of the operator where there is one', async () => {
    const [billing, coding] = CLASSES as [ClassExamples, ClassExamples];
    const ask = async (threshold: number): Promise<Verdict> => {
      const classifier = semantics().classifier([{ ...billing, threshold }, coding]);
      await classifier.ready();
      return (await classifier.classify('I was charged two times'))!;
    };
    expect((await ask(0)).name).toBe('billing');
    expect(await ask(1)).not.toHaveProperty('name');
    expect((await ask(1)).scores[0]).toMatchObject({ name: 'billing', threshold: 1 });
  });

  it('is by centroids with fewer than five examples in a class, and the same whenever it is learnt', async () => {
    const few = CLASSES.map((one) => ({ ...one, examples: one.examples.slice(0, 3) }));
    const verdicts = [];
    for (const texts of [few, few.toReversed().toReversed(), few.map((one) => ({ ...one, threshold: 0.1 }))]) {
      const classifier = semantics().classifier(texts);
      await classifier.ready();
      verdicts.push((await classifier.classify('charged for an invoice'))!);
    }
    expect(verdicts[0]).toMatchObject({ name: 'billing', scorer: 'centroid' });
    expect(verdicts[1]).toEqual(verdicts[0]);
    expect(verdicts[2]!.scores[0]!.score).toBe(verdicts[0]!.scores[0]!.score);
  });

  it('takes texts of none into account', async () => {
    const none = [
      'tell me a joke',
      'what is the weather',
      'who won the game',
      'good morning',
      'sing a song',
      'how old are you',
      'what day is it',
      'hello there',
      'play music',
      'thanks a lot',
    ];
    const classifier = semantics().classifier(CLASSES, { none });
    await classifier.ready();
    expect(await classifier.classify('tell me another joke please')).not.toHaveProperty('name');
    expect((await classifier.classify('fix the bug in my python function'))!.name).toBe('coding');
  });

  it.each([
    ['one class of one example', [{ name: 'only', examples: ['where is my invoice'] }]],
    ['the same text in two classes', CLASSES.map((one) => ({ ...one, examples: ['the same text'] }))],
    ['texts without words', [{ name: 'a', examples: ['…', '🙂', '?', '—', '!'] }, ...CLASSES]],
  ])('%s: numbers all the same', async (_, classes) => {
    const classifier = semantics().classifier(classes);
    await classifier.ready();
    for (const text of ['where is my invoice', '', '🙂', 'x'.repeat(5_000)]) {
      const verdict = (await classifier.classify(text))!;
      for (const { score, threshold } of verdict.scores) expect([score, threshold].every((one) => one >= 0 && one <= 1)).toBe(true);
    }
  });
});

describe('with models that come and go', () => {
  const low = rungOf('low', ['invoice', 'python']);
  const high = rungOf('high', ['invoice', 'python', 'charged']);

  it('nothing is said before something is learnt, nor without classes', async () => {
    const { ladder } = ladderOf(low);
    expect(await createClassifier(CLASSES, { none: ['some text of its own'] }, ladder).classify('invoice')).toBeUndefined();
    const empty = createClassifier([], undefined, ladder);
    await empty.ready();
    expect(await empty.classify('invoice')).toBeUndefined();
  });

  it('a better model is learnt with while the earlier one answers', async () => {
    const { ladder, move } = ladderOf(low);
    const classifier = createClassifier(CLASSES, undefined, ladder);
    await classifier.ready();
    expect((await classifier.classify('an invoice'))!.model).toBe('low');
    move(high, low);
    expect(await classifier.classify('an invoice')).toMatchObject({ model: 'low', degraded: { active: 'low' } });
    await classifier.ready();
    const verdict = await classifier.classify('an invoice');
    expect(verdict).toMatchObject({ model: 'high' });
    expect(verdict).not.toHaveProperty('degraded');
  });

  it('the next rung answers when one fails, and the ladder hears of it', async () => {
    const breaking = rungOf('breaking', ['invoice', 'python'], (texts) =>
      texts.length === 1 ? Promise.reject(new Error('broken')) : texts.map((text) => Float32Array.of(text.includes('invoice') ? 1 : 0, 1)),
    );
    const { ladder, failed, move } = ladderOf(low);
    const classifier = createClassifier(CLASSES, undefined, ladder);
    await classifier.ready();
    move(breaking, low);
    await classifier.ready();
    expect((await classifier.classify('an invoice'))!.model).toBe('low');
    expect(failed).toEqual([new Error('broken')]);
  });

  it('a text that is refused goes to the next rung, and an example that is refused keeps none of the others from being learnt', async () => {
    const picky = rungOf('picky', ['invoice', 'python'], (texts) => {
      if (texts.some((text) => text.includes('poison'))) throw new GatewayError('bad_request', 'It does not take this.');
      return texts.map((text) => Float32Array.of(text.includes('invoice') ? 1 : 0, text.includes('python') ? 1 : 0));
    });
    const { ladder, failed } = ladderOf(low);
    const classes = CLASSES.map(({ name, examples }) => ({ name, examples: [...examples, 'poison'] }));
    const classifier = createClassifier(classes, undefined, ladder);
    await classifier.ready();
    ladder.rungs = [picky, low];
    await classifier.ready();
    expect(await classifier.classify('an invoice')).toMatchObject({ name: 'billing', model: 'picky' });
    expect(await classifier.classify('an invoice with poison')).toMatchObject({ model: 'low' });
    expect(await classifier.classify('an invoice')).toMatchObject({ model: 'picky' });
    expect(failed).toEqual([]);
  });

  it('a model that refuses every example has failed', async () => {
    const none = rungOf('none', ['invoice'], () => Promise.reject(new GatewayError('bad_request', 'No.')));
    const { ladder, failed } = ladderOf(none, low);
    const classifier = createClassifier(CLASSES, { none: ['one more text'] }, ladder);
    await classifier.ready();
    await classifier.ready();
    expect(await classifier.classify('an invoice')).toMatchObject({ model: 'low' });
    expect(failed).toEqual([new Error('It refuses every example.')]);
  });

  it('what was learnt once is not learnt again', async () => {
    let texts = 0;
    const counting = rungOf('counting', ['a'], (some) => {
      texts += some.length;
      return some.map(() => Float32Array.of(1));
    });
    const { ladder } = ladderOf(counting);
    await createClassifier(CLASSES, undefined, ladder).ready();
    const learnt = texts;
    expect(learnt).toBeGreaterThanOrEqual(10);
    const again = createClassifier(
      CLASSES.map((one) => ({ ...one, threshold: 0.2 })),
      undefined,
      ladder,
    );
    await again.ready();
    expect(texts).toBe(learnt);
    expect(await again.classify('x')).toBeDefined();
  });
});
