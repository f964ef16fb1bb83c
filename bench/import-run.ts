import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { compilePieces } from '../src/lanes/tools/openapi/compile.ts';
import { diffInSlices } from '../src/lanes/tools/openapi/changes/diff.ts';
import { compileInWorker } from '../src/lanes/tools/openapi/import-pool.ts';
import { operationReports } from '../src/lanes/tools/report.ts';
import type { ImportFigures, RatioFigures } from './import.ts';
import { spread } from './statistics.ts';

/** One measurement in a process of its own: `import-run.ts ratio|import FILE ROUNDS`, the figures as JSON on its output. */

const cpuOf = (usage: NodeJS.CpuUsage): number => (usage.user + usage.system) / 1000;

/** CPU of the thread while `work` is done, in ms. */
function timed(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  return cpuOf(process.threadCpuUsage(before));
}

/** In a worker like that of the hub: the document is parsed and compiled in turn, so that what slows one slows the other. */
function ratios(file: string, rounds: number): RatioFigures {
  const text = readFileSync(file, 'utf8');
  const pairs = Array.from({ length: rounds }, () => {
    const parse = timed(() => void JSON.parse(text));
    return { parse, compile: timed(() => compilePieces({ name: 'bench', text }).forEach(() => undefined)) };
  });
  return {
    first: pairs[0]!.compile / pairs[0]!.parse,
    parse: spread(pairs.map(({ parse }) => parse)),
    compile: spread(pairs.map(({ compile }) => compile)),
    ratio: spread(pairs.map(({ parse, compile }) => compile / parse)),
  };
}

/** As the hub does it, beginning without a worker; then the same document again, which is compared and reported. */
async function imported(file: string): Promise<ImportFigures> {
  const text = readFileSync(file, 'utf8');
  await new Promise((resolve) => void setTimeout(resolve, 500));
  const idle = process.memoryUsage().rss;
  let peak = idle;
  const watch = setInterval(() => void (peak = Math.max(peak, process.memoryUsage().rss)), 10);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.cpuUsage();
  const began = performance.now();
  const first = await compileInWorker({ name: 'bench', text }, { limitMs: 120_000 });
  const milliseconds = performance.now() - began;
  const cpuMilliseconds = cpuOf(process.cpuUsage(cpu));
  // A stall is noticed when it is over.
  await new Promise((resolve) => void setTimeout(resolve, 20));
  clearInterval(watch);
  const stall = delay.max / 1e6;
  delay.reset();
  const second = await compileInWorker({ name: 'bench', text }, { limitMs: 120_000 });
  await diffInSlices(first, second);
  operationReports(second);
  await new Promise((resolve) => void setTimeout(resolve, 20));
  delay.disable();
  const peakMegabytes = (peak - idle) / 2 ** 20;
  return { operations: first.operations.length, milliseconds, cpuMilliseconds, stall, stallAgain: delay.max / 1e6, peakMegabytes };
}

if (isMainThread) {
  const [mode, file = '', rounds = '1'] = process.argv.slice(2);
  const print = (figures: unknown): void => void process.stdout.write(JSON.stringify(figures), () => process.exit(0));
  if (mode === 'import') print(await imported(file));
  else {
    const resourceLimits = { maxOldGenerationSizeMb: 700, maxYoungGenerationSizeMb: 16 };
    const worker = new Worker(fileURLToPath(import.meta.url), {
      workerData: { file, rounds: Number(rounds) },
      execArgv: [],
      resourceLimits,
    });
    worker.on('message', print);
  }
} else {
  const { file, rounds } = workerData as { file: string; rounds: number };
  parentPort?.postMessage(ratios(file, rounds));
}
