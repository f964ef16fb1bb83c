import { fitCentroids } from './fit-centroids.ts';
import { fitSoftmax, type Labelled } from './fit-softmax.ts';
import { linearScores, type Features, type LinearWeights } from './linear-scores.ts';
import { bestCut, type Outcome } from './best-cut.ts';
import { vocabularyOf, wordReader, type Vocabulary } from './word-features.ts';

/** What there is to learn from. Plain data: it travels between threads. */
export interface Lesson {
  /** The examples of each class. */
  readonly classes: readonly (readonly string[])[];
  /** Texts of no class. */
  readonly none: readonly string[];
  /** Texts that count as out of scope to find where to cut, and that nothing is learnt from. */
  readonly outside: readonly string[];
  /** Of each example, class by class, then of each text of no class, then of those outside; empty for words alone. */
  readonly vectors: readonly Float32Array[];
}

/** What was learnt. */
export interface Learnt {
  readonly scorer: 'linear' | 'centroid';
  readonly vocabulary: Vocabulary;
  /** Of each class, and last of texts of none where there were some. */
  readonly weights: LinearWeights;
  /** The logit that a class has to beat: that of a class of everything else. */
  readonly elsewhere: number;
  /** The least score at which a text belongs to its best class. */
  readonly threshold: number;
}

/** Examples of the smallest class below which a mean is all that can be learnt. */
const FEW = 5;
/** Rounds of learning in which something is held back, to see how texts fare that nobody has learnt from. */
const ROUNDS = 5;
/** Texts of none from which on they alone tell what is out of scope. */
const ENOUGH_NONE = 10;
/** For a single example there is no trial: a cosine of a half to it will do. */
const UNTRIED = { elsewhere: 5, threshold: 0.5 };
/** Texts out of scope that weigh as much as the middle. */
const FEW_OUTSIDE = 20;

/** Whether nothing tells what is out of scope: texts of none are too few, and no class can be held back, since two have to be left. */
export function knowsNoOutside(classes: number, none: number): boolean {
  return none < ENOUGH_NONE && classes <= 2;
}

/** Learns weights from all texts, and where to cut from rounds in which some texts and some classes are held back. */
export function learn(lesson: Lesson): Learnt {
  const { classes, none } = lesson;
  const texts = [...classes.flat(), ...none];
  const vocabulary = vocabularyOf(texts);
  const read = wordReader(vocabulary);
  const labels = [...classes.flatMap((examples, at) => examples.map(() => at)), ...none.map(() => classes.length)];
  const labelled = texts.map((text, place): Labelled => ({
    features: { vector: lesson.vectors[place], words: read(text) },
    at: labels[place]!,
  }));
  const outside = lesson.outside.map((text, place): Features => ({ vector: lesson.vectors[texts.length + place], words: read(text) }));
  const dims = lesson.vectors[0]?.length ?? 0;
  const isFew = classes.length + Math.min(none.length, 1) < 2 || Math.min(...classes.map((examples) => examples.length)) < FEW;
  const fit = (some: readonly Labelled[]): LinearWeights =>
    (isFew ? fitCentroids : fitSoftmax)(some, classes.length + (none.length === 0 ? 0 : 1), dims, vocabulary.terms.length);
  return {
    scorer: isFew ? 'centroid' : 'linear',
    vocabulary,
    weights: fit(labelled),
    ...calibrated(heldBack({ labelled, classes: classes.length, none: none.length, outside }, fit)),
  };
}

/** How a text fared that was held back. */
interface Trial {
  /** The highest logit of a class. */
  readonly highest: number;
  /** The logarithm of the sum of the exponentials of all logits. */
  readonly all: number;
  /** Undefined for a text of no class. */
  readonly isRight: boolean | undefined;
}

interface Material {
  readonly labelled: readonly Labelled[];
  readonly classes: number;
  /** How many texts of none there are. */
  readonly none: number;
  readonly outside: readonly Features[];
}

/** Learns several times without some texts of each class and without some classes, and tries those. */
function heldBack({ labelled, classes, none, outside }: Material, fit: (some: readonly Labelled[]) => LinearWeights): Trial[] {
  const trials: Trial[] = [];
  const places = placesOf(labelled);
  const rounds = Math.min(ROUNDS, labelled.length);
  const leavesOut = none < ENOUGH_NONE && !knowsNoOutside(classes, none);
  for (let round = 0; round < rounds; round++) {
    const isOut = ({ at }: Labelled): boolean => leavesOut && at < classes && at % Math.min(ROUNDS, classes) === round;
    const isBack = (_: Labelled, place: number): boolean => places[place]! % rounds === round;
    const kept = labelled.filter((one, place) => !isOut(one) && !isBack(one, place));
    const there = new Set(kept.map(({ at }) => at));
    if (![...there].some((at) => at < classes)) continue;
    const weights = fit(kept);
    const logits = new Float32Array(weights.classes);
    const tryOne = (text: Features, at?: number): void => {
      linearScores(weights, text, logits);
      // A class of which nothing was kept cannot be found.
      for (let other = 0; other < logits.length; other++) if (!there.has(other)) logits[other] = -Infinity;
      trials.push(trialOf(logits, classes, at));
    };
    for (const [place, one] of labelled.entries()) if (isOut(one) || isBack(one, place)) tryOne(one.features, one.at);
    for (const text of outside) tryOne(text);
  }
  return trials;
}

/** Of each text the how-manieth of its class it is. */
function placesOf(labelled: readonly Labelled[]): number[] {
  const seen = new Map<number, number>();
  return labelled.map(({ at }) => {
    const place = seen.get(at) ?? 0;
    seen.set(at, place + 1);
    return place;
  });
}

/** `at` is absent for a text of no class. */
function trialOf(logits: Float32Array, classes: number, at = classes): Trial {
  const best = bestOf(logits, classes);
  const isInside = at < classes && logits[at] !== -Infinity;
  return { highest: logits[best]!, all: logSumExp(logits), isRight: isInside ? best === at : undefined };
}

/** First where the logits of texts in and out of scope part, which is where a score is 0.5; then where the scores do that come of it. */
function calibrated(trials: readonly Trial[]): Pick<Learnt, 'elsewhere' | 'threshold'> {
  if (trials.length === 0) return UNTRIED;
  const outcomes = (scoreOf: (trial: Trial) => number): Outcome[] =>
    trials.map((trial) => ({ score: scoreOf(trial), isRight: trial.isRight }));
  const elsewhere = bestCut(outcomes(({ highest }) => highest));
  const cut = bestCut(outcomes(({ highest, all }) => scoreOf(highest, all, elsewhere)));
  const outside = trials.filter(({ isRight }) => isRight === undefined).length;
  // A few texts of none say little against what the logits have said.
  return { elsewhere, threshold: outside === 0 ? cut : (cut * outside + 0.5 * FEW_OUTSIDE) / (outside + FEW_OUTSIDE) };
}

/** From 0 to 1: how likely the class is, one more being everything else. */
function scoreOf(logit: number, all: number, elsewhere: number): number {
  return 1 / (Math.exp(elsewhere - logit) + Math.exp(all - logit));
}

/** The score of each class for a text, into an array of their own. */
export function scoresOf({ weights, elsewhere }: Learnt, text: Features, classes: number): Float32Array {
  const logits = linearScores(weights, text, new Float32Array(weights.classes));
  const all = logSumExp(logits);
  return logits.subarray(0, classes).map((logit) => scoreOf(logit, all, elsewhere));
}

function bestOf(numbers: Float32Array, count: number): number {
  let best = 0;
  for (let at = 1; at < count; at++) if (numbers[at]! > numbers[best]!) best = at;
  return best;
}

function logSumExp(numbers: Float32Array): number {
  const highest = numbers.reduce((one, other) => Math.max(one, other), -Infinity);
  return highest + Math.log(numbers.reduce((sum, number) => sum + Math.exp(number - highest), 0));
}
