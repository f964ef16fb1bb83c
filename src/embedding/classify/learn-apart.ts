import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Learnt, Lesson } from './learn.ts';

/** One at a time: each has a core to itself for as long as it takes. */
let last: Promise<unknown> = Promise.resolve();

/** Learns in a thread of its own: 10 classes of 20 examples in a second, 150 of 10 in half a minute. Rejects when the thread cannot work, and with the reason of `signal`. */
export function learnApart(lesson: Lesson, signal?: AbortSignal): Promise<Learnt> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const learnt = last.then(() => inThread(lesson, signal));
  last = learnt.catch(() => undefined);
  if (signal === undefined) return learnt;
  // At once, not in its turn: whoever wants the same must not wait for one that was called off.
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    learnt.then(resolve, reject);
  });
}

function inThread(lesson: Lesson, signal: AbortSignal | undefined): Promise<Learnt> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    // Beside this file is the worker in the same form: .ts in the sources, .js in a package.
    const url = new URL(`./learn-worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(url, { workerData: lesson, execArgv: [] });
    // A process that has nothing else to do may end.
    worker.unref();
    signal?.addEventListener('abort', () => void worker.terminate(), { once: true });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`The thread that learns has ended with code ${code}.`)));
  });
}
