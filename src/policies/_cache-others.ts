import type { Embedded, Semantics } from '../core/contracts/semantics.ts';
import type { Logger } from '../core/logger.ts';
import type { AskedBefore, Asked } from './_cache-asked.ts';
import type { OtherAnswers } from './_cache-hooks.ts';
import { cacheKey, type CachedCall } from './_cache-key.ts';
import { likeness } from './_cache-likeness.ts';
import { questionOf } from './_cache-question.ts';
import type { KeepingSettings } from './_cache-settings.ts';
import { wordingOf, type Wording } from './_cache-wording.ts';

export interface LikeParts extends KeepingSettings {
  readonly before: AskedBefore;
  /** Tells the questions of this use of the policy from those of others. */
  readonly place: string;
  readonly semantics: Pick<Semantics, 'embed'>;
  readonly model?: string | undefined;
  /** That of the model when absent. */
  readonly threshold?: number | undefined;
  readonly maxEntries: number;
  readonly now: () => number;
  readonly log: Logger;
}

/** Characters. What the rules and the thresholds were measured with; in a longer text a word more or less hardly moves the vector. */
const LONGEST = 100;
/** Milliseconds that a call waits for its vector; a model may be loading. */
const PATIENCE_MS = 1_000;

interface Question {
  readonly text: string;
  readonly wording: Wording;
  /** Of all questions that differ from it in nothing but their text. */
  readonly group: string;
  embedded?: Embedded;
}

/** Finds answers to questions that mean the same as the last one of a call, all else being equal. */
export function likeAnswers(parts: LikeParts): OtherAnswers {
  const { before, ttlMs, maxEntries, now } = parts;
  const questions = new WeakMap<CachedCall, Question | undefined>();
  const ask = (call: CachedCall): Question | undefined => {
    if (!questions.has(call)) questions.set(call, readQuestion(call, parts));
    return questions.get(call);
  };

  return {
    async find(call) {
      const question = ask(call);
      if (question === undefined) return [];
      const { group, wording } = question;
      const all = before.of(group, now());
      const same = all.filter((asked) => likeness(asked.wording, wording) === 'same');
      if (same.length > 0) return same.map(({ key }) => found(before, group, key, 'wording'));
      const like = all.filter((asked) => likeness(asked.wording, wording) === 'near');
      if (like.length === 0) return [];
      question.embedded = await embed(question.text, parts);
      return nearest(like, question, parts.threshold).map(({ key, cosine }) => found(before, group, key, cosine.toFixed(2)));
    },
    kept(call, key) {
      const question = ask(call);
      if (question === undefined) return;
      const asked: Asked = { key, wording: question.wording, until: now() + ttlMs };
      before.add(question.group, asked, maxEntries);
      void Promise.resolve(question.embedded ?? embed(question.text, parts)).then((embedded) => {
        const [vector] = embedded?.vectors ?? [];
        if (embedded !== undefined && vector !== undefined) asked.embedded = { model: embedded.model, vector };
      });
    },
    gone(call, key) {
      const group = ask(call)?.group;
      if (group !== undefined) before.drop(group, key);
    },
  };
}

function readQuestion(call: CachedCall, { place, scope }: LikeParts): Question | undefined {
  if (call.lane !== 'models') return undefined;
  const question = questionOf(call.input.body);
  if (question === undefined || question.text.length > LONGEST || question.text.trim() === '') return undefined;
  const wording = wordingOf(question.text);
  const group = wording.isLiteral ? undefined : cacheKey(call, scope, question.rest);
  return group === undefined ? undefined : { text: question.text, wording, group: `${place}\n${group}` };
}

function found(before: AskedBefore, group: string, key: string, near: string): { key: string; near: string } {
  before.touch(group, key);
  return { key, near };
}

/** Those whose vectors are near enough, nearest first. Vectors of another model are not compared. */
function nearest(
  like: readonly Asked[],
  { embedded }: Question,
  threshold = embedded?.sameRequest ?? 1,
): { key: string; cosine: number }[] {
  const [vector] = embedded?.vectors ?? [];
  if (embedded === undefined || vector === undefined) return [];
  return like
    .filter((asked) => asked.embedded?.model === embedded.model)
    .map(({ key, embedded: other }) => ({ key, cosine: cosine(other?.vector ?? [], vector) }))
    .filter(({ cosine: near }) => near >= threshold)
    .toSorted((a, b) => b.cosine - a.cosine);
}

/** Of unit vectors. */
function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < b.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

/** Undefined when there is no vector in time: the call goes on without. */
async function embed(text: string, { semantics, model, log }: LikeParts): Promise<Embedded | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, PATIENCE_MS, undefined).unref();
  try {
    return await Promise.race([semantics.embed([text], { model }), late]);
  } catch (err) {
    log.debug({ err }, 'a question was not embedded');
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
