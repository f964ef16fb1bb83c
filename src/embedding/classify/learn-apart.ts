import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Learnt, Lesson } from './learn.ts';

/** One at a time: each has a core to itself for as long as it takes. */
let last: Promise<unknown> = Promise.resolve();

/** Learns in a thread of its own: 10 classes of 20 examples in a second, 150 of 10 in half a minute. Rejects when the thread cannot work. */
export function learnApart(lesson: Lesson): Promise<Learnt> {
  const learnt = last.then(() => inThread(lesson));
  last = learnt.catch(() => undefined);
  return learnt;
}

function inThread(lesson: Lesson): Promise<Learnt> {
  return new Promise((resolve, reject) => {
    // Beside this file is the worker in the same form: .ts in the sources, .js in a package.
    const url = new URL(`./learn-worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(url, { workerData: lesson, execArgv: [] });
    // A process that has nothing else to do may end.
    worker.unref();
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`The thread that learns has ended with code ${code}.`)));
  });
}
