import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Embedder } from '../src/core/contracts/embedder.ts';
import type { Host } from '../src/core/contracts/extension.ts';
import type { Logger } from '../src/core/logger.ts';
import staticModel from '../src/embedding/embedders/static.ts';
import transformers from '../src/embedding/embedders/transformers.ts';
import { likeness } from '../src/policies/_cache-likeness.ts';
import { wordingOf } from '../src/policies/_cache-wording.ts';

type Pair = readonly [string, string];
interface PairSet {
  readonly same: readonly Pair[];
  readonly different: Readonly<Record<string, readonly Pair[]>>;
}

/** How many pairs would share an answer. */
export interface Shared {
  readonly same: number;
  readonly different: number;
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SETS = JSON.parse(readFileSync(file('../test/fixtures/semantic-cache/pairs.json'), 'utf8')) as Record<string, PairSet>;
const MINILM = file('../../shared/models/all-MiniLM-L6-v2');
const CLINC = file('../../shared/eval/routing/clinc150.json');
const THRESHOLDS = [0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98];

interface Scored {
  readonly isSame: boolean;
  readonly cosine: number;
  readonly like: ReturnType<typeof likeness>;
}

/** Pairs of questions that may, and that must not, share an answer, as `semantic-cache` sees them. Of one set, or of all. */
export async function scorePairs(
  embed: Embedder['embed'],
  set?: string,
): Promise<{ readonly count: Shared; at(threshold: number, byWords?: boolean): Shared }> {
  const sets = Object.entries(SETS).flatMap(([name, one]) => (set === undefined || set === name ? [one] : []));
  const same = sets.flatMap((one) => one.same);
  const pairs = [...same, ...sets.flatMap(({ different }) => Object.values(different).flat())];
  const vectors = await embed(pairs.flat(), 'query');
  const scored = pairs.map(([a, b], index): Scored => ({
    isSame: index < same.length,
    cosine: cosineOf(vectors[2 * index]!, vectors[2 * index + 1]!),
    like: likeness(wordingOf(a), wordingOf(b)),
  }));
  const count = (shares: (one: Scored) => boolean): Shared => {
    const all = scored.filter(shares);
    const right = all.filter(({ isSame }) => isSame).length;
    return { same: right, different: all.length - right };
  };
  return {
    count: count(() => true),
    at: (threshold, byWords = true) =>
      count(({ like, cosine }) => (byWords ? like === 'same' || (like === 'near' && cosine >= threshold) : cosine >= threshold)),
  };
}

/** Which questions share answers, by model and threshold: of the pairs in test/fixtures/semantic-cache, and of the queries of CLINC150 where they are. `library` is where @huggingface/transformers is installed. */
export async function* measureSemanticCache(library = file('../test/e2e/peers')): AsyncGenerator<string> {
  for (const [name, open] of models(library)) {
    const { embed, [Symbol.asyncDispose]: close } = await open();
    for (const set of [...Object.keys(SETS), undefined]) {
      const { count, at } = await scorePairs(embed, set);
      yield `\n${name}, pairs ${set ?? 'all'}: ${count.same} that mean the same, ${count.different} that do not; hits and false hits`;
      for (const threshold of THRESHOLDS)
        yield `  ${threshold.toFixed(2)}  ${show(at(threshold), count)}   by the cosine alone ${show(at(threshold, false), count)}`;
    }
    if (existsSync(CLINC)) yield* clinc(name, embed);
    await close?.();
  }
}

function models(library: string): [string, () => Promise<Embedder>][] {
  const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
  const host = { log: silent } as unknown as Host;
  const plain = { path: MINILM, folder: library, pooling: 'mean', queryPrefix: '', documentPrefix: '' } as const;
  return [
    ['hubgate-static-en', async () => staticModel.create({}, host)],
    ...(existsSync(MINILM)
      ? [['all-MiniLM-L6-v2', async () => transformers.create(plain, host)] as [string, () => Promise<Embedder>]]
      : []),
  ];
}

/** Of the test queries of CLINC150 every one with every other. Those of one intent need not mean the same; those of two do not. */
async function* clinc(name: string, embed: Embedder['embed']): AsyncGenerator<string> {
  const data = JSON.parse(readFileSync(CLINC, 'utf8')) as Record<'test' | 'oos_test', readonly Pair[]>;
  const queries = [...data.test, ...data.oos_test];
  const vectors: Float32Array[] = [];
  for (let at = 0; at < queries.length; at += 128)
    vectors.push(
      ...(await embed(
        queries.slice(at, at + 128).map(([text]) => text),
        'query',
      )),
    );
  const wordings = queries.map(([text]) => wordingOf(text));
  const near: (Scored & { readonly crosses: boolean })[] = [];
  for (const [i, a] of vectors.entries()) {
    for (let j = i + 1; j < vectors.length; j++) {
      const cosine = cosineOf(a, vectors[j]!);
      const isSame = queries[i]![1] === queries[j]![1];
      const like = wordings[i]!.said === wordings[j]!.said || cosine >= THRESHOLDS[0]! ? likeness(wordings[i]!, wordings[j]!) : 'other';
      if (cosine >= THRESHOLDS[0]! || like === 'same') near.push({ isSame, cosine, like, crosses: !isSame });
    }
  }
  yield `\n${name}, CLINC150: pairs of ${queries.length} queries that would share an answer, and those of them that are of two intents`;
  for (const threshold of THRESHOLDS) {
    const shown = (shared: typeof near): string => `${shared.length} (${shared.filter(({ crosses }) => crosses).length})`;
    const byWords = near.filter(({ like, cosine }) => like === 'same' || (like === 'near' && cosine >= threshold));
    yield `  ${threshold.toFixed(2)}  ${shown(byWords)}   by the cosine alone ${shown(near.filter(({ cosine }) => cosine >= threshold))}`;
  }
}

function show({ same, different }: Shared, count: Shared): string {
  const part = (some: number, all: number): string => `${String(some).padStart(3)} (${((100 * some) / Math.max(all, 1)).toFixed(1)} %)`;
  return `${part(same, count.same)}, ${part(different, count.different)}`;
}

function cosineOf(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}
