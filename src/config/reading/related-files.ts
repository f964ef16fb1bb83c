import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { fileReference } from '../../core/file-reference.ts';
import type { RelatedFiles } from '../loaded.ts';
import { readSettled } from './read-settled.ts';

const MOST_FILES = 1000;
const DOCUMENT = /\.(?:json|ya?ml)$/i;
/** A `$ref` to something else than a place in its own file, in JSON or YAML. Others than those that are references may match: they are only read. */
const REFERENCE = /\$ref["']?\s*:\s*(?:("(?!#)(?:[^"\\\n]|\\.){1,1000}")|'(?!#)([^'\n]{1,1000})'|(?!["'#{[|>&*!])([^\s,}\]]{1,1000}))/y;
/** Characters that are looked through before other work gets its turn. */
const SLICE = 256 * 1024;

const NONE: RelatedFiles = { files: new Map(), unread: new Map(), looked: new Map(), hash: '' };

/**
 * Reads the files that a document refers to, and those that they refer to: JSON and YAML in the document's own folder and below it, at most 1,000 with
 * `limit` bytes in all. Whatever lies elsewhere, also behind a link, or has a hidden name is never opened. Never throws: what is not read is told in `unread`.
 */
export async function readRelatedFiles(document: string, text: string, limit: number): Promise<RelatedFiles> {
  const first = await referencesIn(text);
  if (first.length === 0) return NONE;
  const root = path.dirname(document);
  const reading = new Reading(root, await realpath(root).catch(() => root), limit - text.length);
  await reading.follow(path.basename(document), first);
  return reading.result(path.basename(document));
}

/** True while every file that was looked for is as it was. */
export async function isUnchanged({ looked }: RelatedFiles): Promise<boolean> {
  for (const [file, stamp] of looked) if ((await stampOf(file)) !== stamp) return false;
  return true;
}

class Reading {
  readonly #root: string;
  readonly #real: string;
  #left: number;
  readonly #files = new Map<string, string>();
  readonly #unread = new Map<string, string>();
  readonly #looked = new Map<string, string>();

  constructor(root: string, real: string, left: number) {
    this.#root = root;
    this.#real = real;
    this.#left = left;
  }

  async follow(entry: string, first: readonly string[]): Promise<void> {
    const seen = new Set([entry]);
    const waiting = first.map((reference) => ({ from: entry, reference }));
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const found = fileReference(next.from, next.reference);
      if ('outside' in found || seen.has(found.path)) continue;
      const name = found.path;
      seen.add(name);
      const read = await this.#read(name);
      if ('reason' in read) this.#unread.set(name, read.reason);
      else {
        this.#files.set(name, read.text);
        for (const reference of await referencesIn(read.text)) waiting.push({ from: name, reference });
      }
    }
  }

  result(entry: string): RelatedFiles {
    if (this.#files.size === 0 && this.#unread.size === 0) return NONE;
    const hash = createHash('sha256').update(entry);
    for (const [name, text] of [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1)))
      hash.update(`\n${name}\n${text.length}\n`).update(text);
    for (const [name, reason] of this.#unread) hash.update(`\n${name}\n${reason}`);
    return { files: this.#files, unread: this.#unread, looked: this.#looked, hash: hash.digest('hex') };
  }

  async #read(name: string): Promise<{ readonly text: string } | { readonly reason: string }> {
    const reason = refusedName(name);
    if (reason !== undefined) return { reason };
    if (this.#files.size >= MOST_FILES) return { reason: `the document refers to more than ${MOST_FILES} files.` };
    const file = path.join(this.#root, name);
    this.#looked.set(file, await stampOf(file));
    try {
      const real = await realpath(file);
      if (!real.startsWith(this.#real.endsWith(path.sep) ? this.#real : this.#real + path.sep))
        return { reason: 'it is a link that leads out of the folder.' };
      const info = await stat(real);
      if (!info.isFile()) return { reason: 'it is not a file.' };
      if (info.size > this.#left) return { reason: 'the document and the files it refers to are larger than documents.fileSize.' };
      this.#left -= info.size;
      return { text: await readSettled(real) };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return { reason: code === 'ENOENT' ? 'there is no such file.' : `it cannot be read (${code}).` };
    }
  }
}

/** Only what can be part of a description: no settings, no secrets beside it. */
function refusedName(name: string): string | undefined {
  if (!DOCUMENT.test(name)) return 'only .json, .yaml and .yml files are.';
  if (name.split('/').some((part) => part.startsWith('.') || part === 'node_modules')) return 'hidden files and node_modules are not.';
  return /(?:^|\/)hubgate\.ya?ml$/i.test(name) ? 'it is a configuration of the hub.' : undefined;
}

async function referencesIn(text: string): Promise<string[]> {
  const found = new Set<string>();
  let until = SLICE;
  for (let at = text.indexOf('$ref'); at >= 0; at = text.indexOf('$ref', at + 4)) {
    if (at > until) {
      await breathe();
      until = at + SLICE;
    }
    // Most lead into their own file, which is told without the pattern.
    if (/^\$ref["']?:\s?["']#/.test(text.slice(at, at + 10))) continue;
    REFERENCE.lastIndex = at;
    const match = REFERENCE.exec(text);
    if (match === null) continue;
    found.add(match[1] === undefined ? (match[2] ?? match[3] ?? '') : unquoted(match[1]));
  }
  return [...found];
}

function unquoted(literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal.slice(1, -1);
  }
}

async function stampOf(file: string): Promise<string> {
  return stat(file).then(
    ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
    () => '',
  );
}
