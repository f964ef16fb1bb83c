import { Worker } from 'node:worker_threads';
import type { ServiceHead } from './compile.ts';
import type { CompiledOperation, CompiledService, CompileInput, CompileProgress, DocumentFault } from './types.ts';
import { DocumentError, withSchema } from './types.ts';

/** To the worker: a document, or that one of its messages has been read. */
export type CompileQuestion =
  | { readonly id: number; readonly input: CompileInput; readonly wantsProgress: boolean }
  | { readonly id: number; readonly taken: true };

/**
 * From the worker. Large results come in parts, because a thread stands still while it reads a message: operations as JSON (an array) with the JSON
 * of each one's input schema, definitions, and last what is left. Parts are to be answered with `taken`.
 */
export type CompileAnswer =
  | { readonly id: number; readonly progress: CompileProgress }
  | { readonly id: number; readonly operations: string; readonly schemas: Texts }
  | { readonly id: number; readonly names: readonly string[]; readonly definitions: Texts }
  | { readonly id: number; readonly head: Omit<ServiceHead, 'definitions'> }
  | { readonly id: number; readonly error: DocumentFault };

/** Texts in one, for what is cut out of a long text is no copy: short ones would each be moved by every collection of young garbage. */
export interface Texts {
  readonly text: string;
  readonly lengths: readonly number[];
}

interface Job {
  readonly input: CompileInput;
  readonly limitMs: number;
  readonly memoryMb: number;
  readonly onProgress: ((progress: CompileProgress) => void) | undefined;
  readonly resolve: (compiled: CompiledService) => void;
  readonly reject: (error: Error) => void;
}

interface Running {
  readonly id: number;
  readonly job: Job;
  readonly timer: NodeJS.Timeout;
  readonly operations: CompiledOperation[];
  readonly definitions: Map<string, string>;
  /** Characters of both, as they came. */
  length: number;
}

export interface CompileOptions {
  readonly limitMs?: number;
  readonly memoryMb?: number;
  readonly onProgress?: (progress: CompileProgress) => void;
}

const LIMIT_MS = 30_000;
const IDLE_MS = 10_000;
const MEMORY_MB = 700;
/** Of JSON: three to four times as much memory here, where no worker's limit holds. */
const RESULT_MB = 160;

/** One worker reads one document at a time: documents are other people's, and must not hold up or bring down the hub. */
let worker: Worker | undefined;
let workerMb = 0;
let running: Running | undefined;
let idle: NodeJS.Timeout | undefined;
let lastId = 0;
const waiting: Job[] = [];

/**
 * `compileDocument` in a worker thread, documents in turn. Rejects with DocumentError: that of the document, or `too_expensive` when it takes more
 * than `limitMs` (30 s) or `memoryMb` (700), or what it becomes more than 160 MB. `onProgress` hears a few times a second how far it is.
 */
export function compileInWorker(input: CompileInput, options: CompileOptions = {}): Promise<CompiledService> {
  return new Promise((resolve, reject) => {
    waiting.push({
      input,
      limitMs: options.limitMs ?? LIMIT_MS,
      memoryMb: options.memoryMb ?? MEMORY_MB,
      onProgress: options.onProgress,
      resolve,
      reject,
    });
    next();
  });
}

function next(): void {
  if (running !== undefined) return;
  const job = waiting.shift();
  if (job === undefined) {
    rest();
    return;
  }
  clearTimeout(idle);
  if (workerMb !== job.memoryMb) stop();
  worker ??= start(job.memoryMb);
  worker.ref();
  lastId += 1;
  const timer = setTimeout(() => {
    stop();
    finish((error) => job.reject(error), tooExpensive(job, `${job.limitMs / 1000} s`));
  }, job.limitMs);
  running = { id: lastId, job, timer, operations: [], definitions: new Map(), length: 0 };
  worker.postMessage({ id: lastId, input: job.input, wantsProgress: job.onProgress !== undefined } satisfies CompileQuestion);
}

/** A worker that has nothing to do keeps no process alive, and ends soon. */
function rest(): void {
  worker?.unref();
  clearTimeout(idle);
  idle = setTimeout(stop, IDLE_MS);
  idle.unref();
}

function start(memoryMb: number): Worker {
  workerMb = memoryMb;
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const started = new Worker(new URL(`./worker${extension}`, import.meta.url), {
    // The environment may hold secrets, and reading a document needs none of it.
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 16 },
  });
  started.on('message', (answer: CompileAnswer) => {
    if (worker !== started || running?.id !== answer.id) return;
    const { job, operations, definitions } = running;
    if ('progress' in answer) job.onProgress?.(answer.progress);
    else if ('operations' in answer) {
      if (isTooLong(running, answer.operations.length + answer.schemas.text.length)) return;
      const part = JSON.parse(answer.operations) as CompiledOperation[];
      for (const [index, schema] of cut(answer.schemas).entries()) operations.push(withSchema(part[index]!, schema));
      started.postMessage({ id: answer.id, taken: true } satisfies CompileQuestion);
    } else if ('definitions' in answer) {
      if (isTooLong(running, answer.definitions.text.length)) return;
      for (const [index, text] of cut(answer.definitions).entries()) definitions.set(answer.names[index]!, text);
      started.postMessage({ id: answer.id, taken: true } satisfies CompileQuestion);
    } else if ('head' in answer) finish(job.resolve, { ...answer.head, operations, definitions });
    else finish(job.reject, new DocumentError(answer.error.code, answer.error.message, answer.error));
  });
  started.on('error', (error: NodeJS.ErrnoException) => {
    if (worker !== started) return;
    worker = undefined;
    if (running === undefined) return;
    const { job } = running;
    const full = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    finish(job.reject, full ? tooExpensive(job, `${memoryMb} MB`) : error);
  });
  return started;
}

function tooExpensive({ input: { text } }: Job, limit: string): DocumentError {
  const hint = /^(?:\ufeff?\s*[{[]|data:)/.test(text) ? '' : ' YAML takes many times what JSON does: convert it.';
  return new DocumentError('too_expensive', `Reading the document took more than ${limit}.${hint}`);
}

/** Ends a document whose tools would fill the memory of the hub. */
function isTooLong(one: Running, more: number): boolean {
  one.length += more;
  if (one.length <= RESULT_MB * 1024 * 1024) return false;
  stop();
  const message = `The tools of the document take more than ${RESULT_MB} MB. Take operations or parameters out of it, in an overlay for example.`;
  finish((error) => one.job.reject(error), new DocumentError('too_expensive', message));
  return true;
}

function cut({ text, lengths }: Texts): string[] {
  let from = 0;
  return lengths.map((length) => text.slice(from, (from += length)));
}

function finish<T>(settle: (value: T) => void, value: T): void {
  if (running !== undefined) clearTimeout(running.timer);
  running = undefined;
  settle(value);
  next();
}

function stop(): void {
  const stopped = worker;
  worker = undefined;
  void stopped?.terminate();
}
