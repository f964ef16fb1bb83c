import { setImmediate as turn } from 'node:timers/promises';
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
import { askingItself } from './asking-itself.ts';
import { createClassifier } from './classify/create-classifier.ts';
import { embedQueries } from './embed-queries.ts';
import { createTextIndex } from './index/text-index.ts';
import { TextVectors } from './index/text-vectors.ts';
import { Ladders, type LaddersParts, type SemanticsSettings, type Surroundings } from './ladders.ts';
import { refusesTexts } from './refuses-texts.ts';
import type { Ladder, Rung } from './rung.ts';

export interface SemanticsParts extends LaddersParts {
  readonly vectors: VectorStore;
}

/** Milliseconds: not at the start, when everything else wants the store. */
const FORGET_AFTER_MS = 60_000;
const FORGET_EVERY_MS = 86_400_000;
/** Milliseconds in which nobody has used a vector: 30 days. */
const UNUSED_MS = 30 * 86_400_000;
/** Vectors that are touched at once: others want the store too. */
const TOUCHED_AT_ONCE = 2_000;

/** Keeps nothing. */
const NOWHERE: VectorStore = { get: async () => new Map(), put: async () => {}, touch: async () => {}, forget: async () => {} };

/** All of embedding in one hub: indexes and classifiers over its ladders, and their vectors. Outlives generations. */
export class HubSemantics implements Semantics {
  readonly #parts: SemanticsParts;
  readonly #ladders: Ladders;
  readonly #vectors: TextVectors;
  /** Of texts that come and go with calls. */
  readonly #passing: TextVectors;
  #timer: NodeJS.Timeout;

  constructor(parts: SemanticsParts) {
    this.#parts = parts;
    this.#ladders = new Ladders(parts);
    this.#vectors = new TextVectors({ store: parts.vectors, log: parts.log });
    this.#passing = new TextVectors({ store: NOWHERE, log: parts.log });
    this.#timer = setTimeout(() => this.#forgetDaily(), FORGET_AFTER_MS).unref();
  }

  /** To be told of each configuration that serves. Loads in the background what is not loaded; embedders that are still wanted as they are stay, those of models that are named no more are let go. */
  configure(settings: SemanticsSettings | undefined, around: Surroundings): void {
    this.#ladders.configure(settings, around);
  }

  index(texts: readonly Findable[], { model, passing = false }: IndexOptions = {}): TextIndex {
    return createTextIndex(texts, this.#ladders.of(model), passing ? this.#passing : this.#vectors);
  }

  async embed(texts: readonly string[], options?: UseOptions): Promise<Embedded> {
    const ladder = this.#ladders.of(options?.model);
    if (ladder.rungs.length === 0) await firstRung(ladder);
    let refusal: unknown;
    for (const rung of ladder.rungs) {
      const { embedder, traits } = rung;
      try {
        const vectors = await embedAll(texts, rung);
        const degraded = ladder.degraded(rung, refusal === undefined ? undefined : 'It refuses this text.');
        return { vectors, model: embedder.id, sameRequest: traits.sameRequest, ...(degraded === undefined ? {} : { degraded }) };
      } catch (error) {
        if (refusesTexts(error)) refusal = error;
        else ladder.failed(rung, error);
      }
    }
    if (refusal !== undefined) throw refusal;
    throw new GatewayError('unavailable', `There is no model of embeddings. ${ladder.status().reason ?? 'embedding.model says none.'}`);
  }

  classifier(classes: readonly ClassExamples[], options?: ClassifierOptions): Classifier {
    return createClassifier(classes, options, this.#ladders.of(options?.model));
  }

  /** That of `embedding` first, then those that uses name. */
  status(): readonly SemanticStatus[] {
    return this.#ladders.status();
  }

  /** Resolves when nothing is being loaded any more. */
  settled(): Promise<void> {
    return this.#ladders.settled();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#ladders.close();
    await Promise.all([this.#vectors.close(), this.#passing.close()]);
    await this.#ladders.closed();
  }

  #forgetDaily(): void {
    this.#timer = setTimeout(() => this.#forgetDaily(), FORGET_EVERY_MS).unref();
    this.forget().catch((err: unknown) => this.#parts.log.warn({ err }, 'old vectors could not be forgotten'));
  }

  /** Forgets stored vectors that nobody has used for 30 days. None that an index holds: it got them once, maybe long ago, and wants them after a restart. */
  async forget(): Promise<void> {
    const { vectors } = this.#parts;
    for (const [model, hashes] of this.#vectors.held()) {
      let some: string[] = [];
      for (const hash of hashes) {
        some.push(hash);
        if (some.length < TOUCHED_AT_ONCE) continue;
        await vectors.touch(model, some);
        some = [];
      }
      await vectors.touch(model, some);
    }
    await vectors.forget(Date.now() - UNUSED_MS);
  }
}

async function embedAll(texts: readonly string[], { embedder }: Rung): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let at = 0; at < texts.length; at += embedder.batch) {
    // One that needs no thread of its own answers at once: others have their turn between two batches.
    if (at > 0) await turn();
    vectors.push(...(await embedQueries(texts.slice(at, at + embedder.batch), embedder)));
  }
  return vectors;
}

/** Resolves when there is an embedder, or when there will be none. */
async function firstRung(ladder: Ladder): Promise<void> {
  // The call that loads the embedder of a route cannot wait for it.
  if (askingItself.getStore() === true) return;
  let stop: (() => void) | undefined;
  await Promise.race([ladder.settled(), new Promise<void>((resolve) => (stop = ladder.onChange(resolve)))]);
  stop?.();
}
