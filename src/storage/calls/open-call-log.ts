import type { CallLog, CallQuery, CallRecord, UsageQuery, UsageRow } from '../../core/contracts/call-log.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { toRow } from './call-row.ts';
import type { Position } from './calls-database.ts';
import { CallsThread } from './calls-thread.ts';

export interface CallLogOptions {
  /** The database file, or `:memory:`. Made when it is not there. */
  readonly path: string;
  readonly log: Logger;
  /** Records that may wait to be written; what comes on top is lost and counted. Default 20,000. */
  readonly maxQueue?: number;
  /** Default 100. */
  readonly flushMs?: number;
  /** Default 30. */
  readonly keepDays?: number;
  /** Default 1,000,000. */
  readonly keepRows?: number;
}

const DAY_MS = 24 * 60 * 60_000;
/** More in one message would stop the main thread for more than a few milliseconds. */
const BATCH = 2000;
const RETRY_MS = 1000;
const WARN_MS = 60_000;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1000;

/** Records of calls in a SQLite file, written by a thread of its own. Nothing is opened before the first record or question. */
export function openCallLog(options: CallLogOptions): CallLog {
  return new QueuedCallLog(options);
}

class QueuedCallLog implements CallLog {
  readonly #options: Required<CallLogOptions>;
  #queue: CallRecord[] = [];
  /** Records that the thread has, not yet written. */
  #sent = 0;
  #thread: CallsThread | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lost = 0;
  /** Lost since the last warning. */
  #unsaid = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #failing = false;
  #closed = false;

  constructor(options: CallLogOptions) {
    this.#options = { maxQueue: 20_000, flushMs: 100, keepDays: 30, keepRows: 1_000_000, ...options };
  }

  get lost(): number {
    return this.#lost;
  }

  add(record: CallRecord): void {
    if (this.#closed || this.#queue.length + this.#sent >= this.#options.maxQueue) return this.#lose(1);
    this.#queue.push(record);
    if (this.#timer === undefined) this.#schedule();
  }

  async list({ limit = DEFAULT_LIMIT, cursor, ...query }: CallQuery): Promise<{ items: readonly CallRecord[]; next?: string }> {
    const after = cursor === undefined ? undefined : readCursor(cursor);
    const page = { ...query, limit: Math.min(Math.max(1, limit), MAX_LIMIT), ...(after === undefined ? {} : { after }) };
    const { items, next } = await this.#ask((thread) => thread.ask('list', page));
    return { items, ...(next === undefined ? {} : { next: writeCursor(next) }) };
  }

  usage(query: UsageQuery): Promise<readonly UsageRow[]> {
    return this.#ask((thread) => thread.ask('usage', query));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    const written = this.#flush(true);
    const thread = this.#thread;
    if (thread !== undefined && !thread.ended) await thread.ask('close', undefined).catch(() => {});
    await written;
    if (this.#queue.length > 0) this.#lose(this.#queue.splice(0).length);
    if (this.#unsaid > 0) this.#warn();
  }

  /** The thread answers in order, so that an answer has seen all that was sent before. */
  async #ask<T>(question: (thread: CallsThread) => Promise<T>): Promise<T> {
    if (this.#closed) throw new GatewayError('unavailable', 'The records of calls are closed.');
    void this.#flush(true);
    try {
      return await question(this.#open());
    } catch (error) {
      const { message, code = '' } = error as Error & { code?: string };
      throw new GatewayError('unavailable', 'The records of calls cannot be read now. Look at the disk of the data folder.', {
        detail: `${code} ${message}`.trim(),
      });
    }
  }

  #schedule(wait = this.#failing ? RETRY_MS : this.#options.flushMs): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // A thread that is behind gets no more to keep: what waits here is counted.
      if (this.#sent === 0) void this.#flush(false);
    }, wait).unref();
  }

  /** Sends a batch of what waits, or all of it. Resolves when it is written or has failed. */
  async #flush(all: boolean): Promise<void> {
    const taken = this.#queue.splice(0, all ? this.#queue.length : BATCH);
    const writing: Promise<void>[] = [];
    for (let at = 0; at < taken.length; at += BATCH) writing.push(this.#write(taken.slice(at, at + BATCH), all));
    await Promise.all(writing);
  }

  async #write(batch: readonly CallRecord[], holds: boolean): Promise<void> {
    this.#sent += batch.length;
    try {
      const refused = await this.#open().ask('write', batch.map(toRow), { holds });
      if (refused > 0) this.#lose(refused);
      if (this.#failing) this.#options.log.info({}, 'records of calls are written again');
      this.#failing = false;
    } catch (error) {
      const { message, code } = error as Error & { code?: string };
      if (!this.#failing) this.#options.log.error({ code, detail: message }, 'records of calls cannot be written; they are kept for now');
      this.#failing = true;
      // The list is in the order of the calls' times, so the order of writing is free.
      this.#queue = [...batch, ...this.#queue];
    }
    this.#sent -= batch.length;
    if (this.#queue.length === 0 || this.#timer !== undefined || this.#closed) return;
    if (!this.#failing && this.#queue.length >= BATCH) this.#schedule(0);
    else this.#schedule();
  }

  #open(): CallsThread {
    if (this.#thread === undefined || this.#thread.ended) {
      const { path, keepDays, keepRows } = this.#options;
      this.#thread = new CallsThread({ path, keepMs: keepDays * DAY_MS, keepRows });
    }
    return this.#thread;
  }

  #lose(count: number): void {
    this.#lost += count;
    this.#unsaid += count;
    if (Date.now() - this.#warnedAt >= WARN_MS) this.#warn();
  }

  #warn(): void {
    this.#options.log.warn(
      { lost: this.#unsaid, lostSinceStart: this.#lost },
      'records of calls are lost: they could not be written in time',
    );
    this.#unsaid = 0;
    this.#warnedAt = Date.now();
  }
}

function writeCursor(position: Position): string {
  return Buffer.from(position.join('.')).toString('base64url');
}

function readCursor(cursor: string): Position {
  const [, startedAt, seq] = /^(\d{1,15})\.(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (startedAt === undefined || seq === undefined) throw new GatewayError('bad_request', 'This is no cursor of a list of calls.');
  return [Number(startedAt), Number(seq)];
}
