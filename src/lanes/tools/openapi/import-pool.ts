import { Worker } from 'node:worker_threads';
import type { JsonObject } from '../../../core/tools.ts';
import type { ServiceHead } from './compile.ts';
import type { CompiledOperation, CompiledService, CompileInput, CompileProgress } from './types.ts';
import { DocumentError, withSchema } from './types.ts';

/** To the worker: a document, or that one of its messages has been read. */
export type CompileQuestion =
  | { readonly id: number; readonly input: CompileInput; readonly wantsProgress: boolean }
  | { readonly id: number; readonly taken: true };

/**
 * From the worker. Large results come in parts, because a thread stands still while it reads a message: operations as JSON (an array of each operation
 * and its input schema in turn), definitions, and last what is left. Parts are to be answered with `taken`.
 */
export type CompileAnswer =
  | { readonly id: number; readonly progress: CompileProgress }
  | { readonly id: number; readonly operations: string }
  | { readonly id: number; readonly definitions: readonly (readonly [name: string, text: string])[] }
  | { readonly id: number; readonly head: Omit<ServiceHead, 'definitions'> }
  | { readonly id: number; readonly error: Pick<DocumentError, 'code' | 'message' | 'pointer' | 'line' | 'column' | 'file'> };

interface Job {
  readonly input: CompileInput;
  readonly limitMs: number;
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
}

export interface CompileOptions {
  readonly limitMs?: number;
  readonly onProgress?: (progress: CompileProgress) => void;
}

const LIMIT_MS = 30_000;
const IDLE_MS = 10_000;
const MEMORY_MB = 700;

/** One worker reads one document at a time: documents are other people's, and must not hold up or bring down the hub. */
let worker: Worker | undefined;
let running: Running | undefined;
let idle: NodeJS.Timeout | undefined;
let lastId = 0;
const waiting: Job[] = [];

/**
 * `compileDocument` in a worker thread, documents in turn. Rejects with DocumentError: that of the document, or `too_expensive` when it takes more
 * than `limitMs` (30 s) or 700 MB. `onProgress` hears a few times a second how far it is.
 */
export function compileInWorker(input: CompileInput, options: CompileOptions = {}): Promise<CompiledService> {
  return new Promise((resolve, reject) => {
    waiting.push({ input, limitMs: options.limitMs ?? LIMIT_MS, onProgress: options.onProgress, resolve, reject });
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
  worker ??= start();
  worker.ref();
  lastId += 1;
  const timer = setTimeout(() => {
    stop();
    finish(
      (error) => job.reject(error),
      new DocumentError('too_expensive', `Reading the document took more than ${job.limitMs / 1000} s.`),
    );
  }, job.limitMs);
  running = { id: lastId, job, timer, operations: [], definitions: new Map() };
  worker.postMessage({ id: lastId, input: job.input, wantsProgress: job.onProgress !== undefined } satisfies CompileQuestion);
}

/** A worker that has nothing to do keeps no process alive, and ends soon. */
function rest(): void {
  worker?.unref();
  clearTimeout(idle);
  idle = setTimeout(stop, IDLE_MS);
  idle.unref();
}

function start(): Worker {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const started = new Worker(new URL(`./worker${extension}`, import.meta.url), {
    // The environment may hold secrets, and reading a document needs none of it.
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: 16 },
  });
  started.on('message', (answer: CompileAnswer) => {
    if (worker !== started || running?.id !== answer.id) return;
    const { job, operations, definitions } = running;
    if ('progress' in answer) job.onProgress?.(answer.progress);
    else if ('operations' in answer) {
      addOperations(operations, answer.operations);
      started.postMessage({ id: answer.id, taken: true } satisfies CompileQuestion);
    } else if ('definitions' in answer) {
      for (const [name, text] of answer.definitions) definitions.set(name, text);
      started.postMessage({ id: answer.id, taken: true } satisfies CompileQuestion);
    } else if ('head' in answer) finish(job.resolve, { ...answer.head, operations, definitions: Object.fromEntries(definitions) });
    else finish(job.reject, new DocumentError(answer.error.code, answer.error.message, placeOf(answer.error)));
  });
  started.on('error', (error: NodeJS.ErrnoException) => {
    if (worker !== started) return;
    worker = undefined;
    if (running === undefined) return;
    const { job } = running;
    const full = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    finish(job.reject, full ? new DocumentError('too_expensive', `Reading the document took more than ${MEMORY_MB} MB.`) : error);
  });
  return started;
}

function addOperations(operations: CompiledOperation[], text: string): void {
  const parts = JSON.parse(text) as unknown[];
  for (let index = 0; index < parts.length; index += 2) {
    operations.push(withSchema(parts[index] as CompiledOperation, parts[index + 1] as JsonObject));
  }
}

function placeOf({ pointer, line, column, file }: Pick<DocumentError, 'pointer' | 'line' | 'column' | 'file'>) {
  return {
    ...(pointer !== undefined && { pointer }),
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
    ...(file !== undefined && { file }),
  };
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
