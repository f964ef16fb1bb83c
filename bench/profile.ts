import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadOnce } from './measure.ts';
import type { Style } from './scenarios.ts';
import type { Contender } from './targets.ts';

/** The part that is read of a V8 CPU profile. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
}

/** Parts of the time that was not idle, the largest first. */
export interface OwnTime {
  readonly byPackage: readonly (readonly [string, number])[];
  readonly byFunction: readonly (readonly [string, number])[];
}

const ROOT = new URL('..', import.meta.url).href;
const INTERVAL_MICROS = 200;
const TOP = 25;

/** Loads one target with the profiler on and says where its time goes. */
export async function profile(style: Style, contender: Contender, seconds: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'hubgate-bench-'));
  try {
    // A server that does not end by itself has to end here on a signal, or no profile is written. The hub ends in its own way.
    const end = contender.name === 'hubgate' ? [] : ['--import', 'data:text/javascript,process.on("SIGTERM",()=>process.exit(0))'];
    const flags = [...end, '--cpu-prof', '--cpu-prof-interval', String(INTERVAL_MICROS), '--cpu-prof-dir', folder];
    const { callsPerSecond, cpuMicros, bad } = await loadOnce(style, contender, seconds, flags);
    const profiles = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile);
    const main = profiles.toSorted((a, b) => b.samples.length - a.samples.length)[0];
    if (main === undefined) throw new Error(`${contender.name} wrote no profile`);
    const { byPackage, byFunction } = ownTime(lastSeconds(main, seconds));
    const lines = (parts: OwnTime['byPackage']): string[] =>
      parts.slice(0, TOP).map(([name, part]) => `${(part * 100).toFixed(1).padStart(6)} %  ${name}`);
    const unit = style.stream === undefined ? 'call' : 'chunk';
    const head = `${contender.name}, ${style.name}: ${callsPerSecond.toFixed(0)} calls/s, ${cpuMicros.toFixed(1)} µs of CPU per ${unit} with the profiler on, ${bad} bad`;
    return [head, 'own time by package', ...lines(byPackage), 'own time by function', ...lines(byFunction)].join('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The profile without what came earlier: the start and the warm-up. */
export function lastSeconds(profile: CpuProfile, seconds: number): CpuProfile {
  let from = profile.samples.length;
  for (let left = seconds * 1e6; from > 0 && left > 0; from--) left -= profile.timeDeltas[from - 1] ?? 0;
  return { nodes: profile.nodes, samples: profile.samples.slice(from), timeDeltas: profile.timeDeltas.slice(from) };
}

/** Own time by package and by function; idle time does not count. */
export function ownTime({ nodes, samples, timeDeltas }: CpuProfile): OwnTime {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const packages = new Map<string, number>();
  const functions = new Map<string, number>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id)!;
    if (frame.functionName === '(idle)') continue;
    const micros = timeDeltas[index] ?? 0;
    total += micros;
    const owner = packageOf(frame);
    packages.set(owner, (packages.get(owner) ?? 0) + micros);
    const place = frame.url === '' ? '' : ` ${shortUrl(frame.url)}:${frame.lineNumber + 1}`;
    const name = `${frame.functionName || '(anonymous)'}${place}`;
    functions.set(name, (functions.get(name) ?? 0) + micros);
  }
  const parts = (sums: ReadonlyMap<string, number>): [string, number][] =>
    [...sums].map(([name, micros]): [string, number] => [name, micros / total]).toSorted((a, b) => b[1] - a[1]);
  return { byPackage: parts(packages), byFunction: parts(functions) };
}

function packageOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string {
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (functionName === '(program)') return 'native code and system calls outside of functions';
  if (url === '') return 'native functions';
  const inner = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (inner !== undefined) return inner;
  if (url.startsWith('node:'))
    return `node:${
      url
        .slice(5)
        .replace(/^internal\//, '')
        .split('/', 1)[0]
    }`;
  return shortUrl(url).split('/').slice(0, 2).join('/');
}

function shortUrl(url: string): string {
  if (url.startsWith(ROOT)) return url.slice(ROOT.length);
  return url.startsWith('file:') ? fileURLToPath(url).split('/').slice(-2).join('/') : url;
}
