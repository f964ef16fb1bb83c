import { describe, expect, it } from 'vitest';
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics.ts';
import { bareRecord, sampleRecord } from '../../contracts/call-log.ts';

/** The samples of the hub's own metrics, by name and labels. */
async function samples(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('hubgate_'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

describe('metrics', () => {
  it('count calls by lane, operation, outcome and provider', async () => {
    const metrics = createMetrics();
    for (let n = 0; n < 3; n += 1) metrics.count(sampleRecord());
    metrics.count(sampleRecord({ outcome: 'upstream_failed' }));
    metrics.count(bareRecord());
    const seen = await samples(metrics);
    expect(seen.get('hubgate_calls_total{lane="models",operation="chat",outcome="ok",provider="openai"}')).toBe(3);
    expect(seen.get('hubgate_calls_total{lane="models",operation="chat",outcome="upstream_failed",provider="openai"}')).toBe(1);
    expect(seen.get('hubgate_calls_total{lane="tools",operation="tools/list",outcome="ok",provider=""}')).toBe(1);
  });

  it('spread times over buckets that add up', async () => {
    const metrics = createMetrics();
    for (const durationMs of [0, 5, 5.1, 1000, 600_000]) metrics.count(sampleRecord({ durationMs, firstByteMs: 30 }));
    metrics.count(bareRecord({ durationMs: 7 }));
    const seen = await samples(metrics);
    const of = (le: string): number | undefined =>
      seen.get(`hubgate_call_duration_seconds_bucket{le="${le}",lane="models",provider="openai",streamed="true"}`) ??
      seen.get(`hubgate_call_duration_seconds_bucket{lane="models",provider="openai",streamed="true",le="${le}"}`);
    expect([of('0.005'), of('0.01'), of('1'), of('300'), of('+Inf')]).toEqual([2, 3, 4, 4, 5]);
    const labels = '{lane="models",provider="openai",streamed="true"}';
    expect(seen.get(`hubgate_call_duration_seconds_count${labels}`)).toBe(5);
    expect(seen.get(`hubgate_call_duration_seconds_sum${labels}`)).toBeCloseTo(601.0101);
    expect(seen.get('hubgate_first_byte_seconds_count{provider="openai"}')).toBe(5);
    expect([...seen.keys()].filter((key) => key.startsWith('hubgate_first_byte_seconds_count'))).toHaveLength(1);
  });

  it('sum tokens and cost by model and by consumer', async () => {
    const metrics = createMetrics();
    metrics.count(sampleRecord());
    metrics.count(sampleRecord({ consumer: 'bob', usage: { inputTokens: 1, outputTokens: 2, cost: null } }));
    const seen = await samples(metrics);
    const model = 'provider="openai",model="gpt-5-mini-2025-08-07"';
    const tokens = (kind: string): number | undefined => seen.get(`hubgate_tokens_total{${model},kind="${kind}"}`);
    expect(['input', 'output', 'cache_read', 'cache_write', 'reasoning'].map(tokens)).toEqual([1001, 202, 300, 20, 50]);
    expect(seen.get(`hubgate_cost_usd_total{${model}}`)).toBeCloseTo(0.001_23);
    expect(seen.get('hubgate_consumer_tokens_total{consumer="alice",kind="input"}')).toBe(1000);
    metrics.count(sampleRecord({ modelServed: 'unpriced', usage: { inputTokens: 1, cost: null } }));
    expect(await metrics.text()).not.toMatch(/hubgate_cost_usd_total\{.*unpriced/);
    expect(seen.get('hubgate_consumer_tokens_total{consumer="bob",kind="output"}')).toBe(2);
  });

  it('never take a name that a caller made up', async () => {
    const metrics = createMetrics();
    const { usage: _, modelServed: __, ...failed } = sampleRecord({ outcome: 'model_unknown', asked: 'made-up-by-the-caller' });
    metrics.count(failed);
    expect(await metrics.text()).not.toContain('made-up-by-the-caller');
  });

  it('tell 200 models and 200 consumers apart, and escape what stands in their names', async () => {
    const metrics = createMetrics();
    for (let n = 0; n < 300; n += 1)
      metrics.count(sampleRecord({ consumer: `c${n}`, modelServed: `m"${n}\n\\`, usage: { inputTokens: 1 } }));
    for (let n = 0; n < 300; n += 1)
      metrics.count(sampleRecord({ consumer: `c${n}`, modelServed: `m"${n}\n\\`, usage: { inputTokens: 1 } }));
    const seen = await samples(metrics);
    const inputs = [...seen].filter(([key]) => key.endsWith('kind="input"}'));
    const models = inputs.filter(([key]) => key.startsWith('hubgate_tokens_total'));
    expect(models).toHaveLength(201);
    expect(models.find(([key]) => key.includes('model="other"'))?.[1]).toBe(200);
    expect(models[0]).toEqual([String.raw`hubgate_tokens_total{provider="openai",model="m\"0\n\\",kind="input"}`, 2]);
    const consumers = inputs.filter(([key]) => key.startsWith('hubgate_consumer_tokens_total'));
    expect(consumers).toHaveLength(201);
    expect(consumers.find(([key]) => key.includes('consumer="other"'))?.[1]).toBe(200);
  });

  it('sum the tokens of definitions, full and offered, where tools were selected or searched', async () => {
    const metrics = createMetrics();
    const figures = { full: 50_000, offered: 2000, would: 7 };
    metrics.count(sampleRecord({ route: 'support', events: [{ type: 'selected', at: 1, figures }] }));
    metrics.count(sampleRecord({ route: 'support', events: [{ type: 'selected', at: 1, figures: { full: 100, offered: 100 } }] }));
    metrics.count(
      bareRecord({
        route: 'shop',
        events: [
          { type: 'searched', at: 1, figures },
          { type: 'routed', at: 2, figures },
          { type: 'selected', at: 3, detail: 'all' },
        ],
      }),
    );
    const seen = [...(await samples(metrics))].filter(([key]) => key.startsWith('hubgate_tool_tokens_total'));
    expect(Object.fromEntries(seen)).toEqual({
      'hubgate_tool_tokens_total{lane="models",route="support",kind="full"}': 50_100,
      'hubgate_tool_tokens_total{lane="models",route="support",kind="offered"}': 2100,
      'hubgate_tool_tokens_total{lane="tools",route="shop",kind="full"}': 50_000,
      'hubgate_tool_tokens_total{lane="tools",route="shop",kind="offered"}': 2000,
    });
  });

  it('count events and lost records, and have those of the process', async () => {
    let lost = 0;
    const metrics = createMetrics({ lost: () => lost });
    metrics.count(sampleRecord());
    lost = 7;
    const seen = await samples(metrics);
    expect(seen.get('hubgate_call_events_total{type="retried"}')).toBe(1);
    expect(seen.get('hubgate_records_lost_total')).toBe(7);
    const text = await metrics.text();
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
    expect(text).toMatch(/^# TYPE hubgate_call_duration_seconds histogram$/m);
    expect(text).toMatch(/^# HELP hubgate_calls_total \S/m);
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  });
});
