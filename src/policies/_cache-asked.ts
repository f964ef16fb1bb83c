import type { Wording } from './_cache-wording.ts';

/** A question whose answer is kept. */
export interface Asked {
  /** Of the answer. */
  readonly key: string;
  readonly wording: Wording;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Absent while nothing has embedded it. */
  embedded?: { readonly model: string; readonly vector: Float32Array };
}

/** Over all groups; about 5 KB each. */
const MOST = 10_000;

/** Questions that were answered, in groups of those that differ in nothing else. Bounded: what was not asked for longest goes first. */
export class AskedBefore {
  /** In both, latest last. By the key of the answer. */
  readonly #groups = new Map<string, Map<string, Asked>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Those of a group that are still kept, latest first. */
  of(group: string, now: number): Asked[] {
    const inside = this.#groups.get(group);
    if (inside === undefined) return [];
    this.#groups.delete(group);
    this.#groups.set(group, inside);
    for (const { key, until } of inside.values()) if (until <= now) this.drop(group, key);
    return [...inside.values()].toReversed();
  }

  /** In place of those that say the same: their answers are older. `most` is how many the group may have. */
  add(group: string, asked: Asked, most: number): void {
    for (const { key, wording } of this.#groups.get(group)?.values() ?? [])
      if (key === asked.key || wording.said === asked.wording.said) this.drop(group, key);
    const inside = this.#groups.get(group) ?? new Map<string, Asked>();
    this.#groups.delete(group);
    this.#groups.set(group, inside);
    inside.set(asked.key, asked);
    this.#size += 1;
    while (inside.size > most) this.#dropFirst(group, inside);
    while (this.#size > MOST) {
      const [[oldest, others]] = this.#groups as unknown as [[string, Map<string, Asked>]];
      this.#dropFirst(oldest, others);
    }
  }

  /** It was asked for: others go before it. */
  touch(group: string, key: string): void {
    const inside = this.#groups.get(group);
    const asked = inside?.get(key);
    if (inside === undefined || asked === undefined) return;
    inside.delete(key);
    inside.set(key, asked);
  }

  drop(group: string, key: string): void {
    const inside = this.#groups.get(group);
    if (inside?.delete(key) !== true) return;
    this.#size -= 1;
    if (inside.size === 0) this.#groups.delete(group);
  }

  #dropFirst(group: string, inside: Map<string, Asked>): void {
    for (const key of inside.keys()) return this.drop(group, key);
  }
}
