import { resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Embedder } from '../core/contracts/embedder.ts';
import type { VectorStore } from '../core/contracts/store.ts';
import type {
  ClassExamples,
  Classifier,
  ClassifierOptions,
  Embedded,
  Findable,
  IndexOptions,
  SemanticStatus,
  Semantics,
  TextIndex,
  UseOptions,
} from '../core/contracts/semantics.ts';
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { fingerprint } from '../core/secret.ts';
import { askingItself } from './asking-itself.ts';
import { createClassifier } from './classify/create-classifier.ts';
import { EmbedderSlot } from './embedder-slot.ts';
import type { AskRoute } from './embedders/remote.ts';
import { findCandidates, type Candidate } from './find-candidates.ts';
import { createTextIndex } from './index/text-index.ts';
import { TextVectors } from './index/text-vectors.ts';
import { createLadder, type FollowingLadder } from './ladder.ts';

export interface SemanticsParts {
  readonly log: Logger;
  readonly vectors: VectorStore;
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

const LOAD_TIMEOUT_MS = 20_000;
/** Milliseconds: not at the start, when everything else wants the store. */
const FORGET_AFTER_MS = 60_000;
const FORGET_EVERY_MS = 86_400_000;
/** Milliseconds in which nobody has used a vector: 30 days. */
const UNUSED_MS = 30 * 86_400_000;

/** Keeps nothing. */
const NOWHERE: VectorStore = { get: async () => new Map(), put: async () => {}, forget: async () => {} };

interface Surroundings {
  /** That of hubgate.yaml. */
  readonly folder: string;
  readonly embedders: Embedders;
}

/** All of embedding in one hub: ladders by the name of the model that is asked for, indexes and classifiers over them. Outlives generations. */
export class HubSemantics implements Semantics {
  readonly #parts: SemanticsParts;
  readonly #vectors: TextVectors;
  /** Of texts that come and go with calls. */
  readonly #passing: TextVectors;
  readonly #slots = new Map<string, { readonly slot: EmbedderSlot; users: number }>();
  readonly #closing = new Set<Promise<void>>();
  /** By name; '' is that of `embedding`. */
  readonly #ladders = new Map<string, FollowingLadder>();
  #settings: SemanticsSettings = {};
  #around: Surroundings | undefined;
  #timer: NodeJS.Timeout;

  constructor(parts: SemanticsParts) {
    this.#parts = parts;
    this.#vectors = new TextVectors({ store: parts.vectors, log: parts.log });
    this.#passing = new TextVectors({ store: NOWHERE, log: parts.log });
    this.#timer = setTimeout(() => this.#forget(), FORGET_AFTER_MS).unref();
    // The first in status, whoever asks for what.
    this.#ladder(undefined);
  }

  /** To be told of each configuration that serves. Loads in the background what is not loaded; embedders that are still wanted as they are stay. */
  configure(settings: SemanticsSettings | undefined, around: Surroundings): void {
    this.#settings = settings ?? {};
    this.#around = around;
    for (const { slot } of this.#slots.values()) slot.retry();
    for (const ladder of this.#ladders.values()) ladder.look();
  }

  index(texts: readonly Findable[], { model, passing = false }: IndexOptions = {}): TextIndex {
    return createTextIndex(texts, this.#ladder(model), passing ? this.#passing : this.#vectors);
  }

  async embed(texts: readonly string[], options?: UseOptions): Promise<Embedded> {
    const ladder = this.#ladder(options?.model);
    if (ladder.rungs.length === 0) await firstRung(ladder);
    for (const rung of ladder.rungs) {
      const { embedder } = rung;
      try {
        const vectors: Float32Array[] = [];
        // All of them as queries: who compares them compares like with like.
        for (let at = 0; at < texts.length; at += embedder.batch) {
          // One that needs no thread of its own answers at once: others have their turn between two batches.
          if (at > 0) await turn();
          vectors.push(...(await embedder.embed(texts.slice(at, at + embedder.batch), 'query')));
        }
        const degraded = ladder.degraded(rung);
        return { vectors, model: embedder.id, sameRequest: rung.traits.sameRequest, ...(degraded === undefined ? {} : { degraded }) };
      } catch (error) {
        ladder.failed(rung, error);
      }
    }
    throw new GatewayError('unavailable', `There is no model of embeddings. ${ladder.status().reason ?? 'embedding.model says none.'}`);
  }

  classifier(classes: readonly ClassExamples[], options?: ClassifierOptions): Classifier {
    return createClassifier(classes, options, this.#ladder(options?.model));
  }

  /** That of `embedding` first, then those that uses name. */
  status(): readonly SemanticStatus[] {
    const all = new Map<string, SemanticStatus>();
    for (const ladder of this.#ladders.values()) if (!all.has(ladder.requested)) all.set(ladder.requested, ladder.status());
    return [...all.values()];
  }

  /** Resolves when nothing is being loaded any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#ladders.values()].map((ladder) => ladder.settled()));
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    for (const ladder of this.#ladders.values()) ladder.close();
    this.#ladders.clear();
    await Promise.all([this.#vectors.close(), this.#passing.close()]);
    await Promise.all(this.#closing);
  }

  /** Whoever names the model of `embedding` shares its ladder only while they name nothing: another configuration moves one and not the other. */
  #ladder(model: string | undefined): FollowingLadder {
    const name = model ?? '';
    let ladder = this.#ladders.get(name);
    if (ladder === undefined) {
      const requested = () => model ?? this.#settings.model ?? 'auto';
      const take = (candidate: Candidate) => this.#take(candidate);
      ladder = createLadder({ requested, find: () => this.#find(requested()), take, giveBack: (slot) => this.#giveBack(slot) });
      this.#ladders.set(name, ladder);
    }
    return ladder;
  }

  async #find(model: string): ReturnType<typeof findCandidates> {
    const { folder: own, options = {} } = this.#settings;
    // A use that is made while a generation is built comes before the first configuration.
    if (this.#around === undefined) return { found: [] };
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
    return ask && ((model, texts) => askingItself.run(true, () => ask(model, texts)));
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

  #forget(): void {
    this.#timer = setTimeout(() => this.#forget(), FORGET_EVERY_MS).unref();
    this.#parts.vectors
      .forget(Date.now() - UNUSED_MS)
      .catch((err: unknown) => this.#parts.log.warn({ err }, 'old vectors could not be forgotten'));
  }
}

/** Resolves when there is an embedder, or when there will be none. */
async function firstRung(ladder: FollowingLadder): Promise<void> {
  // The call that loads the embedder of a route cannot wait for it.
  if (askingItself.getStore() === true) return;
  let stop: (() => void) | undefined;
  await Promise.race([ladder.settled(), new Promise<void>((resolve) => (stop = ladder.onChange(resolve)))]);
  stop?.();
}
