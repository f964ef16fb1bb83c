import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, parse as parsePath, posix } from 'node:path';
import { parse } from 'yaml';
import type { DocumentFolder } from '../../src/lanes/tools/openapi/types.ts';
import { isPart, type Part } from './resolver.ts';

/** Lies beside the repository. */
const FOLDER = join(import.meta.dirname, '../../../shared/openapi-corpus');
/** Hard ones of the corpus that are in the repository, for whoever has no copy of it. */
const FIXTURES = join(import.meta.dirname, '../fixtures/openapi');
/** The key under which the other files of a document stand once they are one. */
const FILES = 'x-files';

export interface CorpusDocument {
  /** `real/stripe` */
  readonly id: string;
  /** `real`, `nasty`, `fixtures`, …: the part of the id before the slash. */
  readonly group: string;
  /** As the manifest counts them, in the first file; 0 without a manifest. */
  readonly operations: number;
  readonly text: string;
  /** The files beside it, for documents in several files. */
  readonly folder?: DocumentFolder;
  /** All of it, parsed by a parser that the hub does not use for it where that is possible; several files as one. */
  readonly root: Part;
}

/** The documents of the corpus in the order of its manifest; undefined when there is no corpus. */
export function corpusDocuments(wanted: (id: string) => boolean = () => true): Iterable<CorpusDocument> | undefined {
  const manifest = join(FOLDER, 'manifest.json');
  if (!existsSync(manifest)) return undefined;
  const { documents } = JSON.parse(readFileSync(manifest, 'utf8')) as { documents: Entry[] };
  return read(
    FOLDER,
    documents.filter(({ id }) => wanted(id)),
  );
}

/** Those that are in the repository, all of the group `nasty`. */
export function committedDocuments(wanted: (id: string) => boolean = () => true): Iterable<CorpusDocument> {
  const entries = readdirSync(FIXTURES).map((file) => ({ id: `nasty/${parsePath(file).name}`, file, operations: 0 }));
  return read(
    FIXTURES,
    entries.filter(({ id }) => wanted(id)),
  );
}

interface Entry {
  readonly id: string;
  readonly file: string;
  readonly operations: number;
}

function* read(base: string, entries: readonly Entry[]): Generator<CorpusDocument> {
  for (const { id, file, operations } of entries) {
    const text = readFileSync(join(base, file), 'utf8').replace(/^\uFEFF/, '');
    const folder = folderOf(file);
    const root = folder === undefined ? parsed(file, text) : joined(folder, text);
    yield { id, group: id.split('/')[0] ?? '', operations, text, root, ...(folder !== undefined && { folder }) };
  }
}

function parsed(file: string, text: string): Part {
  return (file.endsWith('.json') ? JSON.parse(text) : parse(text, { logLevel: 'silent', maxAliasCount: -1, strict: false })) as Part;
}

/** The first file with the others under `x-files`, and references leading there. */
function joined({ entry, files }: DocumentFolder, text: string): Part {
  const others = [...files].map(([path, one]) => [path, rebased(parsed(path, one), path, entry)] as const);
  return { ...(rebased(parsed(entry, text), entry, entry) as Part), [FILES]: Object.fromEntries(others) };
}

function rebased(value: unknown, file: string, entry: string): unknown {
  if (Array.isArray(value)) return value.map((item) => rebased(item, file, entry));
  if (!isPart(value)) return value;
  const members = Object.entries(value).map(([key, item]) => [
    key,
    key === '$ref' && typeof item === 'string' && !item.includes('://') ? reference(item, file, entry) : rebased(item, file, entry),
  ]);
  return Object.fromEntries(members);
}

function reference(text: string, file: string, entry: string): string {
  const [path = '', pointer = ''] = text.split('#');
  const target = path === '' ? file : posix.join(posix.dirname(file), path);
  return target === entry ? `#${pointer}` : `#/${FILES}/${target.replaceAll('~', '~0').replaceAll('/', '~1')}${pointer}`;
}

/** `group/name/….yaml` is a document in several files, all below `group/name`. */
function folderOf(file: string): DocumentFolder | undefined {
  const [group = '', name = '', ...rest] = file.split('/');
  if (rest.length === 0) return undefined;
  const entry = rest.join('/');
  const base = join(FOLDER, group, name);
  const paths = readdirSync(base, { recursive: true, encoding: 'utf8' }).filter((path) => /\.(json|ya?ml)$/.test(path) && path !== entry);
  return { entry, files: new Map(paths.map((path) => [path, readFileSync(join(base, path), 'utf8')])), unread: new Map() };
}
