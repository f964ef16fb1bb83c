import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { LoadJob, LoadResult } from './load.ts';
import { freePort, spawnOnCore, startProgram, type Program } from './programs.ts';
import { processTree } from './processes.ts';
import { asCalled, type Scenario, type Style } from './scenarios.ts';
import { upstream, type Contender, type MakeTarget, type Target } from './targets.ts';

/** How one style of calling went, round by round. */
export interface Measurement {
  readonly style: Style;
  /** Which instrument measured it. */
  readonly by: 'bench' | 'kit';
  /** By target, in the order of the scenario; one result for each round. */
  readonly results: ReadonlyMap<string, readonly LoadResult[]>;
  /** Why others of the scenario were not measured, by target. */
  readonly absent: ReadonlyMap<string, string>;
}

export interface MeasureOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Hears of each result as it comes. */
  readonly onResult: (style: string, target: string, round: number, result: LoadResult) => void;
}

interface Running {
  readonly name: string;
  readonly target: Target;
  readonly program: Program;
}

/** A run that other programs disturbed by more cores than this is made again, at most so often. */
const QUIET_CORES = 0.3;
const TRIES = 3;
const WARM_SECONDS = 2;
const SERVER_CORE = 0;
const CLIENT_CORE = 1;
const LOAD = fileURLToPath(new URL('load.ts', import.meta.url));

/** Those that can run here, and why the others cannot. */
export function whoIsHere({ contenders }: Scenario): { here: Contender[]; absent: Map<string, string> } {
  const absences = contenders.map((one) => [one, one.absence?.()] as const);
  return {
    here: absences.flatMap(([one, why]) => (why === undefined ? [one] : [])),
    absent: new Map(absences.flatMap(([{ name }, why]) => (why === undefined ? [] : [[name, why] as const]))),
  };
}

/** Runs all targets of a scenario and measures them in turn, A B C A B C. */
export async function measure(scenario: Scenario, options: MeasureOptions): Promise<Measurement[]> {
  const { here, absent } = whoIsHere(scenario);
  await using running = await startAll(here);
  const measurements: Measurement[] = [];
  for (const style of scenario.styles) {
    const results = new Map(running.all.map(({ name }): [string, LoadResult[]] => [name, []]));
    for (let round = 1; round <= options.rounds; round++) {
      for (const one of running.all) {
        const job = await jobFor(style, one, running.upstream);
        const warmSeconds = round === 1 ? WARM_SECONDS : WARM_SECONDS / 2;
        const result = await quietest({ ...job, warmSeconds, seconds: options.seconds });
        results.get(one.name)!.push(result);
        options.onResult(style.name, one.name, round, result);
      }
    }
    measurements.push({ style, by: 'bench', results, absent });
  }
  return measurements;
}

/** Loads one target once, for a profile of it. `nodeFlags` go to the Node that runs it. */
export async function loadOnce(style: Style, contender: Contender, seconds: number, nodeFlags: readonly string[]): Promise<LoadResult> {
  const make: MakeTarget = (port, origin) => {
    const target = contender.make(port, origin);
    return { ...target, command: [target.command[0]!, ...nodeFlags, ...target.command.slice(1)] };
  };
  await using running = await startAll([{ ...contender, make }]);
  const job = await jobFor(style, running.all[0]!, running.upstream);
  return await runLoad({ ...job, warmSeconds: WARM_SECONDS, seconds });
}

async function startAll(contenders: readonly Contender[]) {
  const logs = mkdtempSync(join(tmpdir(), 'hubgate-bench-log-'));
  process.once('exit', () => rmSync(logs, { recursive: true, force: true }));
  const programs: Program[] = [];
  const start = async (name: string, make: MakeTarget, core: number, origin: string): Promise<Running> => {
    const port = await freePort();
    const target = make(port, origin);
    const program = await startProgram({ ...target, name, port, core, logFile: join(logs, `${name}.txt`) });
    programs.push(program);
    return { name, target, program };
  };
  const stop = async (): Promise<void> => {
    await Promise.all(programs.map((program) => program.stop()));
  };
  try {
    const behind = await start('upstream', upstream, CLIENT_CORE, '');
    const all: Running[] = [];
    for (const { name, make } of contenders) all.push(await start(name, make, SERVER_CORE, behind.program.origin));
    return { all, upstream: behind.program, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function jobFor(style: Style, { target, program }: Running, behind: Program): Promise<Omit<LoadJob, 'warmSeconds' | 'seconds'>> {
  const { connections, expect, stream } = style;
  return {
    port: Number(new URL(program.origin).port),
    requests: await style.requests(asCalled(style, target), program.origin, connections),
    connections,
    expect,
    ...(stream === undefined ? {} : { stream }),
    serverPids: processTree(program.pid),
    upstreamPids: processTree(behind.pid),
  };
}

async function quietest(job: LoadJob): Promise<LoadResult> {
  let best = await runLoad(job);
  for (let tries = 1; tries < TRIES && best.otherCores > QUIET_CORES; tries++) {
    const next = await runLoad(job);
    const firstBad = best.firstBad ?? next.firstBad;
    const bad = { bad: best.bad + next.bad, ...(firstBad === undefined ? {} : { firstBad }) };
    best = { ...(next.bad > 0 || next.otherCores < best.otherCores ? next : best), ...bad };
  }
  return best;
}

/** The load client in a process of its own, on the core that the server does not have. Throws when nothing answered. */
async function runLoad(job: LoadJob): Promise<LoadResult> {
  const child = spawnOnCore(CLIENT_CORE, [process.execPath, LOAD], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin!.end(JSON.stringify(job));
  const result = JSON.parse(await text(child.stdout!)) as LoadResult;
  if (result.callsPerSecond === 0) throw new Error(`not one answer: ${result.firstBad ?? ''}`);
  return result;
}
