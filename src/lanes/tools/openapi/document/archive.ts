import { inflateRawSync } from 'node:zlib';
import { decodeText } from '../../../../core/decode-text.ts';
import type { DocumentLimits } from '../types.ts';
import { DocumentError } from '../types.ts';

/** How an archive stands where a document's text does. */
const PREFIX = /^data:application\/(?:zip|x-zip-compressed|octet-stream);base64,/;
/** Entries that are not documents are passed over, up to this many in all. */
const MOST_ENTRIES = 20_000;
const MOST_FILES = 1000;
/** Bytes that a small file may have whatever it was packed to, and how many times its packed size a larger one. */
const SMALL = 1024 * 1024;
const MOST_RATIO = 200;
const DOCUMENT = /\.(?:json|ya?ml)$/i;
const SYMLINK = 0xa000;
/** Comment of the file that is the document itself, in archives that the hub makes. */
const ENTRY_COMMENT = 'openapi';

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
  readonly comment: string;
}

export interface Archive {
  readonly files: ReadonlyMap<string, string>;
  /** The document itself, where the archive says which it is. */
  readonly entry: string | undefined;
}

export function isArchive(text: string): boolean {
  return text.startsWith('data:') && PREFIX.test(text.slice(0, 80));
}

/**
 * The JSON and YAML files of a zip archive (PKWARE APPNOTE 6.3, no zip64, not encrypted) by their paths in it. Throws DocumentError `invalid_archive` for
 * what is none, for names that lead out of it and for links, `too_large` and `too_many_files` for what would unpack to more than the limits.
 */
export function readArchive(text: string, limits: DocumentLimits): Archive {
  const encoded = text.slice(text.indexOf(',') + 1);
  if (encoded.length * 0.75 > limits.bytes + 3)
    throw new DocumentError('too_large', `The archive is larger than ${Math.floor(limits.bytes / 1024 / 1024)} MB.`);
  const bytes = Buffer.from(encoded, 'base64');
  const files = new Map<string, string>();
  let left = limits.bytes;
  let marked: string | undefined;
  for (const entry of entriesOf(bytes)) {
    if (!DOCUMENT.test(entry.name) || /(?:^|\/)(?:\.|__MACOSX\/)/.test(entry.name)) continue;
    if (files.size >= MOST_FILES) throw new DocumentError('too_many_files', `The archive has more than ${MOST_FILES} JSON and YAML files.`);
    if (files.has(entry.name)) throw invalid(`has two files ${shownName(entry.name)}`);
    const content = unpack(bytes, entry, left, limits);
    left -= content.length;
    files.set(entry.name, decodeText(content));
    if (entry.comment === ENTRY_COMMENT) marked ??= entry.name;
  }
  if (files.size === 0) throw new DocumentError('empty', 'The archive has no JSON or YAML file.');
  return { files, entry: marked };
}

function invalid(what: string): DocumentError {
  return new DocumentError('invalid_archive', `The zip archive ${what}.`);
}

function shownName(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}

function* entriesOf(bytes: Buffer): Generator<Entry> {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (bytes.length < 22 || end < 0 || end + 22 > bytes.length) throw invalid('cannot be read: it is no zip file, or it is cut off'); // prettier-ignore
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  if (count === 0xffff || at === 0xffffffff) throw invalid('is of the zip64 kind, which is not read');
  if (count > MOST_ENTRIES) throw new DocumentError('too_many_files', `The archive has more than ${MOST_ENTRIES} entries.`);
  for (let index = 0; index < count; index += 1) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50) throw invalid('cannot be read: its list of files is damaged');
    const [nameLength, extra, comment] = [bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32)];
    const name = checkedName(bytes.toString('utf8', at + 46, at + 46 + nameLength));
    if (((bytes.readUInt32LE(at + 38) >>> 16) & 0xf000) === SYMLINK) throw invalid(`has a link, ${shownName(name)}; links are not read`);
    if ((bytes.readUInt16LE(at + 8) & 1) !== 0) throw invalid('is encrypted');
    yield {
      name,
      method: bytes.readUInt16LE(at + 10),
      packed: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      offset: bytes.readUInt32LE(at + 42),
      comment: bytes.toString('latin1', at + 46 + nameLength + extra, at + 46 + nameLength + extra + Math.min(comment, 20)),
    };
    at += 46 + nameLength + extra + comment;
  }
}

/** Throws for a name that leads out of the archive, whether the file is a document or not: such an archive was made to do harm. */
function checkedName(name: string): string {
  const plain = name.replaceAll('\\', '/');
  if (plain.startsWith('/') || /^[a-z]:/i.test(plain) || plain.split('/').includes('..') || plain.includes('\0'))
    throw invalid(`has a name that leads out of it, ${shownName(name)}`);
  return plain.replace(/^(?:\.\/)+/, '');
}

function unpack(bytes: Buffer, { name, method, packed, size, offset }: Entry, left: number, limits: DocumentLimits): Buffer {
  if (offset + 30 > bytes.length || bytes.readUInt32LE(offset) !== 0x04034b50)
    throw invalid(`cannot be read: ${shownName(name)} is damaged`);
  const from = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
  if (from + packed > bytes.length) throw invalid(`cannot be read: ${shownName(name)} is cut off`);
  const content = bytes.subarray(from, from + packed);
  const most = Math.min(left, Math.max(SMALL, packed * MOST_RATIO));
  const over = (): DocumentError =>
    new DocumentError(
      'too_large',
      most === left
        ? `The archive unpacks to more than ${Math.floor(limits.bytes / 1024 / 1024)} MB.`
        : `The archive's file ${shownName(name)} unpacks to more than ${MOST_RATIO} times its size.`,
    );
  if (method === 0 ? packed > most : size > most) throw over();
  if (method === 0) return content;
  if (method !== 8) throw invalid(`has ${shownName(name)} packed by method ${method}; only deflate is read`);
  try {
    return inflateRawSync(content, { maxOutputLength: Math.max(1, most) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw over();
    throw invalid(`cannot be read: ${shownName(name)} is damaged`);
  }
}
