import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { EmbeddedAs } from '../../core/contracts/embedder.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { EmbeddingAnswer, EmbeddingRequest, EmbeddingWork } from './embedding-worker.ts';

interface Pending {
  resolve(answer: { readonly dims: number; readonly data: Float32Array<ArrayBuffer> }): void;
  reject(error: Error): void;
}

/** Milliseconds without a sign of life, which comes with each text, after which the thread is taken for stuck: at work, and when it loads. */
const STUCK_MS = 60_000;
const STUCK_LOADING_MS = 600_000;
/** Milliseconds in which a text is done. */
const END_MS = 5_000;
/** Models, by their folder, of which a thread was given up that has not ended. It cannot be ended from here, so no other is started beside it. */
const stuck = new Map<string, EmbeddingThread>();

/** One model in a thread of its own: the event loop never waits for it. */
export class EmbeddingThread {
  readonly #worker: Worker;
  readonly #model: string;
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  #dims = 0;
  #ended: Error | undefined;
  #watch: NodeJS.Timeout | undefined;

  private constructor(given: EmbeddingWork, log: Logger) {
    this.#model = given.model;
    // Beside this file is the worker in the same form: .ts in the sources, .js in a package.
    const url = new URL(`./embedding-worker${extname(import.meta.url)}`, import.meta.url);
    // The library talks; what it says is for those who look for it.
    this.#worker = new Worker(url, { workerData: given, execArgv: [], stdout: true, stderr: true });
    for (const stream of [this.#worker.stdout, this.#worker.stderr])
      stream
        .setEncoding('utf8')
        .on('data', (text: string) => log.debug({ text: text.slice(0, 1_000) }, 'the library of transformers says'));
    this.#worker.on('message', (answer: EmbeddingAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#end(`The thread of the model has failed: ${error.message}`));
    this.#worker.on('exit', () => {
      if (stuck.get(this.#model) === this) stuck.delete(this.#model);
      this.#end('The thread of the model has ended.');
    });
  }

  /** Resolves when the model has embedded its first text. Rejects with what the library says; with GatewayError `unavailable` while an earlier thread of the model is stuck. */
  static async open(given: EmbeddingWork, log: Logger): Promise<EmbeddingThread> {
    if (stuck.has(given.model))
      throw new GatewayError(
        'unavailable',
        'The thread of the model is stuck. It is started anew when that one has ended; restart the hub if it does not.',
      );
    const thread = new EmbeddingThread(given, log);
    try {
      thread.#awaitSign(STUCK_LOADING_MS);
      const { dims } = await new Promise<{ readonly dims: number }>((resolve, reject) => thread.#pending.set(0, { resolve, reject }));
      thread.#dims = dims;
      thread.#rest();
      return thread;
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  get dims(): number {
    return this.#dims;
  }

  /** Unit vectors in the order of the texts. Rejects with GatewayError `bad_request` when the model fails on these, and with the reason of `signal`. */
  async embed(texts: readonly string[], as: EmbeddedAs, signal?: AbortSignal): Promise<readonly Float32Array[]> {
    signal?.throwIfAborted();
    if (this.#ended) throw this.#ended;
    if (texts.length === 0) return [];
    let stop: (() => void) | undefined;
    const done = new Promise<{ readonly dims: number; readonly data: Float32Array<ArrayBuffer> }>((resolve, reject) => {
      const id = ++this.#last;
      // Not at each: a thread that is stuck would be waited for as long as somebody asks.
      if (this.#pending.size === 0) {
        this.#worker.ref();
        this.#awaitSign();
      }
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, as, texts } satisfies EmbeddingRequest);
      // What is dropped is answered too: it stays pending until then.
      stop = () => {
        this.#worker.postMessage({ drop: { id, as } } satisfies EmbeddingRequest);
        reject(signal!.reason as Error);
      };
      signal?.addEventListener('abort', stop);
    });
    const { data, dims } = await done.finally(() => signal?.removeEventListener('abort', stop!));
    return texts.map((_, place) => data.slice(place * dims, (place + 1) * dims));
  }

  /** What waits rejects. Resolves when the thread has ended, which it does when the text on its way is done, or when it takes too long for that. */
  async close(): Promise<void> {
    this.#end('The model is let go.');
    if (this.#worker.threadId === -1) return;
    this.#worker.ref();
    // Never terminated: the library brings the whole process down when its thread ends while it computes.
    this.#worker.postMessage('end' satisfies EmbeddingRequest);
    await new Promise<void>((resolve) => {
      this.#worker.once('exit', () => resolve());
      setTimeout(() => {
        if (this.#worker.threadId !== -1) stuck.set(this.#model, this);
        resolve();
      }, END_MS).unref();
    });
    this.#worker.unref();
  }

  #settle(answer: EmbeddingAnswer): void {
    const pending = this.#pending.get(answer.id);
    if (!('done' in answer)) this.#pending.delete(answer.id);
    if (this.#ended === undefined) this.#rest();
    if ('done' in answer) return;
    if ('error' in answer) pending?.reject(new GatewayError('bad_request', 'The model cannot read a text.', { detail: answer.error }));
    else pending?.resolve(answer);
  }

  /** Without work it keeps no process alive. */
  #rest(): void {
    clearTimeout(this.#watch);
    if (this.#pending.size === 0) this.#worker.unref();
    else this.#awaitSign();
  }

  #awaitSign(ms = STUCK_MS): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      stuck.set(this.#model, this);
      this.#end(`The thread of the model has said nothing for ${ms / 1000} s.`);
      void this.close();
    }, ms).unref();
  }

  #end(why: string): void {
    clearTimeout(this.#watch);
    this.#ended ??= new Error(why);
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }
}
