import type { Degraded, SemanticStatus } from '../core/contracts/semantics.ts';
import { askingItself } from './asking-itself.ts';
import type { Candidate, Candidates } from './find-candidates.ts';
import type { EmbedderSlot } from './embedder-slot.ts';
import type { Ladder, Rung } from './rung.ts';

/** Milliseconds after which a model that was not there is looked for again: it may have been pulled meanwhile. */
const LOOK_AGAIN_MS = 30_000;
const LOADING = 'The model is being loaded.';

export interface LadderParts {
  /** As the configuration has it. */
  requested(): string;
  /** What that name means now; best first. */
  find(): Promise<Candidates>;
  /** One slot for all ladders that want the same; it is loaded at once. */
  take(candidate: Candidate): EmbedderSlot;
  giveBack(slot: EmbedderSlot): void;
}

/** A ladder that follows the configuration. */
export interface FollowingLadder extends Ladder {
  /** Looks what the name means now. Embedders that are still wanted stay as they are. */
  look(): void;
  status(): SemanticStatus;
  close(): void;
}

export function createLadder(parts: LadderParts): FollowingLadder {
  return new SlotLadder(parts);
}

class SlotLadder implements FollowingLadder {
  readonly #parts: LadderParts;
  readonly #listeners = new Set<() => void>();
  #candidates: Candidates = { found: [] };
  /** By candidate of `#candidates`; those below one that works are not held, but for the last. */
  #held = new Map<Candidate, { readonly slot: EmbedderSlot; readonly stop: () => void }>();
  #rungs: readonly Rung[] = [];
  #looking: Promise<void> | undefined;
  #looks = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: LadderParts) {
    this.#parts = parts;
    this.look();
  }

  get requested(): string {
    return this.#parts.requested();
  }

  get rungs(): readonly Rung[] {
    return askingItself.getStore() === true ? this.#rungs.filter(({ name }) => name !== 'remote') : this.#rungs;
  }

  look(): void {
    clearTimeout(this.#timer);
    const number = ++this.#looks;
    this.#looking = this.#find(number);
  }

  async settled(): Promise<void> {
    for (;;) {
      const looks = this.#looks;
      await this.#looking;
      const loading = [...this.#held.values()]
        .map(({ slot }) => slot)
        .filter(({ rung, problem }) => rung === undefined && problem === undefined);
      await Promise.all(loading.map((slot) => slot.settled()));
      // A candidate that failed may have brought the next.
      if (loading.length === 0 && looks === this.#looks) return;
    }
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  failed(rung: Rung, error: unknown): void {
    for (const { slot } of this.#held.values()) slot.failed(rung, error);
  }

  degraded(active: Rung | undefined, progress?: string): Degraded | undefined {
    const { requested } = this;
    if (requested === 'none' || (requested === 'auto' && active !== undefined)) return undefined;
    const [wanted] = this.#candidates.found;
    const isThere = this.#candidates.missing === undefined;
    if (active !== undefined && isThere && wanted !== undefined && this.#held.get(wanted)?.slot.rung === active) return undefined;
    const reason = this.#reason(active) ?? progress ?? LOADING;
    return { requested, active: active?.name ?? 'bm25', reason };
  }

  status(): SemanticStatus {
    const [active] = this.#rungs;
    const degraded = this.degraded(active);
    const reason = degraded?.reason ?? this.#reason(active);
    return {
      requested: this.requested,
      active: active?.name ?? 'bm25',
      ...(active === undefined ? {} : { model: active.embedder.id, dims: active.embedder.dims }),
      degraded: degraded !== undefined,
      ...(reason === undefined ? {} : { reason }),
    };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
    for (const candidate of this.#held.keys()) this.#drop(candidate);
    this.#rungs = [];
  }

  async #find(number: number): Promise<void> {
    const candidates = await this.#parts.find();
    // A later look knows better.
    if (this.#closed || number !== this.#looks) return;
    const before = this.#held;
    this.#candidates = candidates;
    this.#held = new Map();
    this.#hold();
    for (const { slot, stop } of before.values()) {
      stop();
      this.#parts.giveBack(slot);
    }
    if (candidates.missing !== undefined) this.#timer = setTimeout(() => this.look(), LOOK_AGAIN_MS).unref();
    this.#refresh();
  }

  /** Takes the best, the next when it fails, and always the last, which stands in at once. */
  #hold(): void {
    const { found } = this.#candidates;
    let isServed = false;
    for (const [at, candidate] of found.entries()) {
      if (isServed && at < found.length - 1) {
        this.#drop(candidate);
        continue;
      }
      let held = this.#held.get(candidate);
      if (held === undefined) {
        const slot = this.#parts.take(candidate);
        held = { slot, stop: slot.onChange(() => this.#changed()) };
        this.#held.set(candidate, held);
      }
      // One that is loading is waited for: two models at once would cost twice.
      if (held.slot.problem === undefined) isServed = true;
    }
  }

  #drop(candidate: Candidate): void {
    const held = this.#held.get(candidate);
    this.#held.delete(candidate);
    held?.stop();
    if (held !== undefined) this.#parts.giveBack(held.slot);
  }

  #changed(): void {
    this.#hold();
    this.#refresh();
  }

  #refresh(): void {
    const rungs = this.#candidates.found.flatMap((candidate) => this.#held.get(candidate)?.slot.rung ?? []);
    const isSame = rungs.length === this.#rungs.length && rungs.every((rung, at) => rung === this.#rungs[at]);
    this.#rungs = rungs;
    if (isSame) return;
    for (const listener of this.#listeners) listener();
  }

  /** Why none above `active` works. */
  #reason(active: Rung | undefined): string | undefined {
    const { found, missing } = this.#candidates;
    if (missing !== undefined) return missing;
    for (const candidate of found) {
      const slot = this.#held.get(candidate)?.slot;
      if (slot === undefined || (active !== undefined && slot.rung === active)) return undefined;
      if (slot.problem !== undefined) return slot.problem;
      if (slot.rung === undefined) return LOADING;
    }
    return undefined;
  }
}
