import type { LoadResult } from './load.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './scenarios.ts';
import { median, ratios, spread, type Spread } from './statistics.ts';

/** One target in one style of calling, over all rounds. */
export interface Row {
  readonly target: string;
  readonly callsPerSecond: number;
  /** Microseconds of user and system time for a call. */
  readonly cpuMicros: Spread;
  /** By baseline: CPU for a call as a multiple of that target's in the same round. */
  readonly ratios: Readonly<Record<string, Spread>>;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly residentMb: number;
  readonly bad: number;
  readonly firstBad?: string;
  readonly otherCores: number;
  readonly clientCores: number;
}

export interface Verdict {
  readonly baseline: string;
  readonly ratio: number;
  readonly goal: number;
  readonly isMet: boolean;
}

export interface Summary {
  readonly style: string;
  readonly by: Measurement['by'];
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
}

/** A client that used more of its core than this was the limit, at least now and then. */
const BUSY_CLIENT = 0.9;

export function summarise(scenario: Scenario, { style, by, results }: Measurement): Summary {
  const cpu = (target: string): number[] => (results.get(target) ?? []).map((result) => result.cpuMicros);
  const baselines = [...scenario.goals.keys()];
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
      residentMb: Math.max(...runs.map((run) => run.residentMb)),
      bad: runs.reduce((sum, run) => sum + run.bad, 0),
      ...(firstBad === undefined ? {} : { firstBad }),
      otherCores: Math.max(...runs.map((run) => run.otherCores)),
      clientCores: middle((run) => run.clientCores),
    };
  });
  const judged = rows.find(({ target }) => target === scenario.targets[0]);
  const verdicts = [...scenario.goals].map(([baseline, goal]): Verdict => {
    const ratio = judged?.ratios[baseline]?.median ?? Number.NaN;
    return { baseline, ratio, goal, isMet: ratio <= goal };
  });
  return { style, by, rows, verdicts };
}

/** The summary as a Markdown table, what it says about the goals, and what is wrong with it. */
export function render(scenario: Scenario, { style, by, rows, verdicts }: Summary): string {
  const baselines = [...scenario.goals.keys()];
  const head = [
    'target',
    'calls/s',
    'CPU µs/call (min–max)',
    ...baselines.map((name) => `× ${name} (min–max)`),
    'p50/p99 ms',
    'MB',
    'bad',
    'other cores',
  ];
  const lines = rows.map((row) => [
    row.target,
    row.callsPerSecond.toFixed(0),
    withRange(row.cpuMicros, 1),
    ...baselines.map((name) => withRange(row.ratios[name]!, 2)),
    `${row.p50.toFixed(2)}/${row.p99.toFixed(2)}`,
    row.residentMb.toFixed(0),
    String(row.bad),
    row.otherCores.toFixed(2),
  ]);
  const judged = verdicts.map(
    ({ baseline, ratio, goal, isMet }) =>
      `${scenario.targets[0]} costs ${ratio.toFixed(2)} of ${baseline}; goal at most ${goal}: ${isMet ? 'met' : 'MISSED'}`,
  );
  return [
    `${scenario.title}, ${style}, ${by === 'kit' ? 'measured by the bench kit' : 'measured by this bench'}, ${scenario.connections} connections`,
    '',
    ...[head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`),
    '',
    ...judged,
    ...rows.flatMap(warnings),
  ].join('\n');
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

const withRange = ({ median, min, max }: Spread, digits: number): string =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
