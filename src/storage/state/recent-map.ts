/**
 * A map that forgets what nobody asks for, without a timer or a list of its own: an entry that was not asked for between two turns is gone. A
 * turn costs nothing however much is forgotten. Holds at most twice `max` entries: when too many are asked for between two turns, it turns early.
 */
export class RecentMap<Value> {
  readonly #max: number;
  readonly #onFull: () => void;
  #recent = new Map<string, Value>();
  #before = new Map<string, Value>();
  #turnedAt = Number.NEGATIVE_INFINITY;

  /** `onFull` hears when entries are forgotten before their time. */
  constructor(max: number, onFull: () => void) {
    this.#max = max;
    this.#onFull = onFull;
  }

  /** Keeps what it finds until after the next turn. `at` is milliseconds of a clock that does not go back, here and below. */
  get(key: string, at: number): Value | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const before = this.#before.get(key);
    if (before !== undefined) this.set(key, before, at);
    return before;
  }

  /** Finds without keeping. */
  peek(key: string): Value | undefined {
    return this.#recent.get(key) ?? this.#before.get(key);
  }

  set(key: string, value: Value, at: number): void {
    if (this.#recent.size >= this.#max) {
      if (this.#before.size > 0) this.#onFull();
      this.#turn(at);
    }
    this.#recent.set(key, value);
  }

  /** Turns when the last turn was `everyMs` ago or more. */
  turnAfter(everyMs: number, at: number): void {
    if (at - this.#turnedAt >= everyMs) this.#turn(at);
  }

  /** Entries, counting twice those that were asked for in both turns. */
  get size(): number {
    return this.#recent.size + this.#before.size;
  }

  #turn(at: number): void {
    this.#before = this.#recent;
    this.#recent = new Map();
    this.#turnedAt = at;
  }
}
