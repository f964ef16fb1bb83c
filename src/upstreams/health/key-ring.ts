import type { ErrorCode } from '../../core/errors.ts';

export interface RingKey {
  /** What people may see of it; never the key. */
  readonly label: string;
  /** Default: 1. With 0 it is never picked. */
  readonly weight?: number;
}

/** One key in `GET /admin/v1/status`. */
export interface KeyStatus {
  readonly label: string;
  readonly state: 'ok' | 'resting';
  /** Milliseconds since the epoch. */
  readonly until?: number;
}

const REFUSED_REST = 30_000;
const LONGEST_REFUSED_REST = 600_000;
const LIMITED_REST = 5_000;
const LONGEST_LIMITED_REST = 60_000;
/** How often a refused key is tried when there is no other. */
const LAST_RESORT = 1_000;
/** What adding up fractions may be off by. */
const ALIKE = 1e-9;

interface Held {
  readonly label: string;
  readonly weight: number;
  /** Picks that it is owed: smooth weighted round robin. */
  owed: number;
  /** Rests until then, because the vendor limits it, or because it refused the key: milliseconds since the epoch. */
  limitedUntil: number;
  refusedUntil: number;
  /** How long it rested after the last refusal; 0 when none came since the last success. */
  refusedFor: number;
}

/**
 * The keys of one account or several at one vendor, taken in turn by weight; one that the vendor refuses or limits rests. When all are
 * refused, one is still tried once a second: a vendor may refuse a key for what stood in one request.
 */
export class KeyRing {
  readonly #keys: readonly Held[];
  #lastResortAt = 0;

  constructor(keys: readonly RingKey[]) {
    this.#keys = keys.map(({ label, weight = 1 }) => ({
      label,
      weight,
      owed: 0,
      limitedUntil: 0,
      refusedUntil: 0,
      refusedFor: 0,
    }));
  }

  get size(): number {
    return this.#keys.length;
  }

  /** The index of the key to use, none of those in `exclude`; undefined when all rest. */
  pick(now: number, exclude?: ReadonlySet<number>): number | undefined {
    const keys = this.#keys;
    let total = 0;
    for (let index = 0; index < keys.length; index++) if (isFree(keys[index]!, index, now, exclude)) total += keys[index]!.weight;
    if (total === 0) return this.#lastResort(now, exclude);
    let best = -1;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      if (!isFree(key, index, now, exclude)) continue;
      key.owed += key.weight / total;
      if (best === -1 || key.owed > keys[best]!.owed + ALIKE) best = index;
    }
    keys[best]!.owed -= 1;
    return best;
  }

  /** The vendor refused the key, or limits it. Other codes say nothing about a key and do nothing. */
  failed(index: number, now: number, code: ErrorCode, retryAfterMs: number = LIMITED_REST): void {
    const key = this.#keys[index]!;
    if (code === 'upstream_limited') {
      key.limitedUntil = Math.max(key.limitedUntil, now + Math.min(retryAfterMs, LONGEST_LIMITED_REST));
    } else if (code === 'upstream_unauthorized' || code === 'upstream_no_credit') {
      this.#lastResortAt = now;
      // Calls that set out together and are refused together are one refusal.
      if (now < key.refusedUntil) return;
      key.refusedFor = key.refusedFor === 0 ? REFUSED_REST : Math.min(key.refusedFor * 2, LONGEST_REFUSED_REST);
      key.refusedUntil = now + key.refusedFor;
    }
  }

  /** The vendor took the key: refusals are forgotten. A limit that it named stays. */
  ok(index: number): void {
    const key = this.#keys[index]!;
    key.refusedFor = 0;
    key.refusedUntil = 0;
  }

  /** When a key may be had, at the soonest. Milliseconds since the epoch. */
  retryAt(now: number): number {
    let soonest = Infinity;
    // A key that is only limited is waited for: another try with a refused one would tell callers of the wrong trouble.
    const hasResort = !this.limited(now);
    for (const key of this.#keys) {
      if (key.weight <= 0) continue;
      soonest = Math.min(soonest, restsUntil(key));
      if (hasResort) soonest = Math.min(soonest, Math.max(key.limitedUntil, this.#lastResortAt + LAST_RESORT));
    }
    return Math.max(now, soonest);
  }

  /** A key that the vendor takes rests because of a limit: there is something to wait for. */
  limited(now: number): boolean {
    return this.#keys.some(({ weight, limitedUntil, refusedUntil }) => weight > 0 && now < limitedUntil && now >= refusedUntil);
  }

  status(now: number): readonly KeyStatus[] {
    return this.#keys.map((key) => {
      const until = restsUntil(key);
      return now < until ? { label: key.label, state: 'resting', until } : { label: key.label, state: 'ok' };
    });
  }

  /** The refused key whose rest ends first, for the first attempt of one call a second. */
  #lastResort(now: number, exclude: ReadonlySet<number> | undefined): number | undefined {
    if (now < this.#lastResortAt + LAST_RESORT || (exclude?.size ?? 0) > 0 || this.limited(now)) return undefined;
    let best: number | undefined;
    for (const [index, key] of this.#keys.entries()) {
      if (key.weight <= 0 || now < key.limitedUntil) continue;
      if (best === undefined || key.refusedUntil < this.#keys[best]!.refusedUntil) best = index;
    }
    if (best !== undefined) this.#lastResortAt = now;
    return best;
  }
}

function isFree(key: Held, index: number, now: number, exclude: ReadonlySet<number> | undefined): boolean {
  return key.weight > 0 && now >= restsUntil(key) && exclude?.has(index) !== true;
}

function restsUntil(key: Held): number {
  return Math.max(key.limitedUntil, key.refusedUntil);
}
