import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { LoadResult, Quantiles } from './load.ts';
import { whoIsHere, type Measurement } from './measure.ts';
import { canPin } from './programs.ts';
import { asCalled, scenarios, type Style } from './scenarios.ts';

/** The part that is read of what the kit writes with `--json`. */
interface KitReport {
  readonly runs: readonly { readonly name: string; readonly runs: readonly KitRun[] }[];
}

interface KitRun {
  readonly rps: number;
  readonly cpuPerReqUs: number;
  /** Microseconds. */
  readonly lat: Quantiles;
  /** To the first event of a stream. */
  readonly ttfb: Quantiles;
  readonly transit: Quantiles;
  readonly secs: number;
  readonly chunks: number;
  readonly cpuPerChunkUs: number;
  readonly errors: number;
  readonly badStatus: number;
  readonly mismatch: number;
  readonly connectErrors: number;
  readonly firstBad: string;
  readonly loadCpuShare: number;
  readonly mockCpuShare: number;
  readonly otherShare: number;
  readonly rss1: number;
}

const MADE = new Set(['node_modules', 'bin', 'out', 'tmp']);

/** What the kit knows of a target that is not one of its own. */
type KitTarget = (port: number, upstream: string) => object;

/** A hub takes a moment longer to be ready than to open its port. */
const SETTLE_MS = 2000;

/**
 * The same scenario measured by the bench kit in `folder`, whose native load client and mock and own targets stay as they are.
 * The kit is copied and built below the system's temporary folder, once for each of its versions; building needs a C compiler.
 */
export async function measureWithKit(folder: string, name: string, rounds: number, seconds: number): Promise<Measurement[]> {
  const scenario = scenarios.get(name)!;
  const kit = await build(folder);
  const work = mkdtempSync(join(tmpdir(), 'hubgate-bench-'));
  const { here, absent } = whoIsHere(scenario);
  try {
    const measurements: Measurement[] = [];
    for (const [index, style] of scenario.styles.entries()) {
      if (style.kit === undefined) continue;
      const targets = join(work, `${index}.mjs`);
      const json = join(work, `${index}.json`);
      writeFileSync(targets, targetsModule(name, index));
      const numbers = Object.entries({ rounds, secs: seconds, conns: style.connections }).flatMap(([key, value]) => [
        `--${key}`,
        `${value}`,
      ]);
      const options = [...numbers, ...(style.kit.options ?? []), ...(canPin ? [] : ['--no-pin'])];
      const files = ['--targets', targets, '--json', json];
      const names = here.flatMap((one) => ['--target', one.name]);
      await run(kit, [process.execPath, 'bench.mjs', '--scenario', style.kit.scenario, ...names, ...options, ...files]);
      const report = JSON.parse(readFileSync(json, 'utf8')) as KitReport;
      const lost = here.find(({ name }) => !report.runs.some((one) => one.name === name && one.runs.length > 0));
      if (lost !== undefined) throw new Error(`The bench kit could not measure ${lost.name}; what it says stands above.`);
      const results = new Map(report.runs.map(({ name, runs }) => [name, runs.map((run) => fromKit(style, run))]));
      measurements.push({ style, by: 'kit', results, absent });
    }
    return measurements;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A module that gives the kit the targets it does not have. */
function targetsModule(scenario: string, style: number): string {
  return `import { kitTargets } from ${JSON.stringify(import.meta.url)};\nexport default kitTargets(${JSON.stringify(scenario)}, ${style});\n`;
}

/** The targets of a scenario that the kit does not have, by name, as the kit wants them for one of its styles. */
export function kitTargets(scenario: string, style: number): Record<string, KitTarget> {
  const { contenders, styles } = scenarios.get(scenario)!;
  const ours = contenders.filter(({ isInKit }) => !isInKit);
  return Object.fromEntries(
    ours.map(({ name, make }): [string, KitTarget] => [
      name,
      (port, upstream) => {
        const { command, env, path, headers, model } = asCalled(styles[style]!, make(port, upstream));
        return { cmd: command, env, path, mcpPath: path, headers, model, settle: SETTLE_MS };
      },
    ]),
  );
}

function fromKit({ stream }: Style, run: KitRun): LoadResult {
  const bad = run.errors + run.badStatus + run.mismatch + run.connectErrors;
  return {
    callsPerSecond: run.rps,
    cpuMicros: stream === undefined ? run.cpuPerReqUs : run.cpuPerChunkUs,
    ...millis(run.lat),
    ...(stream === undefined
      ? {}
      : {
          stream: {
            chunksPerSecond: run.chunks / run.secs,
            firstByte: millis(run.ttfb, stream.firstAfterMs),
            transit: millis(run.transit),
          },
        }),
    bad,
    ...(bad > 0 ? { firstBad: run.firstBad } : {}),
    clientCores: run.loadCpuShare + run.mockCpuShare,
    otherCores: run.otherShare,
    residentMb: run.rss1,
  };
}

/** Milliseconds above `least`, of microseconds. */
const millis = ({ p50, p99 }: Quantiles, least = 0): Quantiles => ({ p50: p50 / 1000 - least, p99: p99 / 1000 - least });

async function build(folder: string): Promise<string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.split('/').some((part) => MADE.has(part)))
    .toSorted();
  const hash = createHash('sha256');
  for (const path of files) hash.update(`${path}\0`).update(readFileSync(join(folder, path)));
  const copy = join(tmpdir(), `hubgate-bench-kit-${hash.digest('hex').slice(0, 16)}`);
  const done = join(copy, '.built');
  if (existsSync(done)) return copy;
  rmSync(copy, { recursive: true, force: true });
  for (const path of files) cpSync(join(folder, path), join(copy, path));
  await run(copy, ['npm', 'ci', '--no-audit', '--no-fund']);
  await run(copy, ['npm', 'run', 'build']);
  writeFileSync(done, '');
  return copy;
}

/** Runs a program of the kit on the Node that runs this; what it says goes to standard error. */
async function run(cwd: string, [file = '', ...args]: readonly string[]): Promise<void> {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  const child = spawn(file, args, { cwd, stdio: ['ignore', 2, 2], env: { ...process.env, PATH: path } });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`"${[file, ...args].join(' ')}" in ${cwd} ended with ${code ?? 'a signal'}`);
}
