import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Embedder } from '../src/core/contracts/embedder.ts';
import type { Host } from '../src/core/contracts/extension.ts';
import type { Logger } from '../src/core/logger.ts';
import { createClassifier } from '../src/embedding/classify/create-classifier.ts';
import staticModel from '../src/embedding/embedders/static.ts';
import transformers from '../src/embedding/embedders/transformers.ts';
import type { Ladder, Rung } from '../src/embedding/rung.ts';

type Labelled = readonly [text: string, intent: string];
type Clinc = Record<'train' | 'test' | 'oos_test', readonly Labelled[]>;
interface Sample {
  readonly name: string;
  readonly examples: readonly string[];
}
/** How texts fared: the best intent, its score, and whether it was good enough. */
interface Answered {
  readonly name: string;
  readonly score: number;
  readonly isTaken: boolean;
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const CLINC = file('../../shared/eval/routing/clinc150.json');
const MINILM = file('../../shared/models/all-MiniLM-L6-v2');
/** Of the three samples that are averaged. */
const SEEDS = [1, 2, 3];
const SHOTS = 10;

/** Intents of CLINC150 from ten examples each, with the texts that are about none of them, average of three samples. `library` is where @huggingface/transformers is installed. */
export async function* measureIntents(library = file('../test/e2e/peers')): AsyncGenerator<string> {
  if (!existsSync(CLINC)) return yield `CLINC150 is not there: ${CLINC}`;
  const clinc = JSON.parse(readFileSync(CLINC, 'utf8')) as Clinc;
  yield `CLINC150: 150 intents, ${SHOTS} examples of each; ${clinc.test.length} test queries and ${clinc.oos_test.length} about none; average of samples ${SEEDS.join(', ')}`;
  yield `  ${'model'.padEnd(20)} accuracy  AUROC   at the tuned threshold: right  out of scope refused   learning   a query p50 / p95`;
  for (const [name, open] of models(library)) {
    let embedder: Embedder | undefined;
    try {
      embedder = await open?.();
    } catch (error) {
      yield `  ${name.padEnd(20)} not measured: ${(error as Error).message}`;
      continue;
    }
    const rows = [];
    for (const seed of SEEDS) rows.push(await measure(sample(clinc, seed), clinc, embedder));
    yield `  ${name.padEnd(20)} ${show(rows)}`;
    await embedder?.[Symbol.asyncDispose]?.();
  }
  const rows = SEEDS.map((seed) => nearest(sample(clinc, seed), clinc));
  yield `  ${'TF-IDF, nearest'.padEnd(20)} ${show(rows)}`;
}

function models(library: string): [string, (() => Promise<Embedder>) | undefined][] {
  const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
  const host = { log: silent } as unknown as Host;
  return [
    ['words alone', undefined],
    ['hubgate-static-en', async () => staticModel.create({}, host)],
    [
      'all-MiniLM-L6-v2',
      async () => transformers.create({ path: MINILM, folder: library, pooling: 'mean', queryPrefix: '', documentPrefix: '' }, host),
    ],
  ];
}

interface Row {
  readonly accuracy: number;
  readonly auroc: number;
  readonly right?: number;
  readonly refused?: number;
  readonly seconds?: number;
  readonly p50?: number;
  readonly p95?: number;
}

async function measure(classes: readonly Sample[], { test, oos_test: outside }: Clinc, embedder: Embedder | undefined): Promise<Row> {
  const begun = performance.now();
  const classifier = createClassifier(classes, undefined, ladderOf(embedder));
  await classifier.ready();
  const seconds = (performance.now() - begun) / 1000;
  const times: number[] = [];
  const ask = async (text: string): Promise<Answered> => {
    const start = performance.now();
    const verdict = await classifier.classify(text);
    times.push(performance.now() - start);
    const [best] = verdict!.scores;
    return { name: best!.name, score: best!.score, isTaken: verdict!.name !== undefined };
  };
  const inside: (Answered & { readonly isRight: boolean })[] = [];
  for (const [text, intent] of test) {
    const answered = await ask(text);
    inside.push({ ...answered, isRight: answered.name === intent });
  }
  const none: Answered[] = [];
  for (const [text] of outside) none.push(await ask(text));
  const ordered = times.toSorted((a, b) => a - b);
  return {
    accuracy: inside.filter(({ isRight }) => isRight).length / inside.length,
    auroc: auroc(inside, none),
    right: inside.filter(({ isRight, isTaken }) => isRight && isTaken).length / inside.length,
    refused: none.filter(({ isTaken }) => !isTaken).length / none.length,
    seconds,
    p50: ordered[Math.floor(ordered.length * 0.5)]!,
    p95: ordered[Math.floor(ordered.length * 0.95)]!,
  };
}

function ladderOf(embedder: Embedder | undefined): Ladder {
  const traits = { pooling: 'mean', queryPrefix: '', documentPrefix: '', weight: 0.6, sameRequest: 0.97 } as const;
  const rungs: Rung[] = embedder === undefined ? [] : [{ name: embedder.id, embedder, traits }];
  return {
    requested: 'auto',
    rungs,
    settled: () => Promise.resolve(),
    onChange: () => () => undefined,
    failed: (_, error) => {
      throw error;
    },
    degraded: () => undefined,
  };
}

/** What has to be beaten: the intent of the example with the most alike words. */
function nearest(classes: readonly Sample[], { test, oos_test: outside }: Clinc): Row {
  const examples = classes.flatMap(({ name, examples: texts }) => texts.map((text) => ({ name, words: wordsOf(text) })));
  const counts = new Map<string, number>();
  for (const { words } of examples) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const weigh = (words: ReadonlySet<string>): Map<string, number> => {
    const weights = [...words].map((word) => [word, Math.log((1 + examples.length) / (1 + (counts.get(word) ?? 0))) + 1] as const);
    const length = Math.hypot(...weights.map(([, weight]) => weight));
    return new Map(weights.map(([word, weight]) => [word, weight / length]));
  };
  const weighed = examples.map(({ name, words }) => ({ name, weights: weigh(words) }));
  const ask = (text: string): Answered => {
    const asked = weigh(wordsOf(text));
    const scored = weighed.map(({ name, weights }) => ({
      name,
      score: [...asked].reduce((sum, [word, weight]) => sum + weight * (weights.get(word) ?? 0), 0),
      isTaken: true,
    }));
    return scored.reduce((one, other) => (other.score > one.score ? other : one));
  };
  const inside = test.map(([text, intent]) => ({ ...ask(text), intent }));
  const right = inside.filter(({ name, intent }) => name === intent).length;
  return {
    accuracy: right / inside.length,
    auroc: auroc(
      inside,
      outside.map(([text]) => ask(text)),
    ),
  };
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}']+/gu));
}

/** The same for the same seed: of each intent so many texts of `train`, drawn by Mulberry32, intents in the order of their names. */
function sample({ train }: Clinc, seed: number): Sample[] {
  let state = seed;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const byIntent = Map.groupBy(train, ([, intent]) => intent);
  return [...byIntent]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, labelled]) => {
      const texts = labelled.map(([text]) => text);
      for (let last = texts.length - 1; last > 0; last--) {
        const other = Math.floor(random() * (last + 1));
        [texts[last], texts[other]] = [texts[other]!, texts[last]!];
      }
      return { name, examples: texts.slice(0, SHOTS) };
    });
}

/** How likely a text that is about an intent has a higher score than one that is about none. */
function auroc(inside: readonly Answered[], outside: readonly Answered[]): number {
  const scores = outside.map(({ score }) => score).toSorted((a, b) => a - b);
  const below = (score: number, orSame: boolean): number => {
    let from = 0;
    let to = scores.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (scores[middle]! < score || (orSame && scores[middle] === score)) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  const wins = inside.reduce((sum, { score }) => sum + (below(score, false) + below(score, true)) / 2, 0);
  return wins / (inside.length * scores.length);
}

function show(rows: readonly Row[]): string {
  const mean = (of: (row: Row) => number | undefined): number => rows.reduce((sum, row) => sum + (of(row) ?? 0), 0) / rows.length;
  const percent = (of: (row: Row) => number | undefined): string => (100 * mean(of)).toFixed(1);
  const told = `${percent(({ accuracy }) => accuracy)}      .${(1000 * mean((row) => row.auroc)).toFixed(0)}`;
  if (rows[0]!.right === undefined) return told;
  const times = `${mean(({ p50 }) => p50).toFixed(2)} / ${mean(({ p95 }) => p95).toFixed(2)} ms`;
  return `${told}                            ${percent(({ right }) => right)}   ${percent(({ refused }) => refused)}                   ${mean(({ seconds }) => seconds).toFixed(0)} s        ${times}`;
}
