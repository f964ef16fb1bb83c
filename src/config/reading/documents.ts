import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { archiveText } from '../../core/decode-text.ts';
import type { SpecFile } from '../loaded.ts';
import { parseSize } from '../../core/units/size.ts';
import { loose, own } from './checks.ts';
import { readSettled, readSettledBytes } from './read-settled.ts';
import { isUnchanged, readRelatedFiles } from './related-files.ts';
import { agentDocument } from '../../core/contracts/resource.ts';

const LONGEST_NAME = 24;
const FOLDER = 'openapi-specs';
const DOCUMENT = /^[^.].*\.(?:json|ya?ml|zip)$/i;
const ARCHIVE = /\.zip$/i;
const DEFAULT_SIZE = '64MB';
/** Characters that are hashed at a time. */
const SLICE = 4 * 1024 * 1024;

/** One file as it was when it was last read; no document when it is none. */
interface Seen {
  readonly modified: number;
  readonly bytes: number;
  readonly document: SpecFile | undefined;
}
const memory = new WeakMap<readonly SpecFile[], ReadonlyMap<string, Seen>>();

export interface FoundDocuments {
  readonly documents: readonly SpecFile[];
  /** Files whose name gives no name for a service, relative to the folder. */
  readonly nameless: readonly string[];
  /** Absolute paths of all that was looked at. */
  readonly files: readonly string[];
}

/** The name under which a document is served that no entry names; empty when nothing is left of it. */
export function serviceName(file: string): string {
  const base = path.basename(file).replace(/\.[^.]+$/, '');
  return base
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, LONGEST_NAME);
}

/** Entries by the absolute path of the file that they name; URLs are left out. */
function namedFiles(root: unknown, folder: string): Map<string, string[]> {
  const named = new Map<string, string[]>();
  const add = (file: string | undefined, name: string): void => {
    if (file !== undefined) named.set(file, [...(named.get(file) ?? []), name]);
  };
  const absolute = (spec: unknown) =>
    typeof spec === 'string' && !/^[a-z][a-z0-9+.-]*:\/\//i.test(spec) ? path.resolve(folder, spec) : undefined;
  for (const [name, service] of Object.entries(loose(own(root, 'services')))) {
    add(absolute(own(service, 'spec')), name);
  }
  for (const [name, agent] of Object.entries(loose(own(root, 'agents'))))
    add(absolute(own(own(agent, 'rest'), 'spec')), agentDocument(name));
  return named;
}

/**
 * The OpenAPI documents of a configuration: files that entries of `root` name, and the top-level files of openapi-specs/ that have an `openapi` or
 * `swagger` key or are zip archives, each with the files that it refers to. What cannot be read is there with `error`. Files that are as they were in `previous` are not read again.
 */
export async function findDocuments(root: unknown, folder: string, previous?: readonly SpecFile[]): Promise<FoundDocuments> {
  const before = (previous && memory.get(previous)) ?? new Map<string, Seen>();
  const seen = new Map<string, Seen>();
  const documents: SpecFile[] = [];
  const nameless: string[] = [];
  const directory = path.join(folder, FOLDER);
  const services = namedFiles(root, folder);
  const limit = fileSizeOf(root);
  const look = async (file: string, service: string, named: boolean) => {
    const found = await readDocument(file, { service, display: displayPath(file, folder), named, limit }, before.get(file));
    if (!found) return;
    seen.set(file, found);
    if (found.document) documents.push({ ...found.document, service });
  };

  for (const [file, names] of services) for (const name of names) await look(file, name, true);
  const listed = await readdir(directory).catch(() => []);
  for (const name of listed.filter((entry) => DOCUMENT.test(entry)).sort()) {
    const file = path.join(directory, name);
    if (services.has(file)) continue;
    const service = serviceName(name);
    if (service === '') nameless.push(displayPath(file, folder));
    else await look(file, service, false);
  }
  memory.set(documents, seen);
  const related = documents.flatMap((one) => [...(one.related?.looked.keys() ?? [])]);
  return { documents, nameless, files: [directory, ...services.keys(), ...seen.keys(), ...related] };
}

/** How large a file may be, as the configuration says it. */
export function fileSizeOf(root: unknown): string {
  const asked = own(own(root, 'documents'), 'fileSize');
  return typeof asked === 'string' && parseSize(asked) !== undefined ? asked : DEFAULT_SIZE;
}

/** Relative to the folder of the configuration; absolute when it lies outside. */
export function displayPath(file: string, folder: string): string {
  const relative = path.relative(folder, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative.split(path.sep).join('/');
}

async function readDocument(
  file: string,
  as: { service: string; display: string; named: boolean; limit: string },
  before?: Seen,
): Promise<Seen | undefined> {
  const { service, display, named, limit } = as;
  const broken = (code: string, message: string, modified = 0, bytes = 0): Seen => {
    const error = { code, message, severity: 'error', file: display, line: 1, column: 1 } as const;
    return { modified, bytes, document: { service, file, display, text: '', hash: '', modified, bytes, error } };
  };
  try {
    const info = await stat(file);
    if (!info.isFile()) return named ? broken('document-missing', `${display} is not a file.`) : undefined;
    const { mtimeMs: modified, size: bytes } = info;
    if (before && before.modified === modified && before.bytes === bytes && (before.document ?? !named)) {
      const { related } = before.document ?? {};
      if (related === undefined || (await isUnchanged(related))) return before;
    }
    if (bytes > (parseSize(limit) ?? 0)) {
      return broken('document-too-large', `${display} is larger than ${limit}. Raise documents.fileSize to read it.`, modified, bytes);
    }
    if (ARCHIVE.test(file)) {
      const text = archiveText(await readSettledBytes(file));
      return { modified, bytes, document: { service, file, display, text, hash: await hashOf(text), modified, bytes } };
    }
    const text = await readSettled(file);
    if (!named && !isDescription(text)) return { modified, bytes, document: undefined };
    const related = await readRelatedFiles(file, text, parseSize(limit) ?? 0);
    const found = related.hash === '' ? {} : { related };
    return {
      modified,
      bytes,
      document: { service, file, display, text, hash: (await hashOf(text)) + related.hash, ...found, modified, bytes },
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !named) return undefined;
    const message = code === 'ENOENT' ? `There is no file ${display}.` : `${display} cannot be read (${code}). Check its permissions.`;
    return broken(code === 'ENOENT' ? 'document-missing' : 'document-unreadable', message);
  }
}

/** In slices, between which other work gets its turn. */
async function hashOf(text: string): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < text.length; at += SLICE) {
    if (at > 0) await breathe();
    hash.update(text.slice(at, at + SLICE));
  }
  return hash.digest('hex');
}

const BLOCK_KEY = /^(?:openapi|swagger|"openapi"|"swagger"|'openapi'|'swagger')[ \t]*:/m;
const WORD = /^(?:"(?:openapi|swagger)"|'(?:openapi|swagger)'|openapi|swagger)\s*:/;
const LONGEST_WORD = 64;

/** True when a JSON or YAML text has `openapi` or `swagger` as a key at its top. The text is looked through, not parsed. */
export function isDescription(text: string): boolean {
  if (!/openapi|swagger/.test(text)) return false;
  const first = text.search(/[^\s\uFEFF]/);
  return text[first] === '{' ? hasFlowKey(text, first) : BLOCK_KEY.test(text);
}

function hasFlowKey(text: string, from: number): boolean {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (depth === 1 && isWordAt(text, at)) return true;
    if (char === '"') at = endOfString(text, at);
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
  }
  return false;
}

function isWordAt(text: string, at: number): boolean {
  const char = text[at];
  if (char !== '"' && char !== "'" && char !== 'o' && char !== 's') return false;
  return /[{,\s]/.test(text[at - 1] ?? '') && WORD.test(text.slice(at, at + LONGEST_WORD));
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
