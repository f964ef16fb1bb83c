import type { LoadResult } from './load.ts';
import type { Measurement } from './measure.ts';
import type { Goal, Scenario, Style } from './scenarios.ts';
import { median, ratios, spread, type Spread } from './statistics.ts';

/** One target in one style of calling, over all rounds. */
export interface Row {
  readonly target: string;
  readonly callsPerSecond: number;
  /** Microseconds of user and system time for a call, of streams for a chunk. */
  readonly cpuMicros: Spread;
  /** By baseline: this CPU as a multiple of that target's in the same round. */
  readonly ratios: Readonly<Record<string, Spread>>;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly stream?: NonNullable<LoadResult['stream']>;
  readonly residentMb: number;
  readonly bad: number;
  readonly firstBad?: string;
  readonly otherCores: number;
  readonly clientCores: number;
}

export interface Verdict {
  readonly goal: Goal;
  /** What the goal is about, as it was measured; NaN when it was not. */
  readonly value: number;
  readonly isMet: boolean;
}

export interface Summary {
  readonly style: string;
  readonly by: Measurement['by'];
  readonly rows: readonly Row[];
  /** Targets that were not measured, and why. */
  readonly absent: Readonly<Record<string, string>>;
  readonly verdicts: readonly Verdict[];
}

/** A client that used more of its core than this was the limit, at least now and then. */
const BUSY_CLIENT = 0.9;

export function summarise({ contenders }: Scenario, { style, by, results, absent }: Measurement): Summary {
  const [judgedName, ...others] = contenders.map(({ name }) => name);
  const cpu = (target: string): number[] => (results.get(target) ?? []).map((result) => result.cpuMicros);
  const baselines = others.filter((name) => results.has(name));
  const rows = [...results].map(([target, runs]): Row => {
    const middle = (of: (run: LoadResult) => number): number => median(runs.map(of));
    const firstBad = runs.find((run) => run.firstBad !== undefined)?.firstBad;
    return {
      target,
      callsPerSecond: middle((run) => run.callsPerSecond),
      cpuMicros: spread(cpu(target)),
      ratios: Object.fromEntries(baselines.map((baseline) => [baseline, ratios(cpu(target), cpu(baseline))])),
      p50: middle((run) => run.p50),
      p99: middle((run) => run.p99),
      ...(style.stream === undefined ? {} : { stream: middleStream(runs) }),
      residentMb: Math.max(...runs.map((run) => run.residentMb)),
      bad: runs.reduce((sum, run) => sum + run.bad, 0),
      ...(firstBad === undefined ? {} : { firstBad }),
      otherCores: Math.max(...runs.map((run) => run.otherCores)),
      clientCores: middle((run) => run.clientCores),
    };
  });
  const judged = rows.find(({ target }) => target === judgedName);
  const ratioOf = (target: string, baseline: string): number =>
    results.has(target) && results.has(baseline) ? ratios(cpu(target), cpu(baseline)).median : Number.NaN;
  const verdicts = style.goals.map((goal): Verdict => {
    const value = goal.of === 'cpu' ? ratioOf(goal.target ?? judgedName!, goal.baseline) : (judged?.stream?.firstByte.p50 ?? Number.NaN);
    return { goal, value, isMet: value <= goal.atMost };
  });
  return { style: style.name, by, rows, absent: Object.fromEntries(absent), verdicts };
}

function middleStream(runs: readonly LoadResult[]): NonNullable<LoadResult['stream']> {
  const middle = (of: (stream: NonNullable<LoadResult['stream']>) => number): number =>
    median(runs.map(({ stream }) => (stream === undefined ? Number.NaN : of(stream))));
  return {
    chunksPerSecond: middle((stream) => stream.chunksPerSecond),
    firstByte: { p50: middle((stream) => stream.firstByte.p50), p99: middle((stream) => stream.firstByte.p99) },
    transit: { p50: middle((stream) => stream.transit.p50), p99: middle((stream) => stream.transit.p99) },
  };
}

/** The summary as a Markdown table, what it says about the goals, and what is wrong with it. */
export function render({ title, contenders }: Scenario, style: Style, { by, rows, absent, verdicts }: Summary): string {
  const baselines = contenders.slice(1).flatMap(({ name }) => (Object.hasOwn(absent, name) ? [] : [name]));
  const isStream = style.stream !== undefined;
  const head = [
    'target',
    isStream ? 'chunks/s' : 'calls/s',
    `CPU µs/${isStream ? 'chunk' : 'call'} (min–max)`,
    ...baselines.map((name) => `× ${name} (min–max)`),
    ...(isStream ? ['first byte after the upstream, p50/p99 ms', 'transit p50/p99 ms'] : ['p50/p99 ms']),
    'MB',
    'bad',
    'other cores',
  ];
  const lines = rows.map((row) => [
    row.target,
    (row.stream?.chunksPerSecond ?? row.callsPerSecond).toFixed(0),
    withRange(row.cpuMicros, 1),
    ...baselines.map((name) => withRange(row.ratios[name], 2)),
    ...(row.stream === undefined ? [both(row)] : [both(row.stream.firstByte), both(row.stream.transit)]),
    row.residentMb.toFixed(0),
    String(row.bad),
    row.otherCores.toFixed(2),
  ]);
  const missing = Object.entries(absent).map(([name, why]) => head.map((_, column) => [name, why][column] ?? ''));
  return [
    `${title}, ${style.name}, ${by === 'kit' ? 'measured by the bench kit' : 'measured by this bench'}, ${style.connections} connections`,
    '',
    ...[head, head.map(() => '---'), ...lines, ...missing].map((cells) => `| ${cells.join(' | ')} |`),
    '',
    ...verdicts.map((verdict) => sentence(contenders[0].name, verdict)),
    ...rows.flatMap(warnings),
  ].join('\n');
}

function sentence(judged: string, { goal, value, isMet }: Verdict): string {
  const verdict = isMet ? 'met' : 'MISSED';
  return goal.of === 'cpu'
    ? `${goal.target ?? judged} costs ${value.toFixed(2)} of ${goal.baseline}; goal at most ${goal.atMost}: ${verdict}`
    : `${judged}'s first byte comes ${value.toFixed(2)} ms after the upstream's; goal at most ${goal.atMost}: ${verdict}`;
}

function warnings({ target, bad, firstBad, clientCores }: Row): string[] {
  return [
    ...(bad > 0 ? [`NO RESULT: ${target} gave ${bad} bad answers, the first: ${firstBad ?? ''}`] : []),
    ...(clientCores > BUSY_CLIENT
      ? [
          `The load client and the service behind were busy for ${clientCores.toFixed(2)} of their core with ${target}: its calls/s are their limit.`,
        ]
      : []),
  ];
}

const both = ({ p50, p99 }: { readonly p50: number; readonly p99: number }): string => `${p50.toFixed(2)}/${p99.toFixed(2)}`;

const withRange = (range: Spread | undefined, digits: number): string =>
  range === undefined ? '' : `${range.median.toFixed(digits)} (${range.min.toFixed(digits)}–${range.max.toFixed(digits)})`;
