interface Entry {
  readonly value: string;
  readonly until: number;
  readonly bytes: number;
}

/** What an entry takes beside its texts, roughly. */
const OVERHEAD_BYTES = 200;
/** One entry may not push out more than this part of the others. */
const LARGEST_PART = 8;

/** Texts that are kept for a time. When room is short, what was not asked for longest goes first. */
export class ExpiringCache {
  readonly #room: number;
  /** In the order in which they were asked for, latest last. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** `room` in bytes, counting two for a character. */
  constructor(room: number) {
    this.#room = room;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string, at: number): string | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.until <= at) {
      this.#bytes -= entry.bytes;
      return undefined;
    }
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Forgets what was there under the key, and keeps nothing that is larger than an eighth of the room. */
  set(key: string, value: string, ttlMs: number, at: number): void {
    this.delete(key);
    const bytes = 2 * (key.length + value.length) + OVERHEAD_BYTES;
    if (!(ttlMs > 0) || bytes > this.#room / LARGEST_PART) return;
    this.#entries.set(key, { value, until: at + ttlMs, bytes });
    this.#bytes += bytes;
    if (this.#bytes > this.#room) this.#makeRoom();
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  #makeRoom(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.#room) return;
      this.#entries.delete(key);
      this.#bytes -= entry.bytes;
    }
  }
}
