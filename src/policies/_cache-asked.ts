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

/** Latest last, by the key of the answer. What says the same is in it once. */
interface Group {
  readonly asked: Map<string, Asked>;
  /** The key of the answer, by what was said. */
  readonly said: Map<string, string>;
}

/** Over all groups; with vectors of 384 numbers about 3 KB each. */
const MOST = 10_000;

/** Questions that were answered, in groups of those that differ in nothing else. Bounded: what was not asked for longest goes first. */
export class AskedBefore {
  /** Latest last. */
  readonly #groups = new Map<string, Group>();
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
    for (const { key, until } of inside.asked.values()) if (until <= now) this.drop(group, key);
    return [...inside.asked.values()].toReversed();
  }

  /** In place of the one that says the same: its answer is older. `most` is how many the group may have. */
  add(group: string, asked: Asked, most: number): void {
    const { key, wording } = asked;
    const older = this.#groups.get(group)?.said.get(wording.said);
    for (const one of [older, key]) if (one !== undefined) this.drop(group, one);
    const inside = this.#groups.get(group) ?? { asked: new Map<string, Asked>(), said: new Map<string, string>() };
    this.#groups.delete(group);
    this.#groups.set(group, inside);
    inside.asked.set(key, asked);
    inside.said.set(wording.said, key);
    this.#size += 1;
    while (inside.asked.size > most) this.#dropFirst(group, inside);
    while (this.#size > MOST) {
      const [[oldest, others]] = this.#groups as unknown as [[string, Group]];
      this.#dropFirst(oldest, others);
    }
  }

  /** It was asked for: others go before it. */
  touch(group: string, key: string): void {
    const inside = this.#groups.get(group);
    const asked = inside?.asked.get(key);
    if (inside === undefined || asked === undefined) return;
    inside.asked.delete(key);
    inside.asked.set(key, asked);
  }

  drop(group: string, key: string): void {
    const inside = this.#groups.get(group);
    const asked = inside?.asked.get(key);
    if (inside === undefined || asked === undefined) return;
    inside.asked.delete(key);
    inside.said.delete(asked.wording.said);
    this.#size -= 1;
    if (inside.asked.size === 0) this.#groups.delete(group);
  }

  #dropFirst(group: string, { asked }: Group): void {
    for (const key of asked.keys()) return this.drop(group, key);
  }
}
