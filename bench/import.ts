import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { largeDocument } from './large-document.ts';
import { spread, type Spread } from './statistics.ts';

const RUN = fileURLToPath(new URL('import-run.ts', import.meta.url));
const GITHUB = fileURLToPath(new URL('../../shared/openapi-corpus/real/github.json', import.meta.url));
const LARGE = { operations: 11_000, schemas: 20_000, seed: 1 };

/** Parsing and compiling one document in one worker, in turn: CPU of the thread in ms, and compiling as a multiple of parsing. */
export interface RatioFigures {
  readonly first: number;
  readonly parse: Spread;
  readonly compile: Spread;
  readonly ratio: Spread;
}

/** An import as the hub does it, in a fresh process. */
export interface ImportFigures {
  readonly operations: number;
  readonly milliseconds: number;
  /** Of the process, all threads. */
  readonly cpuMilliseconds: number;
  /** The longest that the main thread was held up, in ms. */
  readonly stall: number;
  /** The same while the document came a second time and was compared with the first. */
  readonly stallAgain: number;
  /** Above what the process took when it had only read the text. */
  readonly peakMegabytes: number;
}

interface Goals {
  readonly ratio?: number;
  readonly seconds?: number;
  readonly peakMegabytes: number;
  readonly stall: number;
}

/** Measures the import of GitHub's document, when it is there, and of a generated one; yields a line each. */
export async function* measureImport(rounds: number): AsyncGenerator<string> {
  if (existsSync(GITHUB)) yield* measured('GitHub', GITHUB, rounds, { ratio: 2.5, peakMegabytes: 160, stall: 50 });
  else yield `GitHub's document is not there (${GITHUB}).`;
  const folder = mkdtempSync(join(tmpdir(), 'hubgate-import-'));
  try {
    const file = join(folder, 'large.json');
    writeFileSync(file, largeDocument(LARGE));
    const title = `generated, ${LARGE.operations} operations over ${LARGE.schemas} schemas, seed ${LARGE.seed}`;
    yield* measured(title, file, rounds, { seconds: 10, peakMegabytes: 1024, stall: 50 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function* measured(title: string, file: string, rounds: number, goals: Goals): AsyncGenerator<string> {
  if (goals.ratio !== undefined) {
    const { parse, compile, ratio, first } = await run<RatioFigures>('ratio', file, '9');
    const times = `compile ${shown(compile)} ms, JSON.parse ${shown(parse)} ms (CPU of the worker, 9 in turn)`;
    yield `${title}: ${times}: ${shown(ratio, 1)} times${verdict(ratio.median, goals.ratio)}; ${first.toFixed(1)} times when nothing is warm`;
  }
  const runs: ImportFigures[] = [];
  for (let round = 0; round < rounds; round += 1) runs.push(await run<ImportFigures>('import', file));
  const of = (key: keyof ImportFigures): Spread => spread(runs.map((one) => one[key]));
  const wall = of('milliseconds');
  yield `${title}: ${of('operations').median} tools in ${shown(wall)} ms${verdict(wall.median / 1000, goals.seconds, ' s')}, ${shown(of('cpuMilliseconds'))} ms of CPU on all threads`; // prettier-ignore
  yield `${title}: peak ${shown(of('peakMegabytes'))} MB above idle${verdict(of('peakMegabytes').median, goals.peakMegabytes)}`;
  yield `${title}: longest stall of the main thread ${shown(of('stall'))} ms${verdict(of('stall').median, goals.stall)}`;
  yield `${title}: the same when it comes again ${shown(of('stallAgain'))} ms${verdict(of('stallAgain').median, goals.stall)}`;
}

async function run<T>(...args: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, ...args], { maxBuffer: 2 ** 20 });
  return JSON.parse(stdout) as T;
}

function shown({ median, min, max }: Spread, digits = 0): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

function verdict(value: number, goal: number | undefined, unit = ''): string {
  return goal === undefined ? '' : `, goal at most ${goal}${unit}: ${value <= goal ? 'met' : 'MISSED'}`;
}
