import { createWriteStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { gitBlobOf, hashFile } from '../hash-file.ts';
import { SourceError, type ModelSource, type Opened } from './model-source.ts';

/** By what a file was found to be the one that its source means; `size` alone catches what was cut, and nothing else. */
export type Check = 'SHA256SUMS' | 'x-linked-etag' | 'git blob' | 'size' | 'nothing';

export interface FetchedFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly checks: readonly Check[];
}

export interface FetchFileOptions {
  readonly source: ModelSource;
  /** Where the whole file goes. */
  readonly folder: string;
  /** Where what has come of it waits for the rest; outlives this process. */
  readonly partial: string;
  /** In hex, by SHA256SUMS of the source. */
  readonly sha256?: string;
  /** Told of bytes as they come, and of a second try. */
  readonly onProgress?: (progress: FileProgress) => void;
  /** Milliseconds before a second try; doubled for each after it. */
  readonly pauseMs?: number;
  /** Bytes that the file can have: what its source tells is no reason to take more. */
  readonly most: number;
  /** Bytes that are free where a path is; the file system is asked when absent. */
  readonly freeBytes?: (path: string) => Promise<number>;
}

export interface FileProgress {
  readonly file: string;
  readonly bytes: number;
  readonly size?: number;
  /** The connection broke or the file was wrong, and it goes on; in words. */
  readonly again?: string;
}

const PAUSE_MS = 1000;
/** In a row, without a byte more. */
const MOST_TRIES = 4;
/** What a file system needs beside the file. */
const SPARE_BYTES = 16_000_000;

/** Brings one file, going on where an earlier try broke off, and checks it. Undefined when the source has none. A file that fails its check is removed. Throws SourceError. */
export async function fetchFile(name: string, options: FetchFileOptions): Promise<FetchedFile | undefined> {
  const { folder, partial, onProgress, pauseMs = PAUSE_MS } = options;
  await mkdir(dirname(partial), { recursive: true });
  for (let tries = 1, before = await sizeOf(partial); ; tries++) {
    try {
      const told = await transfer(name, options);
      if (told === undefined) return undefined;
      const target = join(folder, name);
      await mkdir(dirname(target), { recursive: true });
      await rename(partial, target);
      await rm(`${partial}.json`, { force: true });
      return { name, ...told };
    } catch (error) {
      const now = await sizeOf(partial);
      if (now > before) tries = 1;
      if (!(error instanceof SourceError && error.transient) || tries >= MOST_TRIES) throw error;
      onProgress?.({ file: name, bytes: now, again: error.message });
      before = now;
      await sleep(pauseMs * 2 ** (tries - 1));
    }
  }
}

async function transfer(name: string, options: FetchFileOptions): Promise<Omit<FetchedFile, 'name'> | undefined> {
  const { partial } = options;
  const kept = await readKept(partial);
  const opened = await resumed(name, options, kept);
  if (opened === undefined) return undefined;
  try {
    checkSize(name, opened, options);
    await checkRoom(name, opened, options);
    await writeFile(`${partial}.json`, JSON.stringify({ etag: opened.etag, sha256: options.sha256 ?? opened.sha256 }));
  } catch (error) {
    opened.close();
    throw error;
  }
  await save(name, opened, options);
  try {
    return await check(name, opened, options);
  } catch (error) {
    await discard(partial);
    // The part that was here already may have been of another file: all of it again, once.
    if (opened.from > 0) throw new SourceError((error as Error).message, true);
    throw error;
  }
}

interface Kept {
  readonly bytes: number;
  readonly etag?: string;
  readonly sha256?: string;
}

/** The answer from where the kept part ends, or from the beginning where it cannot be the same file. */
async function resumed(name: string, { source, sha256 }: FetchFileOptions, kept: Kept): Promise<Opened | undefined> {
  const named = kept.etag !== undefined || kept.sha256 !== undefined;
  if (kept.bytes === 0 || !named) return source.open(name);
  let opened: Opened | undefined;
  try {
    opened = await source.open(name, { from: kept.bytes, ...(kept.etag !== undefined && { etag: kept.etag }) });
  } catch (error) {
    // Such as 416: there is nothing behind what is kept.
    if (!(error instanceof SourceError) || error.transient) throw error;
    return source.open(name);
  }
  const now = sha256 ?? opened?.sha256;
  const known = now !== undefined && kept.sha256 !== undefined;
  if (opened === undefined || opened.from === 0 || (known ? now === kept.sha256 : kept.etag !== undefined)) return opened;
  opened.close();
  return source.open(name);
}

async function readKept(partial: string): Promise<Kept> {
  try {
    const { etag, sha256 } = JSON.parse(await readFile(`${partial}.json`, 'utf8')) as Kept;
    return { bytes: await sizeOf(partial), ...(etag !== undefined && { etag }), ...(sha256 !== undefined && { sha256 }) };
  } catch {
    return { bytes: 0 };
  }
}

/** @throws SourceError when the source itself tells of more than the file can have. */
function checkSize(name: string, { size }: Opened, { most, source }: FetchFileOptions): void {
  if (size !== undefined && size > most) throw tooLarge(name, source, `it says ${megabytes(size)}, and ${megabytes(most)} are the most`);
}

/** @throws SourceError before anything is written. */
async function checkRoom(name: string, { size, from }: Opened, { partial, freeBytes = freeOn }: FetchFileOptions): Promise<void> {
  if (size === undefined) return;
  const [needed, free] = [size - from + SPARE_BYTES, await freeBytes(dirname(partial))];
  if (needed <= free) return;
  throw new SourceError(
    `${name} needs ${megabytes(needed)} in ${dirname(dirname(partial))}, where ${megabytes(free)} are free. Make room, or set embedding.folder to a folder on another disk.`,
    false,
  );
}

/** @throws SourceError also when more comes than was told, or than the file can have where nothing was; what came is removed then. */
async function save(name: string, { body, from, size }: Opened, { partial, source, most, onProgress }: FetchFileOptions): Promise<void> {
  const limit = size ?? most;
  let bytes = from;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > limit) throw tooLarge(name, source, `it goes on after ${limit} bytes`, from > 0);
      yield piece;
      onProgress?.({ file: name, bytes, ...(size !== undefined && { size }) });
    }
  }
  try {
    await pipeline(Readable.from(counted()), createWriteStream(partial, { flags: from > 0 ? 'a' : 'w' }));
  } catch (error) {
    if (bytes > limit) await discard(partial);
    if (error instanceof SourceError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === 'ENOSPC' ? 'the disk is full. Make room and run it again: it goes on where it stopped' : message;
    throw new SourceError(`${name} cannot be kept: ${what}.`, false, error);
  }
  const file = await open(partial, 'r+');
  await file.sync().finally(() => file.close());
}

/** @throws SourceError that says what is not as it was told. */
async function check(
  name: string,
  opened: Opened,
  { partial, source, sha256: listed }: FetchFileOptions,
): Promise<Omit<FetchedFile, 'name'>> {
  const size = await sizeOf(partial);
  const sha256 = await hashFile(partial);
  const refuse = (what: string, told: string | number, is: string | number): never => {
    throw new SourceError(
      `${name} of ${source.shown} is not what it should be: ${what} says ${told}, and what came has ${is}. It was removed. Try again; when it stays so, the source or something on the way changes the file.`,
      false,
    );
  };
  const checks: Check[] = [];
  if (opened.size !== undefined && size !== opened.size) return refuse('the source', `${opened.size} bytes`, `${size} bytes`);
  if (listed !== undefined) {
    if (sha256 !== listed) return refuse('SHA256SUMS', listed, sha256);
    checks.push('SHA256SUMS');
  }
  if (opened.sha256 !== undefined) {
    if (sha256 !== opened.sha256) return refuse('x-linked-etag', opened.sha256, sha256);
    checks.push('x-linked-etag');
  } else if (opened.gitBlob !== undefined) {
    const blob = await gitBlobOf(partial);
    if (blob !== opened.gitBlob) return refuse('its git blob', opened.gitBlob, blob);
    checks.push('git blob');
  }
  if (checks.length === 0) checks.push(opened.size === undefined ? 'nothing' : 'size');
  return { size, sha256, checks };
}

/** `transient` where the part that was here already may have been of another file: all of it again, once. */
function tooLarge(name: string, { shown }: ModelSource, what: string, transient = false): SourceError {
  return new SourceError(`${name} of ${shown} is larger than it may be: ${what}. Nothing of it is kept.`, transient);
}

async function discard(partial: string): Promise<void> {
  await Promise.all([partial, `${partial}.json`].map((path) => rm(path, { force: true })));
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function freeOn(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
