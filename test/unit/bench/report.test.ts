import { describe, expect, it } from 'vitest';
import type { LoadResult } from '../../../bench/load.ts';
import { lastSeconds, ownTime, type CpuProfile } from '../../../bench/profile.ts';
import { render, summarise } from '../../../bench/report.ts';
import type { Scenario, Style } from '../../../bench/scenarios.ts';
import { median, quantile, ratios } from '../../../bench/statistics.ts';
import type { Contender } from '../../../bench/targets.ts';

const contender = (name: string): Contender => ({
  name,
  isInKit: false,
  make: () => ({ command: [], env: {}, path: '/', headers: {} }),
});

const style: Style = {
  name: 'a style',
  kit: { scenario: 'calls' },
  connections: 4,
  expect: 'Rex',
  goals: [
    { of: 'cpu', baseline: 'slow', atMost: 0.25 },
    { of: 'cpu', baseline: 'fast', atMost: 2 },
  ],
  requests: () => Promise.resolve([]),
};

const streams: Style = {
  ...style,
  name: 'streams',
  goals: [
    { of: 'cpu', baseline: 'fast', atMost: 2 },
    { of: 'first byte', atMost: 1 },
  ],
  stream: { chunks: 64, firstAfterMs: 100, rampMs: 3200 },
};

const scenario: Scenario = {
  title: 'calls',
  contenders: [contender('hub'), contender('slow'), contender('fast')],
  styles: [style, streams],
  note: '',
};

const runs = (cpuMicros: readonly number[], more: Partial<LoadResult> = {}): LoadResult[] =>
  cpuMicros.map((cpu, i) => ({
    callsPerSecond: 1000 * (i + 1),
    cpuMicros: cpu,
    p50: 1 + i,
    p99: 10 + i,
    bad: 0,
    clientCores: 0.5,
    otherCores: i / 10,
    residentMb: 100 + i,
    ...more,
  }));

const measured = (hub: readonly LoadResult[]) =>
  summarise(scenario, {
    style,
    by: 'bench',
    results: new Map([
      ['hub', hub],
      ['slow', runs([200, 400, 200, 400])],
      ['fast', runs([20, 20, 40, 40])],
    ]),
    absent: new Map(),
  });

const streamRuns = (cpuMicros: readonly number[], firstBytes: readonly number[]): LoadResult[] =>
  runs(cpuMicros).map((run, i) => ({
    ...run,
    stream: { chunksPerSecond: 9800 + i, firstByte: { p50: firstBytes[i]!, p99: 12 }, transit: { p50: 0.1, p99: 4 } },
  }));

const measuredStreams = (hub: readonly LoadResult[]) =>
  summarise(scenario, {
    style: streams,
    by: 'kit',
    results: new Map([
      ['hub', hub],
      ['fast', streamRuns([50, 50], [0.8, 0.8])],
    ]),
    absent: new Map([['slow', 'not on this machine']]),
  });

describe('statistics', () => {
  it('takes the middle of odd and even counts in any order', () => {
    expect([median([5, 1, 9]), median([4, 1, 9, 2]), median([7])]).toEqual([5, 3, 7]);
    expect(median([])).toBeNaN();
  });

  it('takes quantiles of what is sorted', () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1);
    expect([quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1), quantile([3], 0.01)]).toEqual([50, 99, 100, 3]);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('compares round with round, and only rounds that both have', () => {
    expect(ratios([10, 40, 90], [10, 20, 30])).toEqual({ median: 2, min: 1, max: 3 });
    expect(ratios([10, 40, 90], [10, 20])).toEqual({ median: 1.5, min: 1, max: 2 });
  });
});

describe('summarise', () => {
  it('gives medians, ranges and ratios to every baseline', () => {
    const { rows, verdicts } = measured(runs([40, 80, 60, 100]));
    expect(rows[0]).toEqual({
      target: 'hub',
      callsPerSecond: 2500,
      cpuMicros: { median: 70, min: 40, max: 100 },
      ratios: { slow: { median: 0.225, min: 0.2, max: 0.3 }, fast: { median: 2.25, min: 1.5, max: 4 } },
      p50: 2.5,
      p99: 11.5,
      residentMb: 103,
      bad: 0,
      otherCores: 0.3,
      clientCores: 0.5,
    });
    expect(rows[1]!.ratios['slow']).toEqual({ median: 1, min: 1, max: 1 });
    expect(verdicts).toEqual([
      { goal: style.goals[0], value: 0.225, isMet: true },
      { goal: style.goals[1], value: 2.25, isMet: false },
    ]);
  });

  it('judges another target where the goal names it', () => {
    const goals: Style['goals'] = [
      { of: 'cpu', target: 'slow', baseline: 'fast', atMost: 10 },
      { of: 'cpu', target: 'nobody', baseline: 'fast', atMost: 10 },
    ];
    const results = new Map([
      ['hub', runs([40])],
      ['slow', runs([200, 200])],
      ['fast', runs([20, 50])],
    ]);
    const summary = summarise(scenario, { style: { ...style, goals }, by: 'bench', results, absent: new Map() });
    expect(summary.verdicts).toEqual([
      { goal: goals[0], value: 7, isMet: true },
      { goal: goals[1], value: Number.NaN, isMet: false },
    ]);
    expect(render(scenario, style, summary)).toContain('slow costs 7.00 of fast; goal at most 10: met');
  });

  it('misses a goal that was not measured', () => {
    const alone = new Map([['hub', runs([1])]]);
    const { verdicts } = summarise(scenario, { style: streams, by: 'kit', results: alone, absent: new Map() });
    expect(verdicts.map(({ isMet }) => isMet)).toEqual([false, false]);
  });

  it('judges streams by the CPU of a chunk and by their first byte', () => {
    const { rows, verdicts, absent } = measuredStreams(streamRuns([50, 75], [0.9, 1.3]));
    expect(rows[0]!.stream).toEqual({ chunksPerSecond: 9800.5, firstByte: { p50: 1.1, p99: 12 }, transit: { p50: 0.1, p99: 4 } });
    expect(rows[0]!.ratios).toEqual({ fast: { median: 1.25, min: 1, max: 1.5 } });
    expect(verdicts.map(({ value, isMet }) => [value, isMet])).toEqual([
      [1.25, true],
      [1.1, false],
    ]);
    expect(absent).toEqual({ slow: 'not on this machine' });
  });
});

describe('render', () => {
  it('prints a row for each target and a line for each goal', () => {
    const lines = render(scenario, style, measured(runs([40, 80, 60, 100]))).split('\n');
    expect(lines).toContain('| hub | 2500 | 70.0 (40.0–100.0) | 0.23 (0.20–0.30) | 2.25 (1.50–4.00) | 2.50/11.50 | 103 | 0 | 0.30 |');
    expect(lines).toContain('hub costs 0.23 of slow; goal at most 0.25: met');
    expect(lines).toContain('hub costs 2.25 of fast; goal at most 2: MISSED');
    expect(lines.filter((line) => line.startsWith('|')).every((line) => line.split('|').length === 11)).toBe(true);
    expect(lines.join('\n')).not.toContain('NO RESULT');
  });

  it('prints streams, and what was not measured', () => {
    const lines = render(scenario, streams, measuredStreams(streamRuns([50, 75], [0.9, 1.3]))).split('\n');
    expect(lines).toContain('| hub | 9801 | 62.5 (50.0–75.0) | 1.25 (1.00–1.50) | 1.10/12.00 | 0.10/4.00 | 101 | 0 | 0.10 |');
    expect(lines).toContain('| slow | not on this machine |  |  |  |  |  |  |  |');
    expect(lines).toContain("hub's first byte comes 1.10 ms after the upstream's; goal at most 1: MISSED");
    expect(lines.find((line) => line.startsWith('| target'))).toContain('CPU µs/chunk');
    expect(lines.filter((line) => line.startsWith('|')).every((line) => line.split('|').length === 11)).toBe(true);
  });

  it('says what makes a table no result', () => {
    const text = render(scenario, style, measured(runs([40, 80], { bad: 2, firstBad: '500 no', clientCores: 0.97 })));
    expect(text).toContain('NO RESULT: hub gave 4 bad answers, the first: 500 no');
    expect(text).toContain('busy for 0.97 of their core with hub');
  });
});

describe('lastSeconds', () => {
  it('keeps the samples at the end', () => {
    const whole: CpuProfile = { nodes: [], samples: [1, 2, 3, 4], timeDeltas: [5e6, 1e6, 1e6, 1e6] };
    expect(lastSeconds(whole, 2)).toEqual({ nodes: [], samples: [3, 4], timeDeltas: [1e6, 1e6] });
    expect(lastSeconds(whole, 60)).toEqual(whole);
  });
});

describe('ownTime', () => {
  it('sums samples by package and by function and leaves out idle time', () => {
    const root = new URL('../../..', import.meta.url).href;
    const frame = (id: number, functionName: string, url = '', lineNumber = 0): CpuProfile['nodes'][number] => ({
      id,
      callFrame: { functionName, url, lineNumber },
    });
    const nodes = [
      frame(1, '(idle)'),
      frame(2, '(garbage collector)'),
      frame(3, 'readable', 'node:internal/streams/readable', 9),
      frame(4, 'dispatch', `${root}node_modules/undici/lib/pool.js`, 19),
      frame(5, '', `${root}src/http/body.ts`, 29),
      frame(6, 'other', `${root}src/http/body.ts`, 39),
    ];
    const { byPackage, byFunction } = ownTime({ nodes, samples: [1, 2, 3, 4, 5, 6, 4], timeDeltas: [500, 10, 20, 15, 25, 5, 25] });
    expect(byPackage).toEqual([
      ['undici', 0.4],
      ['src/http', 0.3],
      ['node:streams', 0.2],
      ['garbage collector', 0.1],
    ]);
    expect(byFunction[0]).toEqual(['dispatch node_modules/undici/lib/pool.js:20', 0.4]);
    expect(byFunction).toContainEqual(['(anonymous) src/http/body.ts:30', 0.25]);
  });
});
