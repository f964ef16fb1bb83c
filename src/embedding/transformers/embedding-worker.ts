import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { WorkQueue, type Job, type Piece } from './work-queue.ts';

/** What the thread is started with. Paths are absolute. */
export interface EmbeddingWork {
  /** Of the library. */
  readonly library: string;
  /** Of the model folder. */
  readonly model: string;
  readonly pooling: 'mean' | 'cls';
}

/** What is asked of it; `end` that it ends when the text on its way is done. A job that is dropped is answered by an error. */
export type EmbeddingRequest = Job | { readonly drop: Pick<Job, 'id' | 'as'> } | 'end';

/** One vector after the other in `data`. The answer to no request, 0, says that the model is there. `done`: so many texts of the job are; the rest follows. */
export type EmbeddingAnswer =
  | { readonly id: number; readonly done: number }
  | { readonly id: number; readonly dims: number; readonly data: Float32Array<ArrayBuffer> }
  | { readonly id: number; readonly error: string };

type Extractor = (texts: readonly string[], options: object) => Promise<{ readonly data: Float32Array }>;

/** What is used of the library. */
interface Library {
  readonly env: Record<string, unknown>;
  pipeline(task: string, model: string, options: object): Promise<Extractor>;
}

const port = parentPort!;
const queue = new WorkQueue();
/** Vectors of jobs on their way, by id. */
const begun = new Map<number, Float32Array<ArrayBuffer>>();
let working = false;
let ending = false;

async function load({ library, model }: EmbeddingWork): Promise<Extractor> {
  const { env, pipeline } = createRequire(import.meta.url)(library) as Library;
  Object.assign(env, {
    allowLocalModels: true,
    localModelPath: dirname(model),
    allowRemoteModels: false,
    fetch: () => Promise.reject(new Error('Models are read from files only.')),
    // Its folder would be inside node_modules.
    useFSCache: false,
    useBrowserCache: false,
    useWasmCache: false,
    cacheDir: null,
  });
  return pipeline('feature-extraction', basename(model), {
    // The weights of 8 bits: model_quantized.onnx.
    dtype: 'q8',
    device: 'cpu',
    local_files_only: true,
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
  });
}

/** Carries out what waits. Between two texts new requests are heard, so that a query goes before what is left of many documents. */
async function work(extract: Extractor, pooling: EmbeddingWork['pooling']): Promise<void> {
  if (working) return;
  working = true;
  for (let piece = queue.next(); piece !== undefined; piece = queue.next()) {
    try {
      await carryOut(piece, extract, pooling);
    } catch (error) {
      drop(piece.job, messageOf(error));
    }
    await turn();
    // Not sooner: the library brings the whole process down when its thread ends while it computes.
    if (ending) process.exit();
  }
  working = false;
}

/**
 * One text at a time: in batches the weights of 8 bits give it another vector by what is beside it (cosine .98), for no more speed (measured: 5.0 s for
 * 1,000 descriptions alone, 5.1 s in batches of 8), and a query waits for the whole batch.
 */
async function carryOut({ job, place }: Piece, extract: Extractor, pooling: EmbeddingWork['pooling']): Promise<void> {
  const { data: vector } = await extract([job.texts[place]!], { pooling, normalize: true });
  const dims = vector.length;
  const data = (place > 0 ? begun.get(job.id) : undefined) ?? new Float32Array(job.texts.length * dims);
  data.set(vector, place * dims);
  if (place < job.texts.length - 1) {
    // It may have been dropped meanwhile.
    if (!queue.holds(job)) return;
    begun.set(job.id, data);
    port.postMessage({ id: job.id, done: place + 1 } satisfies EmbeddingAnswer);
    return;
  }
  begun.delete(job.id);
  port.postMessage({ id: job.id, dims, data } satisfies EmbeddingAnswer, [data.buffer]);
}

function drop(job: Pick<Job, 'id' | 'as'>, error: string): void {
  queue.drop(job);
  begun.delete(job.id);
  port.postMessage({ id: job.id, error } satisfies EmbeddingAnswer);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const given = workerData as EmbeddingWork;
try {
  const extract = await load(given);
  const first = await extract(['ready'], { pooling: given.pooling, normalize: true });
  port.on('message', (request: EmbeddingRequest) => {
    if (request === 'end') {
      ending = true;
      if (!working) process.exit();
      return;
    }
    if ('drop' in request) return drop(request.drop, 'Nobody waits for it any more.');
    queue.add(request);
    void work(extract, given.pooling);
  });
  port.postMessage({ id: 0, dims: first.data.length, data: new Float32Array() } satisfies EmbeddingAnswer);
} catch (error) {
  port.postMessage({ id: 0, error: messageOf(error) } satisfies EmbeddingAnswer);
}
