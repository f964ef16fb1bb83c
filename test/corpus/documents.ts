import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { DocumentFolder } from '../../src/lanes/tools/openapi/types.ts';
import type { Part } from './resolver.ts';

/** Lies beside the repository; whoever has no copy gets a line that says so. */
const FOLDER = join(import.meta.dirname, '../../../shared/openapi-corpus');

export interface CorpusDocument {
  /** `real/stripe` */
  readonly id: string;
  /** `real`, `nasty`, `fixtures`, …: the part of the id before the slash. */
  readonly group: string;
  readonly operations: number;
  readonly text: string;
  /** The files beside it, for documents in several files: those are compiled and counted, but nothing is sent. */
  readonly folder?: DocumentFolder;
  /** The same, parsed by a parser that the hub does not use for it where that is possible. */
  readonly root: Part;
}

/** The documents of the corpus in the order of its manifest; undefined when there is no corpus. */
export function corpusDocuments(wanted: (id: string) => boolean = () => true): Iterable<CorpusDocument> | undefined {
  const manifest = join(FOLDER, 'manifest.json');
  if (!existsSync(manifest)) return undefined;
  const { documents } = JSON.parse(readFileSync(manifest, 'utf8')) as { documents: { id: string; file: string; operations: number }[] };
  return read(documents.filter(({ id }) => wanted(id)));
}

function* read(documents: readonly { id: string; file: string; operations: number }[]): Generator<CorpusDocument> {
  for (const { id, file, operations } of documents) {
    const text = readFileSync(join(FOLDER, file), 'utf8').replace(/^\uFEFF/, '');
    const root = (
      file.endsWith('.json') ? JSON.parse(text) : parse(text, { logLevel: 'silent', maxAliasCount: -1, strict: false })
    ) as Part;
    const folder = folderOf(file);
    yield { id, group: id.split('/')[0] ?? '', operations, text, root, ...(folder !== undefined && { folder }) };
  }
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
