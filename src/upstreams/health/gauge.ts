import type { TargetFigures } from '../../core/contracts/balancer.ts';
import { Breaker, type BreakerSettings, type BreakerState, type Ending } from './breaker.ts';

export interface GaugeSettings {
  readonly breaker?: Partial<BreakerSettings>;
  /** Active checks that fail in a row until the target is unhealthy. Default: 3. */
  readonly unhealthyAfter?: number;
  /** Good ones in a row until it is healthy again. Default: 1. */
  readonly healthyAfter?: number;
}

/** One target in `GET /admin/v1/status`. Times are milliseconds, `errorRate` is from 0 to 1. */
export interface GaugeStatus {
  readonly health: 'healthy' | 'unhealthy' | 'resting' | 'open' | 'probing';
  readonly breaker: BreakerState;
  readonly inFlight: number;
  readonly latencyMs?: number;
  readonly firstChunkMs?: number;
  readonly errorRate: number;
  readonly samples: number;
  /** Since the epoch; only when it may not be tried now. */
  readonly retryAt?: number;
}

const USUAL_REST = 5_000;
const LONGEST_REST = 60_000;
/** An unhealthy target waits for a check, of which nobody knows here when it comes. */
const CHECKED_SOON = 5_000;

/** What is seen of one target, by all routes and generations that use it: always what is known now. Moments are milliseconds since the epoch. */
export class Gauge implements TargetFigures {
  readonly #breaker: Breaker;
  readonly #latency = new MovingAverage();
  readonly #firstChunk = new MovingAverage();
  readonly #failures = new MovingAverage();
  #inFlight = 0;
  #restUntil = 0;
  #unhealthyAfter = 3;
  #healthyAfter = 1;
  #unhealthy = false;
  /** Checks in a row that speak against `#unhealthy`. */
  #against = 0;

  constructor(settings: GaugeSettings = {}) {
    this.#breaker = new Breaker();
    this.configure(settings);
  }

  /** Takes other settings; what was seen stays. */
  configure({ breaker, unhealthyAfter = 3, healthyAfter = 1 }: GaugeSettings): void {
    this.#breaker.configure(breaker);
    this.#unhealthyAfter = unhealthyAfter;
    this.#healthyAfter = healthyAfter;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get samples(): number {
    return this.#failures.count;
  }

  get latencyMs(): number | undefined {
    return this.#latency.value;
  }

  get firstChunkMs(): number | undefined {
    return this.#firstChunk.value;
  }

  get failureRate(): number {
    return this.#failures.value ?? 0;
  }

  /** An attempt sets out. It must be ended, once, whatever becomes of it. When it is the probe of a half-open breaker, it takes that place. */
  begin(now: number): GaugeRun {
    this.#inFlight += 1;
    return new GaugeRun(this, now, this.#breaker.begin(now));
  }

  /** The target asked for rest: `ms` as it said, 5 s when it did not, a minute at most. Never makes a rest shorter. */
  rest(now: number, ms: number = USUAL_REST): void {
    this.#restUntil = Math.max(this.#restUntil, now + Math.min(ms, LONGEST_REST));
  }

  /** It may be tried now. While its breaker is half-open: nobody else does so yet. */
  available(now: number): boolean {
    return !this.#unhealthy && now >= this.#restUntil && this.#breaker.lets(now);
  }

  /** When it may be tried, at the soonest; a guess where that hangs on the end of a probe or on a check. */
  retryAt(now: number): number {
    return Math.max(this.#restUntil, this.#breaker.retryAt(now), this.#unhealthy ? now + CHECKED_SOON : now);
  }

  /** What an active check says. */
  checked(ok: boolean): void {
    if (ok !== this.#unhealthy) {
      this.#against = 0;
      return;
    }
    this.#against += 1;
    if (this.#against < (ok ? this.#healthyAfter : this.#unhealthyAfter)) return;
    this.#unhealthy = !ok;
    this.#against = 0;
  }

  status(now: number): GaugeStatus {
    const { latencyMs, firstChunkMs } = this;
    return {
      health: this.#health(now),
      breaker: this.#breaker.state(now),
      inFlight: this.#inFlight,
      ...(latencyMs === undefined ? {} : { latencyMs: Math.round(latencyMs) }),
      ...(firstChunkMs === undefined ? {} : { firstChunkMs: Math.round(firstChunkMs) }),
      errorRate: Math.round(this.failureRate * 1_000) / 1_000,
      samples: this.samples,
      ...(this.available(now) ? {} : { retryAt: this.retryAt(now) }),
    };
  }

  /** For GaugeRun only. */
  sawFirstChunk(afterMs: number): void {
    this.#firstChunk.add(afterMs);
  }

  /** For GaugeRun only. */
  sawEnd(now: number, began: number, probe: number, how: Ending): void {
    this.#inFlight -= 1;
    this.#breaker.ended(now, probe, how);
    if (how === 'neutral') return;
    this.#failures.add(how === 'failed' ? 1 : 0);
    if (how === 'ok') this.#latency.add(now - began);
  }

  #health(now: number): GaugeStatus['health'] {
    if (this.#unhealthy) return 'unhealthy';
    const breaker = this.#breaker.state(now);
    if (breaker === 'open') return 'open';
    if (now < this.#restUntil) return 'resting';
    return breaker === 'half-open' ? 'probing' : 'healthy';
  }
}

/** One attempt at a target, from `Gauge.begin`. */
export class GaugeRun {
  readonly #gauge: Gauge;
  readonly #began: number;
  readonly #probe: number;
  #sawChunk = false;
  #ended = false;

  constructor(gauge: Gauge, began: number, probe: number) {
    this.#gauge = gauge;
    this.#began = began;
    this.#probe = probe;
  }

  /** The first chunk of a stream came. What comes after the first time, or after the end, is nothing. */
  firstChunk(now: number): void {
    if (this.#sawChunk || this.#ended) return;
    this.#sawChunk = true;
    this.#gauge.sawFirstChunk(now - this.#began);
  }

  /** A timeout is a failure. The second time does nothing. */
  ended(now: number, how: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#gauge.sawEnd(now, this.#began, this.#probe, how);
  }
}

/** Of the first ten the mean; from then on a new value weighs a tenth. */
class MovingAverage {
  value: number | undefined;
  count = 0;

  add(value: number): void {
    this.count += 1;
    this.value = this.value === undefined ? value : this.value + (value - this.value) / Math.min(this.count, 10);
  }
}
