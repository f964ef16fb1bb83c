import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CallsAnswer, CallsQuestions, CallsRequest, CallsWorkerData } from './calls-worker.ts';

interface Pending {
  /** Somebody waits for the answer, so the process must not end before it is there. */
  readonly holds: boolean;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** The thread in which records are written and read. It keeps no process alive but for an answer that somebody waits for. */
export class CallsThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  #holds = 0;
  #ended: Error | undefined;

  constructor(data: CallsWorkerData) {
    // Beside this file is the worker in the same form: .ts in the sources, .js in a package.
    this.#worker = new Worker(new URL(`./calls-worker${extname(import.meta.url)}`, import.meta.url), { workerData: data, execArgv: [] });
    this.#worker.on('message', (answer: CallsAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('The thread of the records has ended.')));
    // After the listeners: one for messages holds the process again.
    this.#worker.unref();
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Rejects with SQLite's message and `code`, or when the thread has ended. */
  ask<K extends keyof CallsQuestions>(kind: K, ask: CallsQuestions[K]['ask'], { holds = true } = {}): Promise<CallsQuestions[K]['answer']> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      this.#pending.set(id, { holds, resolve: resolve as Pending['resolve'], reject });
      if (holds && this.#holds++ === 0) this.#worker.ref();
      this.#worker.postMessage({ id, kind, ask } satisfies CallsRequest);
    });
  }

  #settle(answer: CallsAnswer): void {
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) return;
    this.#pending.delete(answer.id);
    if (pending.holds && --this.#holds === 0) this.#worker.unref();
    if ('error' in answer) pending.reject(Object.assign(new Error(answer.error), { code: answer.code }));
    else pending.resolve(answer.answer);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }
}
