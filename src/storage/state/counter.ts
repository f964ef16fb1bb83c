/** What a meter has counted. */
export interface Counter {
  readonly value: number;
  /** The part of it that is not settled yet. */
  readonly reserved: number;
  /** What the reservation that is being checked wants of it: two uses of one meter add up. 0 between reservations. */
  asked: number;
}

/** A use of 0 asks whether anything is left. */
export function fits(value: number, amount: number, limit: number): boolean {
  return amount > 0 ? value + amount <= limit : value < limit;
}
