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
  #loading: Promise<void> | undefined;
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

  /** Resolves when it is not being loaded; never rejects. */
  async settled(): Promise<void> {
    await this.#loading;
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
    this.#fail(error);
  }

  /** Loads a failed one now: something has changed that may have mended it. */
  retry(): void {
    if (this.#closed || this.#rung !== undefined || this.#loading !== undefined) return;
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

  #load(): void {
    this.#loading = this.#attempt().finally(() => (this.#loading = undefined));
  }

  async #attempt(): Promise<void> {
    const { name, traits, timeoutMs } = this.#parts;
    try {
      const embedder = await inTime(this.#parts.load(), timeoutMs());
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
    const { name, log } = this.#parts;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    const { message, detail } = toldOf(name, error);
    // The same at every try is said once.
    if (message !== this.#problem) log.warn({ rung: name, detail }, `embeddings: ${message}`);
    this.#problem = message;
    this.#timer = setTimeout(() => this.#load(), pause).unref();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Callers may read why their answer is degraded: what code that is not ours says is for the log alone. */
function toldOf(name: string, error: unknown): Pick<GatewayError, 'message' | 'detail'> {
  if (error instanceof GatewayError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return { message: `The embedder ${name} has failed; the log of the hub says why. It is loaded again after a while.`, detail };
}

/** What comes too late is let go of. */
async function inTime(loading: Promise<Embedder>, timeoutMs: number): Promise<Embedder> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `Loading the model took longer than ${timeoutMs / 1000} s. Raise embedding.loadTimeout, or take a smaller model.`;
    timer = setTimeout(() => reject(new GatewayError('unavailable', message)), timeoutMs);
  });
  try {
    return await Promise.race([loading, late]);
  } catch (error) {
    loading.then(letGo, () => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function letGo(embedder: Embedder): Promise<void> {
  try {
    await embedder[Symbol.asyncDispose]?.();
  } catch {
    // It is gone either way.
  }
}
