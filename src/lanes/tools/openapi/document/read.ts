import type { CompileInput, DocumentFolder, DocumentLimits, ReportWarning } from '../types.ts';
import { DocumentError } from '../types.ts';
import { isArchive, readArchive } from './archive.ts';
import { Folder } from './references/folder.ts';
import { dialectOf } from './foreign.ts';
import { linkDocument } from './references/link.ts';
import type { ParseWarnings } from './parse.ts';
import { parseText } from './parse.ts';
import type { Node } from './tree.ts';
import { isNode, Tree } from './tree.ts';

/** A reference to something else than a place in the document by its pointer: text without any, as most is, needs no linking. */
const REFERENCE = /\$ref["']?\s*:\s*(?!\s|["']?#\/|[{[])/;
/** What may give a pointer another meaning, or refer without one, in 3.1 and later. */
const NAMED = /\$(?:id|anchor|self|dynamic\w+)["']?\s*:/;

/**
 * Text to tree, JSON or YAML, with the dialect told and every reference bound. `change` may alter the root before anything is read of it, and gives
 * warnings of its own. Throws DocumentError for what is not an OpenAPI or Swagger document.
 */
export function readDocument(
  input: Pick<CompileInput, 'text' | 'folder' | 'url'>,
  limits: DocumentLimits,
  change?: (root: Node) => readonly ReportWarning[],
): Tree {
  const { text, folder } = isArchive(input.text) ? unpacked(input.text, limits) : input;
  const size = [text, ...(folder?.files.values() ?? [])].reduce((sum, one) => sum + bytesOf(one, limits), 0);
  if (size > limits.bytes) {
    const what = folder === undefined ? 'The document is' : 'The document and the files it refers to are';
    throw new DocumentError('too_large', `${what} larger than ${Math.floor(limits.bytes / 1024 / 1024)} MB.`);
  }
  const warnings: ParseWarnings = [];
  const root = parseText(text, limits, warnings);
  if (!isNode(root)) throw notAnObject(root);
  const changed = change?.(root) ?? [];
  const tree = new Tree(root, dialectOf(root), limits);
  for (const { pointer, code, message } of changed) tree.warn(pointer, code, message);
  for (const { code, message } of warnings) tree.warn('', code, message);
  if (!/^(2\.0|3\.[012](\.|$))/.test(tree.version)) {
    tree.warn('/openapi', 'unknown_version', `OpenAPI ${tree.version} is read as if it were 3.2.`);
  }
  if (change !== undefined || REFERENCE.test(text) || (!tree.legacy && NAMED.test(text))) {
    const warn = (path: string, found: ParseWarnings): void => found.forEach(({ code, message }) => tree.warn(path, code, message));
    linkDocument(tree, new Folder(folder, input.url, limits, warn), input.url);
  }
  return tree;
}

function notAnObject(root: unknown): DocumentError {
  const what = Array.isArray(root) ? 'a list' : typeof root === 'string' ? 'a text' : root === null ? 'nothing' : `a ${typeof root}`;
  const hint =
    typeof root === 'string' && /\b(?:openapi|swagger)\b/.test(root) ? ' If the document stands in that text, give it alone.' : '';
  return new DocumentError('not_openapi', `This is not an OpenAPI document: at its root must be an object, and there is ${what}.${hint}`, {
    line: 1,
  });
}

/** Bytes as UTF-8, counted only when it matters. */
function bytesOf(text: string, limits: DocumentLimits): number {
  return text.length * 3 > limits.bytes ? Buffer.byteLength(text) : text.length;
}

/** The document of an archive, with the other files beside it. Throws DocumentError when it is not plain which one is meant. */
function unpacked(archive: string, limits: DocumentLimits): { text: string; folder: DocumentFolder } {
  const found = readArchive(archive, limits);
  const files = new Map(found.files);
  const entry = found.entry ?? entryOf(files);
  const text = files.get(entry) ?? '';
  files.delete(entry);
  return { text, folder: { entry, files, unread: new Map() } };
}

/** The one file of the archive that describes an API: `openapi.*` or `swagger.*` before others, those in upper folders before those below. */
function entryOf(files: ReadonlyMap<string, string>): string {
  const described = [...files].filter(([, text]) => DESCRIPTION.test(text)).map(([path]) => path);
  const first = [...files.keys()][0] ?? '';
  if (described.length === 0) {
    // Read as the document, it is refused by name.
    if (files.size === 1) return first;
    throw new DocumentError('not_openapi', 'No file of the archive is an OpenAPI document: none has an "openapi" or "swagger" key.');
  }
  const named = described.filter((path) => /(?:^|\/)(?:openapi|swagger)\.[^/]+$/i.test(path));
  const choice = named.length > 0 ? named : described;
  const depth = Math.min(...choice.map(depthOf));
  const upper = choice.filter((path) => depthOf(path) === depth);
  const [only, other] = upper;
  if (only === undefined || other !== undefined) {
    const names = upper.slice(0, 5).join(', ');
    throw new DocumentError('several_documents', `The archive has several OpenAPI documents: ${names}. Name the one that is meant openapi.yaml or openapi.json.`); // prettier-ignore
  }
  return only;
}

/** An `openapi` or `swagger` key with a version, which only the document has; told before anything is parsed. */
const DESCRIPTION = /^["']?(?:openapi|swagger)["']?[ \t]*:[ \t]*["']?\d|[{,"'\s](?:openapi|swagger)["']?\s*:\s*["']?\d/m;

function depthOf(path: string): number {
  return path.split('/').length;
}
