import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/core/call.ts';
import type { CallRecord } from '../../../src/core/contracts/call-log.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Usage } from '../../../src/core/usage.ts';
import type { PriceOf } from '../../../src/telemetry/prices.ts';
import { createRecorder, type RecordedCall } from '../../../src/telemetry/recorder.ts';

const call: RecordedCall = {
  id: 'req-1',
  lane: 'models',
  operation: 'chat',
  route: 'support',
  consumer: { name: 'alice', groups: [], anonymous: false },
  startedAt: 1000,
  input: { model: 'gpt', stream: true, body: {} } as RecordedCall['input'],
};
const target = { name: 'main/gpt-5', upstream: 'main', provider: 'openai', model: 'gpt-5' };
const outcome: Outcome = { ok: true, durationMs: 12, attempts: 1, streamed: false, events: [] };
const usage: Usage = { inputTokens: 10, outputTokens: 5 };
const asked: (string | undefined)[] = [];

function record(more: Partial<RecordedCall>, ended: Partial<Outcome>, prices: PriceOf = () => null): CallRecord {
  const kept: CallRecord[] = [];
  const counted: CallRecord[] = [];
  const log = { add: (one: CallRecord) => void kept.push(one), lost: 0 } as never;
  const metrics = { count: (one: CallRecord) => void counted.push(one) } as never;
  const recorder = createRecorder({ log, metrics, prices: () => prices });
  // As the pipeline does it: priced at the end of the call, before anybody hears of the outcome.
  const priced = ended.usage === undefined ? {} : { usage: recorder.priced(ended.usage, { ...outcome, ...ended }) };
  recorder.record({ ...call, ...more } as RecordedCall, { ...outcome, ...ended, ...priced });
  expect(kept).toHaveLength(1);
  expect(counted).toEqual(kept);
  return kept[0] as CallRecord;
}

describe('a record', () => {
  it('has the facts of the call and of its end, and nothing that is not there', () => {
    expect(record({}, {})).toEqual({
      id: 'req-1',
      startedAt: 1000,
      lane: 'models',
      operation: 'chat',
      consumer: 'alice',
      route: 'support',
      asked: 'gpt',
      outcome: 'ok',
      status: 200,
      streamed: false,
      attempts: 1,
      durationMs: 12,
      events: [],
    });
    expect(record({}, { target, modelServed: 'gpt-5-2025', firstByteMs: 4, streamed: true })).toMatchObject({
      target: 'main/gpt-5',
      provider: 'openai',
      modelServed: 'gpt-5-2025',
      firstByteMs: 4,
      streamed: true,
    });
  });

  it('has the outcome as a word and a status', () => {
    expect(record({}, { failed: false })).toMatchObject({ outcome: 'ok', status: 200 });
    expect(record({}, { failed: true })).toMatchObject({ outcome: 'failed', status: 200 });
    expect(record({}, { ok: false, error: new GatewayError('limit_exceeded') })).toMatchObject({ outcome: 'limit_exceeded', status: 429 });
  });

  it('has what was asked for, cut', () => {
    expect(record({ lane: 'tools', input: { name: 'find_pets', arguments: {}, params: {} } }, {}).asked).toBe('find_pets');
    expect(record({ lane: 'agents', input: { agent: 'travel', params: {} } }, {}).asked).toBe('travel');
    const long = record({ input: { ...call.input, model: 'm'.repeat(5000) } as never }, { modelServed: 's'.repeat(5000) });
    expect([long.asked.length, long.modelServed?.length]).toEqual([200, 200]);
  });
});

describe('the price of a call', () => {
  const known =
    (prices: Record<string, number>): PriceOf =>
    (provider, model) => {
      asked.push(provider, model);
      return prices[model] ?? null;
    };

  it('is that of the model that answered, else of the one that was asked of the target', () => {
    asked.length = 0;
    expect(record({}, { target, modelServed: 'served', usage }, known({ served: 1, 'gpt-5': 2 })).usage).toEqual({ ...usage, cost: 1 });
    expect(asked).toEqual(['openai', 'served']);
    expect(record({}, { target, modelServed: 'served', usage }, known({ 'gpt-5': 2 })).usage).toEqual({ ...usage, cost: 2 });
    expect(record({}, { target, usage }, known({ 'gpt-5': 0 })).usage).toEqual({ ...usage, cost: 0 });
    expect(record({}, { usage }, known({ gpt: 3 })).usage).toEqual({ ...usage, cost: null });
  });

  it('is the vendor’s own figure when it gave one', () => {
    expect(record({}, { target, usage: { ...usage, cost: 9 } }, known({ 'gpt-5': 2 })).usage?.cost).toBe(9);
  });

  it('is asked for by the target alone where nobody has answered yet, as for what a call is expected to cost', () => {
    asked.length = 0;
    const recorder = createRecorder({ log: {} as never, metrics: {} as never, prices: () => known({ 'gpt-5': 2 }) });
    expect(recorder.priced({ ...usage, estimated: true }, { target })).toEqual({ ...usage, estimated: true, cost: 2 });
    expect(recorder.priced(usage, {})).toEqual({ ...usage, cost: null });
    expect(recorder.priced({ cost: 0 }, { target })).toEqual({ cost: 0 });
    expect(asked).toEqual(['openai', 'gpt-5']);
  });

  it('is asked for at the end of a call only: the record has what the pipeline made of it', () => {
    const kept: CallRecord[] = [];
    const log = { add: (one: CallRecord) => void kept.push(one) } as never;
    const recorder = createRecorder({ log, metrics: { count: () => {} } as never, prices: () => expect.unreachable() });
    recorder.record(call, { ...outcome, target, usage: { ...usage, cost: 7 } });
    expect(kept[0]?.usage).toEqual({ ...usage, cost: 7 });
  });

  it('that is not known is said once, as is a count that is an estimate', () => {
    const events = [{ type: 'fallback', at: 3 }] as const;
    expect(record({}, { target, usage, events }).events).toEqual([...events, { type: 'unpriced', at: 12 }]);
    expect(record({}, { target, usage: { ...usage, estimated: true, cost: 1 } }).events).toEqual([{ type: 'estimated', at: 12 }]);
    expect(record({}, { target, usage, events: [{ type: 'unpriced', at: 1 }] }).events).toEqual([{ type: 'unpriced', at: 1 }]);
    expect(record({}, { target }).events).toEqual([]);
    expect(record({ lane: 'tools', input: { name: 'x', arguments: {}, params: {} } }, { usage }).events).toEqual([]);
  });
});
