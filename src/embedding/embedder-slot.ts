import type { Embedder } from '../core/contracts/embedder.ts';
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { ModelTraits } from './models/model-traits.ts';
import type { Rung } from './rung.ts';

/** Milliseconds until a failed one is loaded again; doubled at each failure in a row. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 120_000;
/** Milliseconds of work after which a failure is the first again. */
const SOUND_MS = 60_000;

export interface SlotParts {
  /** Of the rung. */
  readonly name: string;
  readonly traits: ModelTraits;
  /** Rejects with what a person should do. */
  load(): Promise<Embedder>;
  timeoutMs(): number;
  readonly log: Logger;
}

/** One embedder on its way: loaded, working, failed, loaded again. Ladders that ask for the same one share it. */
export class EmbedderSlot {
  readonly #parts: SlotParts;
  readonly #listeners = new Set<() => void>();
  #rung: Rung | undefined;
  #problem: string | undefined;
  /** Resolves when the one that is being loaded is there, has failed, or is late. */
  #settled: Promise<void> | undefined;
  #isLoading = false;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #since = 0;
  #closed = false;

  constructor(parts: SlotParts) {
    this.#parts = parts;
    this.#load();
  }

  /** Present while it works. */
  get rung(): Rung | undefined {
    return this.#rung;
  }

  /** Why it does not work; absent while it is loaded for the first time. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves when it is not being loaded, or takes longer for that than it should; never rejects. */
  async settled(): Promise<void> {
    await this.#settled;
  }

  /** Gives the way to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** It has rejected: it is let go, and loaded again after a while. What others heard before of the same one is not counted twice. */
  failed(rung: Rung, error: unknown): void {
    if (this.#rung !== rung) return;
    this.#rung = undefined;
    void letGo(rung.embedder);
    if (Date.now() - this.#since > SOUND_MS) this.#failures = 0;
    this.#fail(isOurs(rung.name) ? error : new Error(messageOf(error)));
  }

  /** Loads a failed one now: something has changed that may have mended it. */
  retry(): void {
    if (this.#closed || this.#rung !== undefined || this.#isLoading) return;
    clearTimeout(this.#timer);
    this.#failures = 0;
    this.#load();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
    // What is still being loaded is let go when it comes.
    if (this.#rung !== undefined) await letGo(this.#rung.embedder);
    this.#rung = undefined;
  }

  /** One at a time: what is late is used when it comes, for a second load would be later still. */
  #load(): void {
    const timeoutMs = this.#parts.timeoutMs();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      const message = `Loading the model takes longer than ${timeoutMs / 1000} s. It is used when it comes. If that is too late, raise embedding.loadTimeout or take a smaller model.`;
      if (!this.#closed) this.#tellProblem(new GatewayError('unavailable', message));
      resolve();
    }, timeoutMs).unref();
    this.#settled = promise;
    this.#isLoading = true;
    void this.#attempt().finally(() => {
      clearTimeout(timer);
      resolve();
    });
  }

  async #attempt(): Promise<void> {
    const { name, traits } = this.#parts;
    try {
      const embedder = await this.#parts.load().finally(() => (this.#isLoading = false));
      if (this.#closed) return await letGo(embedder);
      this.#rung = { name, embedder, traits };
      this.#problem = undefined;
      this.#since = Date.now();
      this.#tell();
    } catch (error) {
      if (!this.#closed) this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#load(), pause).unref();
    this.#tellProblem(error);
  }

  #tellProblem(error: unknown): void {
    const { name, log } = this.#parts;
    const { message, detail } = toldOf(name, error);
    // The same at every try is said once.
    if (message !== this.#problem) log.warn({ rung: name, detail }, `embeddings: ${message}`);
    this.#problem = message;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Callers may read why their answer is degraded: what code that is not ours says is for the log alone. */
function toldOf(name: string, error: unknown): Pick<GatewayError, 'message' | 'detail'> {
  if (error instanceof GatewayError) return error;
  const detail = messageOf(error);
  return { message: `The embedder ${name} has failed; the log of the hub says why. It is loaded again after a while.`, detail };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What one of ours says while it works is the same for whoever asks; an extension may say what it heard of one call. */
function isOurs(rung: string): boolean {
  return rung === 'transformers' || rung === 'remote' || rung === 'static';
}

async function letGo(embedder: Embedder): Promise<void> {
  try {
    await embedder[Symbol.asyncDispose]?.();
  } catch {
    // It is gone either way.
  }
}
