import type { CallEvent, Lane } from '../../core/call.ts';
import type { CallRecord } from '../../core/contracts/call-log.ts';
import type { Usage } from '../../core/usage.ts';

export type Cell = string | number | null;

/** The columns that a record is read by, in the order of its cells. Yes and no are 1 and 0. */
export const COLUMNS = [
  'id',
  'started_at',
  'lane',
  'operation',
  'consumer',
  'route',
  'asked',
  'target',
  'provider',
  'model_served',
  'outcome',
  'status',
  'streamed',
  'attempts',
  'duration_ms',
  'first_byte_ms',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cache_write_long_tokens',
  'reasoning_tokens',
  'input_audio_tokens',
  'output_audio_tokens',
  'estimated',
  'cost',
  'unpriced',
  'events',
] as const;

export type CallRow = Readonly<Record<(typeof COLUMNS)[number], Cell>>;

/** How a record is written: what is found by an index, and all its cells as a list in JSON, which costs less to hand over and to write than they do. */
export type WrittenRow = readonly [startedAt: number, consumer: string, cells: string];

const NONE: Usage = {};

/** The cells are in the order of the columns. */
export function toRow(record: CallRecord): WrittenRow {
  return [record.startedAt, record.consumer, JSON.stringify(cellsOf(record))];
}

function cellsOf(record: CallRecord): (Cell | CallRecord['events'])[] {
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
    record.events,
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
