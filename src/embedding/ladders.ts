import { resolve } from 'node:path';
import type { Embedder } from '../core/contracts/embedder.ts';
import type { SemanticStatus } from '../core/contracts/semantics.ts';
import type { Logger } from '../core/logger.ts';
import { fingerprint } from '../core/secret.ts';
import { askingItself } from './asking-itself.ts';
import { EmbedderSlot } from './embedder-slot.ts';
import type { AskRoute } from './embedders/remote.ts';
import { findCandidates, type Candidate } from './find-candidates.ts';
import { createLadder } from './ladder.ts';
import { RestingLadder } from './resting-ladder.ts';

export interface LaddersParts {
  readonly log: Logger;
  /** Where models are that were pulled. */
  readonly models: string;
  /** Embeds through a route of the hub's own models lane. */
  readonly ask?: AskRoute;
}

/** What `embedding` of a configuration says; paths are as they were written. */
export interface SemanticsSettings {
  readonly model?: string;
  readonly folder?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly loadTimeout?: number;
}

/** Embedders by the name of their extension, as the generation that serves knows them. */
export interface Embedders {
  readonly names: readonly string[];
  /** Another one when the code is another. */
  version(name: string): string;
  /** Throws for options that are wrong. */
  create(name: string, options: unknown): Promise<Embedder>;
}

export interface Surroundings {
  /** That of hubgate.yaml. */
  readonly folder: string;
  readonly embedders: Embedders;
  /** Models that uses name besides `embedding`: they stay loaded. Any other rests while nobody asks for it. */
  readonly named?: ReadonlySet<string>;
}

const LOAD_TIMEOUT_MS = 20_000;
/** Milliseconds that a model which the configuration does not name stays loaded after it was asked for: an evaluation that waits for one asks again. */
const LINGER_MS = 60_000;

/** The ladders of one hub by the name of the model that is asked for. Those that nobody names nor asks for rest: they hold no embedder, and status does not show them. */
export class Ladders {
  readonly #parts: LaddersParts;
  readonly #slots = new Map<string, { readonly slot: EmbedderSlot; users: number }>();
  readonly #closing = new Set<Promise<void>>();
  /** Those that are awake, by name; '' is that of `embedding`, the first. */
  readonly #awake = new Map<string, RestingLadder>();
  /** The others while somebody has them, such as an index of a generation that is on its way out. */
  readonly #resting = new Map<string, WeakRef<RestingLadder>>();
  #settings: SemanticsSettings = {};
  #around: Surroundings | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: LaddersParts) {
    this.#parts = parts;
    this.of(undefined);
  }

  /** To be told of each configuration that serves. */
  configure(settings: SemanticsSettings | undefined, around: Surroundings): void {
    this.#settings = settings ?? {};
    this.#around = around;
    for (const { slot } of this.#slots.values()) slot.retry();
    // One that is in use all the same wakes when it is asked.
    this.#rest(0);
    for (const ladder of this.#awake.values()) ladder.look();
  }

  /** Whoever names the model of `embedding` shares its ladder only while they name nothing: another configuration moves one and not the other. */
  of(model: string | undefined): RestingLadder {
    const name = model ?? '';
    const known = this.#awake.get(name) ?? this.#resting.get(name)?.deref();
    if (known !== undefined) return known;
    const requested = () => model ?? this.#settings.model ?? 'auto';
    const take = (candidate: Candidate) => this.#take(candidate);
    const giveBack = (slot: EmbedderSlot): void => this.#giveBack(slot);
    const ladder: RestingLadder = new RestingLadder({
      requested,
      wake: () => {
        this.#wakes(name, ladder);
        return createLadder({ requested, find: () => this.#find(requested()), take, giveBack });
      },
    });
    ladder.wake();
    return ladder;
  }

  /** That of `embedding` first, then those that uses name. */
  status(): readonly SemanticStatus[] {
    const all = new Map<string, SemanticStatus>();
    for (const ladder of this.#awake.values()) if (!all.has(ladder.requested)) all.set(ladder.requested, ladder.status());
    return [...all.values()];
  }

  /** Resolves when nothing is being loaded any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#awake.values()].map((ladder) => ladder.settled()));
  }

  /** Gives every embedder back at once. `closed` is waited for afterwards. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const ladder of this.#awake.values()) ladder.rest();
    this.#awake.clear();
  }

  async closed(): Promise<void> {
    await Promise.all(this.#closing);
  }

  #wakes(name: string, ladder: RestingLadder): void {
    if (this.#isClosed) return;
    this.#resting.delete(name);
    this.#awake.set(name, ladder);
    if (!this.#isNamed(name)) this.#timer ??= setTimeout(() => this.#lookAround(), LINGER_MS).unref();
  }

  #lookAround(): void {
    this.#timer = undefined;
    this.#rest(LINGER_MS);
    const isAnyLeft = [...this.#awake.keys()].some((name) => !this.#isNamed(name));
    if (isAnyLeft) this.#timer = setTimeout(() => this.#lookAround(), LINGER_MS).unref();
  }

  /** Lets those rest that nobody names, and nobody has asked for so long, in milliseconds. */
  #rest(unusedMs: number): void {
    for (const [name, held] of this.#resting) if (held.deref() === undefined) this.#resting.delete(name);
    for (const [name, ladder] of this.#awake) {
      if (this.#isNamed(name) || ladder.unusedMs < unusedMs) continue;
      this.#awake.delete(name);
      this.#resting.set(name, new WeakRef(ladder));
      ladder.rest();
    }
  }

  #isNamed(name: string): boolean {
    return name === '' || (this.#around?.named?.has(name) ?? false);
  }

  async #find(model: string): ReturnType<typeof findCandidates> {
    const { folder: own, options = {} } = this.#settings;
    // A use that is made while a generation is built comes before the first configuration.
    if (this.#around === undefined || this.#isClosed) return { found: [] };
    const { folder, embedders } = this.#around;
    const models = own === undefined ? this.#parts.models : resolve(folder, own);
    return findCandidates(model, { models, folder, options, extensions: embedders.names });
  }

  #take({ rung, extension, options, traits }: Candidate): EmbedderSlot {
    const key = fingerprint([extension, this.#around?.embedders.version(extension), options]);
    let held = this.#slots.get(key);
    if (held === undefined) {
      const load = async () => {
        if (this.#around === undefined) throw new Error('There is no configuration yet.');
        // Only a function can be lent what reaches another lane.
        const lent = extension === 'remote' ? { ...options, ask: this.#ask() } : options;
        return this.#around.embedders.create(extension, lent);
      };
      held = {
        slot: new EmbedderSlot({
          name: rung,
          traits,
          load,
          timeoutMs: () => this.#settings.loadTimeout ?? LOAD_TIMEOUT_MS,
          log: this.#parts.log,
        }),
        users: 0,
      };
      this.#slots.set(key, held);
    }
    held.users += 1;
    return held.slot;
  }

  #ask(): AskRoute | undefined {
    const { ask } = this.#parts;
    return ask && ((model, texts, signal) => askingItself.run(true, () => ask(model, texts, signal)));
  }

  #giveBack(slot: EmbedderSlot): void {
    for (const [key, held] of this.#slots) {
      if (held.slot !== slot) continue;
      held.users -= 1;
      if (held.users > 0) return;
      this.#slots.delete(key);
      const closing = slot.close().finally(() => this.#closing.delete(closing));
      this.#closing.add(closing);
    }
  }
}
