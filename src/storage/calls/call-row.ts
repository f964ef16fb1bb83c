import type { CallEvent, Lane } from '../../core/call.ts';
import type { CallRecord } from '../../core/contracts/call-log.ts';
import type { Usage } from '../../core/usage.ts';

export type Cell = string | number | null;

/** The columns that a record is kept in, with the types that SQLite and PostgreSQL share. Yes and no are 1 and 0. */
export const COLUMNS = {
  id: 'text not null',
  started_at: 'bigint not null',
  lane: 'text not null',
  operation: 'text not null',
  consumer: 'text not null',
  route: 'text not null',
  asked: 'text not null',
  target: 'text',
  provider: 'text',
  model_served: 'text',
  outcome: 'text not null',
  status: 'integer not null',
  streamed: 'integer not null',
  attempts: 'integer not null',
  duration_ms: 'double precision not null',
  first_byte_ms: 'double precision',
  input_tokens: 'bigint',
  output_tokens: 'bigint',
  total_tokens: 'bigint',
  cache_read_tokens: 'bigint',
  cache_write_tokens: 'bigint',
  cache_write_long_tokens: 'bigint',
  reasoning_tokens: 'bigint',
  input_audio_tokens: 'bigint',
  output_audio_tokens: 'bigint',
  estimated: 'integer not null',
  cost: 'double precision',
  unpriced: 'integer not null',
  events: 'text not null',
} as const;

export type CallRow = Readonly<Record<keyof typeof COLUMNS, Cell>>;

const NONE: Usage = {};
const NO_EVENTS = '[]';

/** A record as the values of its columns, in their order. */
export function toRow(record: CallRecord): Cell[] {
  const usage = record.usage ?? NONE;
  return [
    record.id,
    record.startedAt,
    record.lane,
    record.operation,
    record.consumer,
    record.route,
    record.asked,
    record.target ?? null,
    record.provider ?? null,
    record.modelServed ?? null,
    record.outcome,
    record.status,
    record.streamed ? 1 : 0,
    record.attempts,
    record.durationMs,
    record.firstByteMs ?? null,
    usage.inputTokens ?? null,
    usage.outputTokens ?? null,
    usage.totalTokens ?? null,
    usage.cacheReadTokens ?? null,
    usage.cacheWriteTokens ?? null,
    usage.cacheWriteLongTokens ?? null,
    usage.reasoningTokens ?? null,
    usage.inputAudioTokens ?? null,
    usage.outputAudioTokens ?? null,
    usage.estimated === true ? 1 : 0,
    usage.cost ?? null,
    usage.cost === null ? 1 : 0,
    record.events.length === 0 ? NO_EVENTS : JSON.stringify(record.events),
  ];
}

/** What is absent in the row is absent in the record. */
export function fromRow(row: CallRow): CallRecord {
  const usage = usageOf(row);
  return {
    id: row.id as string,
    startedAt: row.started_at as number,
    lane: row.lane as Lane,
    operation: row.operation as string,
    consumer: row.consumer as string,
    route: row.route as string,
    asked: row.asked as string,
    ...present('target', row.target),
    ...present('provider', row.provider),
    ...present('modelServed', row.model_served),
    outcome: row.outcome as string,
    status: row.status as number,
    streamed: row.streamed === 1,
    attempts: row.attempts as number,
    durationMs: row.duration_ms as number,
    ...present('firstByteMs', row.first_byte_ms),
    ...(Object.keys(usage).length === 0 ? {} : { usage }),
    events: JSON.parse(row.events as string) as CallEvent[],
  };
}

function usageOf(row: CallRow): Usage {
  return {
    ...present('inputTokens', row.input_tokens),
    ...present('outputTokens', row.output_tokens),
    ...present('totalTokens', row.total_tokens),
    ...present('cacheReadTokens', row.cache_read_tokens),
    ...present('cacheWriteTokens', row.cache_write_tokens),
    ...present('cacheWriteLongTokens', row.cache_write_long_tokens),
    ...present('reasoningTokens', row.reasoning_tokens),
    ...present('inputAudioTokens', row.input_audio_tokens),
    ...present('outputAudioTokens', row.output_audio_tokens),
    ...(row.estimated === 1 ? { estimated: true } : {}),
    ...(row.unpriced === 1 ? { cost: null } : present('cost', row.cost)),
  };
}

function present<K extends keyof CallRecord | keyof Usage>(name: K, value: Cell): Partial<Pick<CallRecord & Usage, K>> {
  return (value === null ? {} : { [name]: value }) as Partial<Pick<CallRecord & Usage, K>>;
}
