import type { Awaitable } from './extension.ts';

/**
 * How much there may be of something. Meters with the same key, kind and window stand for the same counter, on every node that shares the state,
 * whatever limit they give it. A Meter object that is kept and used again is cheaper than a new one.
 * - `sliding`: what was taken in the last `windowMs`, in every window of that length, wherever it begins.
 * - `period`: what was taken between two moments; what of it was settled outlives a restart.
 * - `held`: what is taken and not yet given back, such as open streams.
 */
export type Meter = { readonly key: string; readonly limit: number } & (
  | { readonly kind: 'sliding'; readonly windowMs: number }
  /** Milliseconds since the epoch. The key names the period. */
  | { readonly kind: 'period'; readonly until: number }
  | { readonly kind: 'held' }
);

/** A whole number, or one in which sums stay exact, is for the caller to choose: dollars are counted in billionths. */
export interface Use {
  readonly meter: Meter;
  readonly amount: number;
}

/** What was reserved, to be settled once. Opaque; good on the node that took it. */
export interface Ticket {
  readonly uses: readonly Use[];
}

export type Taken = { readonly ticket: Ticket } | { readonly refused: NotTaken };

/** Nothing was taken. */
export interface NotTaken {
  /** The use that did not fit. */
  readonly index: number;
  /** What its meter stood at. */
  readonly value: number;
  /** The part of `value` that is not settled yet. */
  readonly reserved: number;
  /** When it fits, if nothing else is taken; absent where no time makes room. */
  readonly retryAfterMs?: number;
}

/**
 * What nodes share: counters, cached answers, and news. Every method is one atomic step. In memory they answer at once; over the network they
 * answer later, and what cannot be reached falls back by a rule that the driver states. Never throws for a state that is out of reach.
 */
export interface State {
  /**
   * Reserves from all meters or from none; uses of one meter add up. A use of 0 asks whether anything is left. The uses belong to the ticket
   * afterwards: they must not change.
   * @throws RangeError for an amount that is negative, infinite or no number.
   */
  take(uses: readonly Use[]): Awaitable<Taken>;
  /**
   * What was really used, in the order of the uses of the ticket; `held` ones are given back whatever stands there. Where there is no amount, or
   * one that could not be taken, what was reserved stands. The second time does nothing. More than was reserved is counted even where it passes
   * the limit: in a sliding window at the time of the reservation, or now when that has left the window or was 0.
   */
  settle(ticket: Ticket, amounts: readonly number[]): void;
  /** What meters stand at, reservations included. */
  read(meters: readonly Meter[]): Awaitable<readonly number[]>;

  get(key: string): Awaitable<string | undefined>;
  /** Kept for `ttlMs` at most: what is asked for least goes first when room is short. */
  set(key: string, value: string, ttlMs: number): void;
  delete(key: string): void;

  /** Tells all other nodes. Nothing is kept for those that are not there. */
  publish(topic: string, message: string): void;
  /** Hears what other nodes tell; returns the way to stop. */
  subscribe(topic: string, listener: (message: string) => void): () => void;

  /** Keeps what must outlive a restart. */
  close(): Promise<void>;
}
