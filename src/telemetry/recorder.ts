import type { AnyCall, CallEvent, Outcome } from '../core/call.ts';
import type { CallLog, CallRecord } from '../core/contracts/call-log.ts';
import type { Usage } from '../core/usage.ts';
import type { Metrics } from './metrics.ts';
import type { PriceOf } from './prices.ts';

/** What a record takes from a call of any lane. */
export type RecordedCall = Pick<AnyCall, 'id' | 'lane' | 'operation' | 'route' | 'consumer' | 'startedAt'> & {
  readonly input: AnyCall['input'];
};

/** The books of calls: what each cost, and its record. Never waits. */
export interface Recorder {
  /** The usage with its cost; null when no price is known. What has a cost keeps it, and a vendor's own figure is one. */
  priced(usage: Usage, by: Pick<Outcome, 'target' | 'modelServed'>): Usage;
  record(call: RecordedCall, outcome: Outcome): void;
}

export interface RecorderParts {
  readonly log: CallLog;
  readonly metrics: Metrics;
  /** Those of the configuration that serves now. */
  readonly prices: () => PriceOf;
}

/** What callers and vendors name has no bound of its own. */
const LONGEST_NAME = 200;

/** Keeps calls in the log and in the metrics. */
export function createRecorder({ log, metrics, prices }: RecorderParts): Recorder {
  return {
    priced: (usage, by) => priced(usage, by, prices),
    record(call, outcome) {
      const record = recordOf(call, outcome);
      log.add(record);
      metrics.count(record);
    },
  };
}

/** Field by field: a spread for each that may be absent costs more than all else here. */
function recordOf(call: RecordedCall, outcome: Outcome): CallRecord {
  const { error, target, modelServed, firstByteMs, usage } = outcome;
  const record: { -readonly [K in keyof CallRecord]: CallRecord[K] } = {
    id: call.id,
    startedAt: call.startedAt,
    lane: call.lane,
    operation: call.operation,
    consumer: call.consumer.name,
    route: call.route,
    asked: cut(askedFor(call.input)),
    outcome: error?.code ?? (outcome.failed === true ? 'failed' : 'ok'),
    status: error?.status ?? 200,
    streamed: outcome.streamed,
    attempts: outcome.attempts,
    durationMs: outcome.durationMs,
    events: call.lane === 'models' && usage !== undefined ? noted(usage, outcome) : outcome.events,
  };
  if (target !== undefined) record.target = cut(target.name);
  if (target?.provider !== undefined) record.provider = target.provider;
  if (modelServed !== undefined) record.modelServed = cut(modelServed);
  if (firstByteMs !== undefined) record.firstByteMs = firstByteMs;
  if (usage !== undefined) record.usage = usage;
  return record;
}

function askedFor(input: RecordedCall['input']): string {
  return 'model' in input ? (input.model as string) : 'name' in input ? (input.name as string) : input.agent;
}

function cut(name: string): string {
  return name.length > LONGEST_NAME ? name.slice(0, LONGEST_NAME) : name;
}

/** What is not known by the name that answered may be by the name that was asked for. */
function priced(usage: Usage, { target, modelServed }: Pick<Outcome, 'target' | 'modelServed'>, prices: () => PriceOf): Usage {
  if (usage.cost !== undefined) return usage;
  const priceOf = prices();
  const ask = (name: string | undefined): number | null => (name === undefined ? null : priceOf(target?.provider, cut(name), usage));
  const cost = ask(modelServed) ?? (target?.model === modelServed ? null : ask(target?.model));
  return { ...usage, cost };
}

function noted(usage: Usage, { events, durationMs: at }: Outcome): readonly CallEvent[] {
  if (usage.cost !== null && usage.estimated !== true) return events;
  const more: CallEvent[] = [];
  if (usage.cost === null) more.push({ type: 'unpriced', at });
  if (usage.estimated === true) more.push({ type: 'estimated', at });
  const fresh = more.filter(({ type }) => !events.some((event) => event.type === type));
  return fresh.length === 0 ? events : [...events, ...fresh];
}
