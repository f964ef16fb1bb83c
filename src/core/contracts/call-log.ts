import type { CallEvent, Lane } from '../call.ts';
import type { Usage } from '../usage.ts';

/** One call of one lane, as it is kept. Holds no text of the call. Times are milliseconds. */
export interface CallRecord {
  /** The request id that the caller got. Several records may share one: a batch of MCP messages is one request. */
  readonly id: string;
  /** Since the epoch. */
  readonly startedAt: number;
  readonly lane: Lane;
  readonly operation: string;
  readonly consumer: string;
  /** Route, virtual server or source, agent. */
  readonly route: string;
  /** What was asked for: a model, a tool, an agent. */
  readonly asked: string;
  readonly target?: string;
  readonly provider?: string;
  readonly modelServed?: string;
  /** `ok`, `failed` (the tool reports a failure of its own), or the code of the error. */
  readonly outcome: string;
  /** The HTTP status that stands for the outcome: 200, or that of the error. */
  readonly status: number;
  readonly streamed: boolean;
  readonly attempts: number;
  readonly durationMs: number;
  readonly firstByteMs?: number;
  readonly usage?: Usage;
  readonly events: readonly CallEvent[];
}

export interface CallQuery {
  /** The request id that the caller got, whole. */
  readonly id?: string;
  readonly consumer?: string;
  readonly lane?: Lane;
  readonly route?: string;
  readonly provider?: string;
  /** What was asked for. */
  readonly asked?: string;
  /** Exactly this one, or `error` for all but `ok`. */
  readonly outcome?: string;
  /** Since the epoch: from inclusive, to exclusive. */
  readonly from?: number;
  readonly to?: number;
  /** Default 50, at most 1,000. */
  readonly limit?: number;
  /** From `next` of the page before. */
  readonly cursor?: string;
}

export interface UsageQuery {
  readonly consumer?: string;
  readonly from?: number;
  readonly to?: number;
}

export interface UsageRow {
  readonly consumer: string;
  readonly lane: Lane;
  readonly model: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  /** Without the calls that have no price. */
  readonly usd: number;
}

/** Records of calls. Adding never waits and never fails: when the queue is full, the record is lost and counted. */
export interface CallLog {
  add(record: CallRecord): void;
  /** Newest first, with what is not written yet. */
  list(query: CallQuery): Promise<{ readonly items: readonly CallRecord[]; readonly next?: string }>;
  usage(query: UsageQuery): Promise<readonly UsageRow[]>;
  /** Records lost since the start. */
  readonly lost: number;
  /** Writes what is in the queue. */
  close(): Promise<void>;
}
