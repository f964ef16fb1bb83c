import { type Counter, fits } from './counter.ts';

/** A window is told apart in so many pieces at most. */
const BUCKETS = 60;

/** What was taken within a 59th of the window, from its first use on. Leaves whole, when its last use is as old as the window is long. */
export class Bucket {
  readonly window: SlidingWindow;
  readonly from: number;
  last: number;
  amount = 0;
  reserved = 0;
  next: Bucket | undefined;

  constructor(window: SlidingWindow, at: number) {
    this.window = window;
    this.from = at;
    this.last = at;
  }
}

/**
 * What was taken in the last `windowMs`. Never less than the truth, wherever the window begins; more than it by what left at most a 59th of the
 * window ago. Buckets begin with a use and not at fixed times, so that few uses are counted to the millisecond and cost little memory. Times are
 * milliseconds of one clock that never goes back.
 */
export class SlidingWindow implements Counter {
  readonly windowMs: number;
  value = 0;
  reserved = 0;
  asked = 0;
  /** The chain of what counts, oldest first, as of the last `moveTo`. */
  oldest: Bucket | undefined;
  #newest: Bucket | undefined;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  /** Lets go what is too old. To be called before `value` is read. */
  moveTo(at: number): void {
    let bucket = this.oldest;
    while (bucket !== undefined && bucket.last + this.windowMs <= at) {
      this.value -= bucket.amount;
      this.reserved -= bucket.reserved;
      const { next } = bucket;
      // A ticket may keep the bucket: it must not keep all that came after.
      bucket.next = undefined;
      bucket = next;
    }
    this.oldest = bucket;
    if (bucket === undefined) {
      this.#newest = undefined;
      this.value = 0;
      this.reserved = 0;
    }
  }

  /** Returns where it was counted: it is to be settled there. */
  reserve(amount: number, at: number): Bucket {
    const bucket = this.add(amount, at);
    bucket.reserved += amount;
    this.reserved += amount;
    return bucket;
  }

  /** Returns where it was counted. */
  add(amount: number, at: number): Bucket {
    let bucket = this.#newest;
    if (bucket === undefined || at - bucket.from >= this.windowMs / (BUCKETS - 1)) {
      const next = new Bucket(this, at);
      if (bucket === undefined) this.oldest = next;
      else bucket.next = next;
      this.#newest = bucket = next;
    }
    bucket.last = at;
    bucket.amount += amount;
    this.value += amount;
    return bucket;
  }

  /** Counts what was used in the place of what was reserved there. False, and nothing is changed, when the bucket has left. */
  settle(bucket: Bucket, reserved: number, used: number, at: number): boolean {
    if (bucket.last + this.windowMs <= at) return false;
    bucket.reserved -= reserved;
    this.reserved -= reserved;
    bucket.amount += used - reserved;
    this.value += used - reserved;
    return true;
  }

  /** Milliseconds until the amount fits beside what is asked; undefined when it never does. */
  fitsIn(amount: number, limit: number, at: number): number | undefined {
    let left = this.value + this.asked;
    for (let bucket = this.oldest; bucket !== undefined; bucket = bucket.next) {
      left -= bucket.amount;
      if (fits(left, amount, limit)) return bucket.last + this.windowMs - at;
    }
    return undefined;
  }
}
