import type { KeyValueStore } from '../../core/contracts/extension.ts';
import type { Logger } from '../../core/logger.ts';
import type { Counter } from './counter.ts';
import { RecentMap } from './recent-map.ts';

const WRITE_MS = 1000;
/** What is idle for so long is read from the store again. */
const IDLE_MS = 10 * 60_000;
/** What the store keeps longer than the period. */
const GRACE_MS = 60_000;

export interface PeriodCountersOptions {
  readonly store: KeyValueStore;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Counters that may be asked for between two turns. */
  readonly max: number;
}

export class PeriodCounter implements Counter {
  readonly key: string;
  readonly until: number;
  value = 0;
  reserved = 0;
  asked = 0;
  /** The store was asked, with or without an answer: `value` may be given. */
  ready = false;
  /** What the store holds is in `value`: it may be written. */
  known = false;
  reading: Promise<void> | undefined;

  constructor(key: string, until: number) {
    this.key = key;
    this.until = until;
  }
}

/**
 * Counters that outlive a restart. A counter is read at its first touch and written at most once a second, one after the other: a process that
 * is killed loses about a second of counting, and more where a thousand counters change every second. What is only reserved is not written: an
 * estimate must not use up a month because of a crash. While the store cannot be read, a counter begins at 0; what the store held is added when it can be read again.
 */
export class PeriodCounters {
  readonly #options: PeriodCountersOptions;
  readonly #counters: RecentMap<PeriodCounter>;
  /** What the store does not hold yet. */
  readonly #unwritten = new Map<string, PeriodCounter>();
  /** What no store will hold before it is settled. */
  readonly #reserved = new Map<string, PeriodCounter>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #failing = false;
  #closed = false;

  constructor(options: PeriodCountersOptions) {
    this.#options = options;
    // All that is forgotten early is read again.
    this.#counters = new RecentMap(options.max, () => {});
  }

  /** To be loaded before its value is read, unless it is ready. */
  find(key: string, until: number, at: number): PeriodCounter {
    let counter = this.#counters.get(key, at);
    if (counter === undefined) {
      counter = this.#unwritten.get(key) ?? this.#reserved.get(key) ?? new PeriodCounter(key, until);
      this.#counters.set(key, counter, at);
    }
    return counter;
  }

  /** Never rejects: a counter that cannot be read counts from 0. */
  load(counter: PeriodCounter): Promise<void> {
    return (counter.reading ??= this.#read(counter));
  }

  /** To be settled. */
  reserve(counter: PeriodCounter, amount: number): PeriodCounter {
    counter.value += amount;
    counter.reserved += amount;
    this.#reserved.set(counter.key, counter);
    return counter;
  }

  /** Counts what was used in the place of what was reserved. */
  settle(counter: PeriodCounter, reserved: number, used: number): void {
    counter.value -= reserved;
    counter.reserved -= reserved;
    if (counter.reserved === 0) this.#reserved.delete(counter.key);
    if (used > 0) this.add(counter, used);
  }

  add(counter: PeriodCounter, amount: number): void {
    counter.value += amount;
    this.#unwritten.set(counter.key, counter);
    if (this.#timer === undefined && this.#writing === undefined) this.#schedule();
  }

  /** Forgets what is idle, written and settled. */
  sweep(at: number): void {
    this.#counters.turnAfter(IDLE_MS, at);
  }

  get size(): number {
    return this.#counters.size;
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
  }

  async #read(counter: PeriodCounter): Promise<void> {
    try {
      const stored = await this.#options.store.get(counter.key);
      if (typeof stored === 'number') counter.value += stored;
      counter.known = true;
      this.#worked();
    } catch (error) {
      this.#failed(error);
    }
    counter.ready = true;
    counter.reading = undefined;
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#unwritten.size > 0) this.#schedule();
      });
    }, WRITE_MS).unref();
  }

  /** Ends at the first that fails: the rest waits for the next time. */
  async #write(): Promise<void> {
    for (const counter of this.#unwritten.values().toArray()) {
      const { key, until } = counter;
      const leftMs = until - this.#options.now();
      if (leftMs <= 0) {
        this.#unwritten.delete(key);
        continue;
      }
      if (!counter.known) await this.load(counter);
      if (!counter.known) return;
      const written = counter.value - counter.reserved;
      try {
        await this.#options.store.set(key, written, { ttlMs: leftMs + GRACE_MS });
      } catch (error) {
        return this.#failed(error);
      }
      this.#worked();
      if (counter.value - counter.reserved === written) this.#unwritten.delete(key);
    }
  }

  /** Says no key: it may hold what callers sent. */
  #failed(error: unknown): void {
    const { message, code } = error as Error & { code?: string };
    if (!this.#failing) this.#options.log.error({ code, detail: message }, 'the store cannot be reached: budgets count in memory for now');
    this.#failing = true;
  }

  #worked(): void {
    if (this.#failing) this.#options.log.info({}, 'budgets are kept in the store again');
    this.#failing = false;
  }
}
