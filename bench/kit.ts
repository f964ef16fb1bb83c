import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { LoadResult } from './load.ts';
import type { Measurement } from './measure.ts';
import { canPin } from './programs.ts';
import type { Scenario } from './scenarios.ts';

/** The part that is read of what the kit writes with `--json`. */
interface KitReport {
  readonly runs: readonly { readonly name: string; readonly runs: readonly KitRun[] }[];
}

interface KitRun {
  readonly rps: number;
  readonly cpuPerReqUs: number;
  /** Microseconds. */
  readonly lat: { readonly p50: number; readonly p99: number };
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

/**
 * The same scenario measured by the bench kit in `folder`, whose native load client and mock and own targets stay as they are.
 * The kit is copied and built below the system's temporary folder, once for each of its versions; building needs a C compiler.
 */
export async function measureWithKit(folder: string, scenario: Scenario, rounds: number, seconds: number): Promise<Measurement[]> {
  const kit = await build(folder);
  const work = mkdtempSync(join(tmpdir(), 'hubgate-bench-'));
  try {
    const targetsFile = join(work, 'targets.mjs');
    writeFileSync(targetsFile, kitTargets());
    const measurements: Measurement[] = [];
    for (const style of scenario.styles) {
      const json = join(work, `${style.kit}.json`);
      const names = scenario.targets.flatMap((name) => ['--target', name]);
      const numbers = [
        '--rounds',
        String(rounds),
        '--secs',
        String(seconds),
        '--conns',
        String(scenario.connections),
        ...(canPin ? [] : ['--no-pin']),
      ];
      await run(kit, [
        process.execPath,
        'bench.mjs',
        '--scenario',
        style.kit,
        ...names,
        ...numbers,
        '--targets',
        targetsFile,
        '--json',
        json,
      ]);
      const report = JSON.parse(readFileSync(json, 'utf8')) as KitReport;
      measurements.push({ style: style.name, by: 'kit', results: new Map(report.runs.map(({ name, runs }) => [name, runs.map(fromKit)])) });
    }
    return measurements;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A module that gives the kit the one target it does not have. It takes a moment longer to be ready than to open its port. */
function kitTargets(): string {
  const ours = JSON.stringify(new URL('targets.ts', import.meta.url).href);
  return `import { hubgate } from ${ours};
export default {
  hubgate(port, upstream) {
    const { command, env, path, headers } = hubgate(port, upstream);
    return { cmd: command, env, mcpPath: path, headers, settle: 2000 };
  },
};
`;
}

function fromKit(run: KitRun): LoadResult {
  const bad = run.errors + run.badStatus + run.mismatch + run.connectErrors;
  return {
    callsPerSecond: run.rps,
    cpuMicros: run.cpuPerReqUs,
    p50: run.lat.p50 / 1000,
    p99: run.lat.p99 / 1000,
    bad,
    ...(bad > 0 ? { firstBad: run.firstBad } : {}),
    clientCores: run.loadCpuShare + run.mockCpuShare,
    otherCores: run.otherShare,
    residentMb: run.rss1,
  };
}

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
