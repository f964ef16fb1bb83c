import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** What is hashed; a thread answers with the digest in hex. */
export interface HashRequest {
  readonly path: string;
  readonly algorithm?: 'sha256' | 'sha1';
  /** What is hashed before the content. */
  readonly before?: string;
}

/** Bytes from which a thread of its own is worth its start: a few milliseconds of hashing. */
const LARGE = 4_000_000;

/** The digest of a file in hex. A large one is read in another thread, so that nobody's call waits for it. */
export async function hashFile(path: string): Promise<string> {
  const { size } = await stat(path);
  return size < LARGE ? digest({ path }) : inThread({ path });
}

/** What git would call the content: SHA-1 over its length and itself, in hex. For small files. */
export async function gitBlobOf(path: string): Promise<string> {
  const { size } = await stat(path);
  return digest({ path, algorithm: 'sha1', before: `blob ${size}\0` });
}

export async function digest({ path, algorithm = 'sha256', before = '' }: HashRequest): Promise<string> {
  const hash = createHash(algorithm).update(before);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function inThread(request: HashRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    // Beside this file is the worker in the same form: .ts in the sources, .js in a package.
    const worker = new Worker(new URL(`./hash-worker${extname(import.meta.url)}`, import.meta.url), { workerData: request, execArgv: [] });
    worker.once('message', resolve).once('error', reject);
    worker.once('exit', () => reject(new Error(`${request.path} could not be read to its end.`)));
  });
}
