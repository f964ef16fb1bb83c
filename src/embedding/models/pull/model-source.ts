import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** One file as its source gives it. */
export interface Opened {
  /** Bytes of the whole file, where it is told. */
  readonly size?: number;
  /** Where `body` begins: what was asked for, or 0. */
  readonly from: number;
  /** SHA-256 of the whole file in hex, by the source's own word. */
  readonly sha256?: string;
  /** What git calls the content, by the source's own word. */
  readonly gitBlob?: string;
  /** A strong one: it names these bytes. */
  readonly etag?: string;
  /** Of the repository that the file is in. */
  readonly commit?: string;
  /** To be read once. Throws SourceError. */
  readonly body: AsyncIterable<Uint8Array>;
  /** To be called when the body is not read. */
  close(): void;
}

/** Where the files of one model are. */
export interface ModelSource {
  /** For a person. */
  readonly shown: string;
  /** The branch, tag or commit; absent where there is no such thing. */
  readonly revision?: string;
  /** Undefined when there is no such file. Throws SourceError. */
  open(file: string, resume?: Resume): Promise<Opened | undefined>;
  /** The same at one commit, so that all files are of one state. */
  at?(commit: string): ModelSource;
}

/** What is here already. Without an etag the rest may be that of another file: who asks so has to compare digests. */
export interface Resume {
  readonly from: number;
  readonly etag?: string;
}

/** The source cannot be read. The message says what a person can do. */
export class SourceError extends Error {
  /** The same request may work a little later. */
  readonly transient: boolean;

  constructor(message: string, transient: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SourceError';
    this.transient = transient;
  }
}

/** No answer, or not to its end: it may be the network, which a person can go around. */
export class UnreachableError extends SourceError {}

/** A folder of this machine. */
export function folderSource(folder: string): ModelSource {
  return {
    shown: folder,
    async open(file) {
      const path = join(folder, file);
      const info = await stat(path).catch(() => undefined);
      if (info?.isFile() !== true) return undefined;
      const body = createReadStream(path);
      return { size: info.size, from: 0, body, close: () => void body.destroy() };
    },
  };
}

/** A small file whole; undefined when there is none. Throws SourceError for one that is larger than `most` bytes. */
export async function readSmall(
  source: ModelSource,
  file: string,
  most: number,
): Promise<(Opened & { readonly bytes: Buffer }) | undefined> {
  const opened = await source.open(file);
  if (opened === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of opened.body) {
    size += chunk.length;
    if (size > most) throw new SourceError(`${file} of ${source.shown} is larger than ${most} bytes, which it cannot be.`, false);
    chunks.push(chunk);
  }
  return { ...opened, bytes: Buffer.concat(chunks) };
}
