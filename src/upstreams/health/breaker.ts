/** How an attempt ended for the target: `neutral` says nothing about it, such as a caller that left or a request that is wrong. */
export type Ending = 'ok' | 'failed' | 'neutral';

/** When a breaker opens, and for how long. Times are milliseconds. */
export interface BreakerSettings {
  /** Failures in a row. Default: 5. */
  readonly failures: number;
  /** The share of failures, from 0 to 1, among the results of the window. Default: 0.5. */
  readonly rate: number;
  /** Fewer results in the window say nothing about the share. Default: 20. */
  readonly minimum: number;
  /** Default: 10,000. */
  readonly window: number;
  /** How long it stays open the first time; doubles with each probe that fails, up to a minute. Default: 10,000. */
  readonly open: number;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

const DEFAULTS: BreakerSettings = { failures: 5, rate: 0.5, minimum: 20, window: 10_000, open: 10_000 };
const LONGEST_OPEN = 60_000;
/** Parts of the window: one part leaves it at a time. */
const SLOTS = 10;
/** When a probe is on its way, nobody knows how long it takes. */
const SOON = 1_000;

/** Keeps calls from a target that fails. Once open for its time it lets one call through at a time, the probe, and goes by how that ends. */
export class Breaker {
  #settings: BreakerSettings;
  #inARow = 0;
  readonly #slots = new Float64Array(SLOTS);
  readonly #results = new Uint32Array(SLOTS);
  readonly #failed = new Uint32Array(SLOTS);
  /** Milliseconds since the epoch; 0 when closed. */
  #openUntil = 0;
  #openFor = 0;
  /** Probes are numbered. */
  #probes = 0;
  /** Probes up to this one began before it last opened. */
  #past = 0;
  /** The probe on its way, 0 for none, and the time after which it is given up. */
  #probe = 0;
  #probeUntil = 0;

  constructor(settings?: Partial<BreakerSettings>) {
    this.#settings = { ...DEFAULTS, ...settings };
  }

  /** Takes other settings; what was counted stays, apart from a window of another length. */
  configure(settings?: Partial<BreakerSettings>): void {
    const next = { ...DEFAULTS, ...settings };
    if (next.window !== this.#settings.window) this.#forgetWindow();
    this.#settings = next;
  }

  state(now: number): BreakerState {
    if (this.#openUntil === 0) return 'closed';
    return now < this.#openUntil ? 'open' : 'half-open';
  }

  lets(now: number): boolean {
    return this.#openUntil === 0 || (now >= this.#openUntil && !this.#probing(now));
  }

  /** When it lets a call through, at the soonest. Milliseconds since the epoch. */
  retryAt(now: number): number {
    if (this.lets(now)) return now;
    return now < this.#openUntil ? this.#openUntil : now + SOON;
  }

  /** A call sets out. Returns the number of the probe that it is, 0 when it is none. */
  begin(now: number): number {
    if (this.#openUntil === 0 || !this.lets(now)) return 0;
    this.#probe = ++this.#probes;
    // One that never ends must not hold its place for ever; one that only takes long counts all the same.
    this.#probeUntil = now + this.#openFor;
    return this.#probe;
  }

  ended(now: number, probe: number, how: Ending): void {
    if (probe !== 0 && probe === this.#probe) this.#probe = 0;
    if (how === 'neutral') return;
    if (this.#openUntil === 0) this.#count(now, how === 'failed');
    // While it is open, only a probe of this time says anything: others set out before.
    else if (probe > this.#past) {
      if (how === 'ok') this.#close();
      else this.#open(now, Math.min(this.#openFor * 2, Math.max(LONGEST_OPEN, this.#settings.open)));
    }
  }

  #probing(now: number): boolean {
    return this.#probe !== 0 && now < this.#probeUntil;
  }

  #count(now: number, failed: boolean): void {
    const { failures, rate, minimum, window, open } = this.#settings;
    const slot = Math.floor((now * SLOTS) / window);
    const at = slot % SLOTS;
    if (this.#slots[at] !== slot) {
      this.#slots[at] = slot;
      this.#results[at] = 0;
      this.#failed[at] = 0;
    }
    this.#results[at]! += 1;
    if (!failed) {
      this.#inARow = 0;
      return;
    }
    this.#failed[at]! += 1;
    this.#inARow += 1;
    if (this.#inARow >= failures || this.#failedShare(slot, minimum) >= rate) this.#open(now, open);
  }

  /** 0 while there are too few results. */
  #failedShare(slot: number, minimum: number): number {
    let results = 0;
    let failed = 0;
    for (let at = 0; at < SLOTS; at++) {
      if (this.#slots[at]! <= slot - SLOTS) continue;
      results += this.#results[at]!;
      failed += this.#failed[at]!;
    }
    return results < minimum ? 0 : failed / results;
  }

  #open(now: number, forMs: number): void {
    this.#openFor = forMs;
    this.#openUntil = now + forMs;
    this.#past = this.#probes;
  }

  #close(): void {
    this.#openUntil = 0;
    this.#probe = 0;
    this.#inARow = 0;
    this.#forgetWindow();
  }

  #forgetWindow(): void {
    this.#slots.fill(0);
    this.#results.fill(0);
    this.#failed.fill(0);
  }
}
