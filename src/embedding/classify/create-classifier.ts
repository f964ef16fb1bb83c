import type { Embedder } from '../../core/contracts/embedder.ts';
import type { ClassExamples, Classifier, ClassifierOptions, Verdict } from '../../core/contracts/semantics.ts';
import { fingerprint } from '../../core/secret.ts';
import { embedQueries } from '../embed-queries.ts';
import { refusesTexts } from '../refuses-texts.ts';
import type { Ladder, Rung } from '../rung.ts';
import { embedExamples } from './embed-examples.ts';
import { learnApart } from './learn-apart.ts';
import { EVERYDAY_TEXTS } from './everyday-texts.ts';
import { knowsNoOutside, scoresOf, type Learnt } from './learn.ts';
import { wordReader, type WordVector } from './word-features.ts';

/** Characters of a text that are read. */
const LONGEST = 1_000;
const MOST_SCORES = 5;
/** Milliseconds after which what could not be learnt is tried again. */
const AGAIN_MS = 30_000;
/** Classifiers that are remembered over generations. */
const MOST_KNOWN = 16;

/** What was learnt with one model, ready to be asked. */
interface Lessons {
  readonly learnt: Learnt;
  readonly read: (text: string) => WordVector;
}

/** By what it was learnt from and with: a configuration that says the same learns nothing anew. Oldest first. */
const known = new Map<string, Promise<Lessons>>();

/** Learns in the background, with the best rung that works, and again when a better one does; the earlier one answers meanwhile. */
export function createClassifier(classes: readonly ClassExamples[], options: ClassifierOptions | undefined, ladder: Ladder): Classifier {
  const classifier = new LadderClassifier(classes, options ?? {}, ladder);
  void classifier.ready();
  return classifier;
}

/** A model, or words alone. */
type Means = Rung | undefined;

class LadderClassifier implements Classifier {
  readonly #classes: readonly ClassExamples[];
  readonly #none: readonly string[];
  readonly #signal: AbortSignal | undefined;
  readonly #ladder: Ladder;
  readonly #key: string;
  /** By the id of the model. */
  readonly #lessons = new Map<string, Lessons>();
  readonly #learning = new Map<string, Promise<void>>();
  /** By the id of the model: when learning failed, in milliseconds of the clock that only goes on. */
  readonly #failures = new Map<string, number>();
  /** It is known whether there is a model at all. */
  #isSettled = false;

  constructor(classes: readonly ClassExamples[], { none = [], signal }: ClassifierOptions, ladder: Ladder) {
    this.#classes = classes;
    this.#none = none;
    this.#signal = signal;
    this.#ladder = ladder;
    this.#key = fingerprint([classes.map(({ name, examples }) => [name, examples]), none]);
  }

  async classify(text: string): Promise<Verdict | undefined> {
    const wanted = this.#best();
    if (wanted !== undefined && !this.#lessons.has(idOf(wanted.rung))) void this.#learn(wanted.rung);
    let isRefused = false;
    for (const rung of [...this.#ladder.rungs, undefined]) {
      const lessons = this.#lessons.get(idOf(rung));
      if (lessons === undefined) continue;
      const read = text.slice(0, LONGEST);
      try {
        const vector =
          rung === undefined ? undefined : await this.#work(rung, async (embedder) => (await embedQueries([read], embedder))[0]);
        const scores = scoresOf(lessons.learnt, { vector, words: lessons.read(read) }, this.#classes.length);
        return this.#verdict(lessons, rung, scores, isRefused ? 'It refuses this text.' : 'It is learning the examples.');
      } catch (error) {
        // The ladder knows; the next rung answers if it has learnt.
        isRefused ||= refusesTexts(error);
      }
    }
    return undefined;
  }

  async ready(): Promise<void> {
    // The first rung may be there long before the best: what it can learn answers until then.
    const early = new Promise<void>((resolve) => {
      const stop = this.#ladder.onChange(() => {
        stop();
        resolve();
      });
      void this.#ladder.settled().then(stop);
    });
    if (this.#ladder.rungs.length === 0) await Promise.race([early, this.#ladder.settled()]);
    if (this.#ladder.rungs.length > 0) await this.#learnBest();
    await this.#ladder.settled();
    this.#isSettled = true;
    await this.#learnBest();
  }

  async #learnBest(): Promise<void> {
    const best = this.#best();
    if (best !== undefined) await this.#learn(best.rung);
  }

  /** Undefined when there is nothing to learn, or not yet known what with. */
  #best(): { readonly rung: Means } | undefined {
    const [rung] = this.#ladder.rungs;
    return this.#classes.length === 0 || (rung === undefined && !this.#isSettled) ? undefined : { rung };
  }

  /** Never rejects: what could not be learnt is tried again after a while. */
  #learn(rung: Means): Promise<void> {
    const id = idOf(rung);
    const failedAt = this.#failures.get(id);
    const rests = failedAt !== undefined && performance.now() - failedAt < AGAIN_MS;
    if (rests || this.#lessons.has(id) || this.#signal?.aborted) return Promise.resolve();
    let learning = this.#learning.get(id);
    if (learning === undefined) {
      const key = `${this.#key} ${id}`;
      const lessons = remembered(key) ?? remember(key, this.#teach(rung));
      learning = lessons
        .then((done) => void this.#lessons.set(id, done))
        .catch(() => void this.#failures.set(id, performance.now()))
        .finally(() => this.#learning.delete(id));
      this.#learning.set(id, learning);
    }
    return learning;
  }

  async #teach(rung: Means): Promise<Lessons> {
    const classes = this.#classes.map(({ examples }) => examples.map((text) => text.slice(0, LONGEST)));
    const none = this.#none.map((text) => text.slice(0, LONGEST));
    const outside = knowsNoOutside(classes.length, none.length) ? EVERYDAY_TEXTS : [];
    const vectors =
      rung === undefined ? [] : await this.#work(rung, (embedder) => embedExamples([...classes.flat(), ...none, ...outside], embedder));
    const learnt = await learnApart({ classes, none, outside, vectors }, this.#signal);
    return { learnt, read: wordReader(learnt.vocabulary) };
  }

  /** What the embedder refuses tells nothing of the embedder; the ladder hears of anything else. */
  async #work<T>(rung: Rung, work: (embedder: Embedder) => Promise<T>): Promise<T> {
    try {
      return await work(rung.embedder);
    } catch (error) {
      if (!refusesTexts(error)) this.#ladder.failed(rung, error);
      throw error;
    }
  }

  #verdict({ learnt }: Lessons, rung: Means, scores: Float32Array, progress: string): Verdict {
    const ranked = this.#classes
      .map(({ name, threshold = learnt.threshold }, at) => ({ name, score: scores[at]!, threshold }))
      .toSorted((one, other) => other.score - one.score);
    const [best] = ranked;
    const degraded = this.#ladder.degraded(rung, progress);
    return {
      ...(best !== undefined && best.score >= best.threshold ? { name: best.name } : {}),
      scores: ranked.slice(0, MOST_SCORES),
      scorer: learnt.scorer,
      ...(rung === undefined ? {} : { model: rung.embedder.id }),
      ...(degraded === undefined ? {} : { degraded }),
    };
  }
}

function idOf(rung: Means): string {
  return rung?.embedder.id ?? '';
}

function remembered(key: string): Promise<Lessons> | undefined {
  const lessons = known.get(key);
  if (lessons === undefined) return undefined;
  known.delete(key);
  known.set(key, lessons);
  return lessons;
}

function remember(key: string, lessons: Promise<Lessons>): Promise<Lessons> {
  known.set(key, lessons);
  lessons.catch(() => known.delete(key));
  for (const [oldest] of known) {
    if (known.size <= MOST_KNOWN) break;
    known.delete(oldest);
  }
  return lessons;
}
