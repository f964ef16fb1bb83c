import { expect, it } from 'vitest';
import { Gauges } from '../../../../src/upstreams/health/gauges.ts';

const START = Date.UTC(2026, 10, 21);

it('gives the same gauge for the same key, and another for another', () => {
  const gauges = new Gauges();
  expect(gauges.for('a')).toBe(gauges.for('a'));
  expect(gauges.for('a')).not.toBe(gauges.for('b'));
});

it('keeps what was seen when settings change, and the settings when none are given', () => {
  const gauges = new Gauges();
  const gauge = gauges.for('a');
  gauge.configure({ breaker: { failures: 2, open: 3_000 } });
  gauge.begin(START).ended(START, 'failed');
  gauges.for('a');
  gauge.begin(START).ended(START, 'failed');
  expect(gauge.retryAt(START)).toBe(START + 3_000);
  gauge.begin(START + 3_000).ended(START + 3_000, 'ok');
  gauge.configure({});
  for (let time = 0; time < 4; time++) gauge.begin(START + 3_000).ended(START + 3_000, 'failed');
  expect(gauge.available(START + 3_000)).toBe(true);
  expect(gauge.samples).toBe(7);
});

it('forgets what is not kept; a call on its way keeps its gauge', () => {
  const gauges = new Gauges();
  const [kept, dropped] = [gauges.for('kept'), gauges.for('dropped')];
  const run = dropped.begin(START);
  gauges.keep(new Set(['kept', 'never seen']));
  expect(gauges.status(START).map(({ key }) => key)).toEqual(['kept']);
  expect(gauges.for('kept')).toBe(kept);
  run.ended(START + 5, 'ok');
  expect(dropped).toMatchObject({ inFlight: 0, latencyMs: 5 });
  expect(gauges.for('dropped')).not.toBe(dropped);
});

it('shows all', () => {
  const gauges = new Gauges();
  gauges.for('b').rest(START, 500);
  gauges.for('a');
  expect(gauges.status(START)).toEqual([
    { key: 'b', health: 'resting', breaker: 'closed', inFlight: 0, errorRate: 0, samples: 0, retryAt: START + 500 },
    { key: 'a', health: 'healthy', breaker: 'closed', inFlight: 0, errorRate: 0, samples: 0 },
  ]);
});
