import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { retrievalSets, type Quality } from './retrieval-sets.ts';

const RUN = fileURLToPath(new URL('retrieval-run.ts', import.meta.url));
const STATIC = 'hubgate-static-en';
/** Tools in the indexes whose speed is measured: a transformer takes seconds for a thousand. */
const SIZES = { quick: [1000, 10_000, 100_000], slow: [1000] };

/** How well one set is searched. */
export interface QualityFigures extends Quality {
  readonly id: string;
  readonly tools: number;
  readonly queries: number;
  /** The id of the model that answered. */
  readonly model: string;
}

/** How quickly, times in ms. */
export interface SpeedFigures {
  readonly tools: number;
  readonly model: string;
  /** From the texts to the first answer of the model. */
  readonly indexMs: number;
  /** Of the event loop while indexing. */
  readonly delayP99: number;
  readonly delayMax: number;
  /** Of a search, embedding the query included. */
  readonly p50: number;
  readonly p99: number;
  /** That the process grew by, texts left out. */
  readonly megabytes: number;
}

export interface RetrievalFigures {
  readonly quality: readonly QualityFigures[];
  readonly average: Quality;
  readonly speed: readonly SpeedFigures[];
}

const COLUMNS: readonly (readonly [keyof Quality, string])[] = [
  ['recall5', 'R@5'],
  ['recall10', 'R@10'],
  ['recall20', 'R@20'],
  ['complete10', 'C@10'],
  ['ndcg10', 'nDCG@10'],
  ['mrr', 'MRR'],
];

/** How well and how quickly tools are found; yields lines. `name` is `static`, `none`, or the name or folder of a model. */
export async function* measureRetrieval(name: string): AsyncGenerator<string, RetrievalFigures> {
  const model = name === 'static' ? STATIC : existsSync(name) ? resolve(name) : name;
  const quality: QualityFigures[] = [];
  yield ['set'.padEnd(18), ...COLUMNS.map(([, title]) => title.padStart(8))].join('');
  for (const { id } of retrievalSets()) {
    const figures = await run<QualityFigures>('quality', id, model);
    quality.push(figures);
    yield row(id, figures);
  }
  const average = Object.fromEntries(
    COLUMNS.map(([key]) => [key, quality.reduce((sum, figures) => sum + figures[key], 0) / quality.length]),
  ) as unknown as Quality;
  yield row('average', average);
  yield `answered by ${[...new Set(quality.map(({ model }) => model))].join(', ')}\n`;
  const speed: SpeedFigures[] = [];
  for (const tools of model === STATIC || model === 'none' ? SIZES.quick : SIZES.slow) {
    const figures = await run<SpeedFigures>('speed', String(tools), model);
    speed.push(figures);
    const { indexMs, delayP99, delayMax, p50, p99, megabytes } = figures;
    yield `${tools.toLocaleString('en')} tools: indexed in ${indexMs.toFixed(0)} ms (event loop p99 ${delayP99.toFixed(1)} ms, longest ${delayMax.toFixed(1)}); a search ${p50.toFixed(2)} ms (p99 ${p99.toFixed(1)}); ${megabytes.toFixed(0)} MB`;
  }
  return { quality, average, speed };
}

function row(title: string, quality: Quality): string {
  return [title.padEnd(18), ...COLUMNS.map(([key]) => quality[key].toFixed(1).padStart(8))].join('');
}

async function run<T>(...args: readonly string[]): Promise<T> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--expose-gc', RUN, ...args], { maxBuffer: 2 ** 20 });
  if (stderr !== '') console.error(stderr);
  return JSON.parse(stdout) as T;
}
