import type { Awaitable, KeyValueStore } from '../../core/contracts/extension.ts';
import type { Meter, State, Taken, Ticket, Use } from '../../core/contracts/state.ts';
import type { Logger } from '../../core/logger.ts';
import { type Counter, fits } from './counter.ts';
import { ExpiringCache } from './expiring-cache.ts';
import { PeriodCounter, PeriodCounters } from './period-counters.ts';
import { RecentMap } from './recent-map.ts';
import { type Bucket, SlidingWindow } from './sliding-window.ts';

export interface MemoryStateOptions {
  /** Holds the counters of periods, and nothing else. */
  readonly store: KeyValueStore;
  readonly log: Logger;
  /** Milliseconds since the epoch; default Date.now. */
  readonly now?: () => number;
  /** Room for cache entries in bytes; default 64 MiB. */
  readonly cacheBytes?: number;
  /** Keys of one window length that may be busy at once before those asked for least are forgotten: at most this many, or twice. Default 100,000. */
  readonly maxKeys?: number;
}

const CACHE_BYTES = 64 * 1024 * 1024;
const MAX_KEYS = 100_000;
const SWEEP_MS = 1000;

class HeldCounter implements Counter {
  value = 0;
  asked = 0;

  get reserved(): number {
    return this.value;
  }
}

type Place = Bucket | PeriodCounter | undefined;

class MemoryTicket implements Ticket {
  readonly uses: readonly Use[];
  /** Where uses were counted; undefined for what is held, and where nothing was. */
  readonly places: readonly Place[];
  settled = false;

  constructor(uses: readonly Use[], places: readonly Place[]) {
    this.uses = uses;
    this.places = places;
  }
}

/**
 * The state of one node, in its memory; counters of periods are kept in a store as well. It answers at once, but for the first touch of a period,
 * which is read from the store.
 */
export class MemoryState implements State {
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #maxKeys: number;
  /** By length. */
  readonly #windows = new Map<number, RecentMap<SlidingWindow>>();
  readonly #periods: PeriodCounters;
  readonly #held = new Map<string, HeldCounter>();
  readonly #cache: ExpiringCache;
  /** The counters of the reservation that is being made; here, so that none allocates it. */
  readonly #found: Counter[] = [];
  #lastNow = Number.NEGATIVE_INFINITY;
  #skew = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor({ store, log, now = Date.now, cacheBytes = CACHE_BYTES, maxKeys = MAX_KEYS }: MemoryStateOptions) {
    this.#now = now;
    this.#log = log;
    this.#maxKeys = maxKeys;
    this.#periods = new PeriodCounters({ store, log, now, max: maxKeys });
    this.#cache = new ExpiringCache(cacheBytes);
  }

  take(uses: readonly Use[]): Awaitable<Taken> {
    const at = this.#time();
    let loading: Promise<void>[] | undefined;
    for (let index = 0; index < uses.length; index++) {
      const { meter, amount } = uses[index]!;
      if (!isAmount(amount)) throw new RangeError(`An amount of ${amount} cannot be taken.`);
      const counter = this.#counter(meter, at);
      this.#found[index] = counter;
      if (counter instanceof PeriodCounter && !counter.ready) (loading ??= []).push(this.#periods.load(counter));
    }
    return loading === undefined ? this.#takeFound(uses, at) : Promise.all(loading).then(() => this.take(uses));
  }

  settle(ticket: Ticket, amounts: readonly number[]): void {
    if (!(ticket instanceof MemoryTicket) || ticket.settled) return;
    ticket.settled = true;
    const at = this.#time();
    for (let index = 0; index < ticket.uses.length; index++) {
      const { meter, amount } = ticket.uses[index]!;
      if (meter.kind === 'held') {
        const counter = this.#held.get(meter.key);
        if (counter !== undefined) counter.value -= amount;
        continue;
      }
      const told = amounts[index];
      const used = isAmount(told) ? told : amount;
      const place = ticket.places[index];
      if (place instanceof PeriodCounter) this.#periods.settle(place, amount, used);
      // What is given back where it counts no more needs nothing to be done.
      else if (place?.window.settle(place, amount, used, at) !== true && used > amount)
        this.#add(this.#counter(meter, at), used - amount, at);
    }
  }

  read(meters: readonly Meter[]): Awaitable<readonly number[]> {
    const at = this.#time();
    const loading: Promise<void>[] = [];
    const values = meters.map((meter) => {
      if (meter.kind === 'held') return this.#held.get(meter.key)?.value ?? 0;
      if (meter.kind === 'sliding') {
        const window = this.#windows.get(meter.windowMs)?.peek(meter.key);
        window?.moveTo(at);
        return window?.value ?? 0;
      }
      const counter = this.#periods.find(meter.key, meter.until, at);
      if (!counter.ready) loading.push(this.#periods.load(counter));
      return counter.value;
    });
    return loading.length === 0 ? values : Promise.all(loading).then(() => this.read(meters));
  }

  get(key: string): string | undefined {
    return this.#cache.get(key, this.#time());
  }

  set(key: string, value: string, ttlMs: number): void {
    this.#cache.set(key, value, ttlMs, this.#time());
  }

  delete(key: string): void {
    this.#cache.delete(key);
  }

  /** There is no other node. */
  publish(): void {}

  subscribe(): () => void {
    return () => {};
  }

  close(): Promise<void> {
    return this.#periods.close();
  }

  /** Counters in memory, for those who watch; those of idle windows and periods may count twice. */
  get counters(): number {
    let count = this.#held.size + this.#periods.size;
    for (const windows of this.#windows.values()) count += windows.size;
    return count;
  }

  #takeFound(uses: readonly Use[], at: number): Taken {
    for (let index = 0; index < uses.length; index++) {
      const { meter, amount } = uses[index]!;
      const counter = this.#found[index]!;
      if (!fits(counter.value + counter.asked, amount, meter.limit)) return this.#refuse(uses, index, at);
      counter.asked += amount;
    }
    const places: Place[] = [];
    for (let index = 0; index < uses.length; index++) {
      const { amount } = uses[index]!;
      const counter = this.#found[index]!;
      counter.asked = 0;
      places.push(amount > 0 ? this.#reserve(counter, amount, at) : undefined);
    }
    return { ticket: new MemoryTicket(uses, places) };
  }

  #refuse(uses: readonly Use[], index: number, at: number): Taken {
    const { meter, amount } = uses[index]!;
    const counter = this.#found[index]!;
    let retryAfterMs: number | undefined;
    if (counter instanceof SlidingWindow) retryAfterMs = counter.fitsIn(amount, meter.limit, at);
    else if (meter.kind === 'period' && fits(counter.asked, amount, meter.limit)) retryAfterMs = Math.max(0, meter.until - this.#now());
    for (let other = 0; other < index; other++) this.#found[other]!.asked = 0;
    const { value, reserved } = counter;
    return { refused: retryAfterMs === undefined ? { index, value, reserved } : { index, value, reserved, retryAfterMs } };
  }

  #reserve(counter: Counter, amount: number, at: number): Place {
    if (counter instanceof SlidingWindow) return counter.reserve(amount, at);
    if (counter instanceof PeriodCounter) return this.#periods.reserve(counter, amount);
    (counter as HeldCounter).value += amount;
    return undefined;
  }

  #add(counter: Counter, amount: number, at: number): void {
    if (counter instanceof SlidingWindow) counter.add(amount, at);
    else this.#periods.add(counter as PeriodCounter, amount);
  }

  /** Made when it is not there. Those of windows are up to date. */
  #counter(meter: Meter, at: number): Counter {
    if (meter.kind === 'sliding') return this.#window(meter.key, meter.windowMs, at);
    if (meter.kind === 'period') return this.#periods.find(meter.key, meter.until, at);
    let counter = this.#held.get(meter.key);
    if (counter === undefined) this.#held.set(meter.key, (counter = new HeldCounter()));
    return counter;
  }

  #window(key: string, windowMs: number, at: number): SlidingWindow {
    let windows = this.#windows.get(windowMs);
    if (windows === undefined) this.#windows.set(windowMs, (windows = this.#windowsOf(windowMs)));
    let window = windows.get(key, at);
    if (window === undefined) windows.set(key, (window = new SlidingWindow(windowMs)), at);
    else window.moveTo(at);
    return window;
  }

  #windowsOf(windowMs: number): RecentMap<SlidingWindow> {
    const onFull = (): void =>
      this.#log.warn(
        { windowMs, keys: this.#maxKeys },
        'a limit has more keys in one window than memory holds: those asked for least begin anew',
      );
    return new RecentMap(this.#maxKeys, onFull);
  }

  /** Milliseconds that never go back: a clock that is put back must not keep windows full. */
  #time(): number {
    const now = this.#now();
    if (now < this.#lastNow) this.#skew += this.#lastNow - now;
    this.#lastNow = now;
    const at = now + this.#skew;
    if (at - this.#sweptAt >= SWEEP_MS) this.#sweep(at);
    return at;
  }

  #sweep(at: number): void {
    this.#sweptAt = at;
    // What was not asked for in a whole window has nothing in it.
    for (const [windowMs, windows] of this.#windows) windows.turnAfter(windowMs, at);
    this.#periods.sweep(at);
    for (const [key, { value }] of this.#held) if (value === 0) this.#held.delete(key);
  }
}

function isAmount(amount: number | undefined): amount is number {
  return amount !== undefined && amount >= 0 && amount < Infinity;
}
