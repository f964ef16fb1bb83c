import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { OverlayFile, SpecFile } from '../loaded.ts';
import { parseSize } from '../../core/units/size.ts';
import { loose, listOf, own } from './checks.ts';
import { displayPath, fileSizeOf, isDescription } from './documents.ts';
import { readSettled } from './read-settled.ts';

const OVERLAY = /\.overlay\.(?:json|ya?ml)$/i;
/** Beside a document `NAME.*`, what stands before that: `NAME`, and `NAME.examples` for example requests, which apply after it. */
const EXAMPLES = '.examples';

export interface FoundOverlays {
  /** By the name of the service, in the order in which they apply. */
  readonly overlays: ReadonlyMap<string, readonly OverlayFile[]>;
  /** Absolute paths of all that was looked at. */
  readonly files: readonly string[];
}

/**
 * The OpenAPI overlays of a configuration: `NAME.overlay.yaml` (or .yml, .json) beside a document `NAME.*`, then `NAME.examples.overlay.yaml`, then
 * those that `overlays` of the service's entry names. What cannot be read is there with `error`.
 */
export async function findOverlays(root: unknown, folder: string, documents: readonly SpecFile[]): Promise<FoundOverlays> {
  const limit = fileSizeOf(root);
  const paths = new Map<string, Set<string>>();
  const add = (service: string, file: string): void => void paths.set(service, (paths.get(service) ?? new Set()).add(file));
  const beside = await namesBeside(documents);
  const places = new Set(documents.map(({ file }) => withoutEnding(file)));
  for (const { service, file } of documents) {
    const { dir, name } = path.parse(file);
    for (const base of [name, `${name}${EXAMPLES}`]) {
      // A document of that name takes its overlay.
      if (base !== name && places.has(path.join(dir, base))) continue;
      for (const other of beside.get(dir) ?? []) if (other.replace(OVERLAY, '') === base) add(service, path.join(dir, other));
    }
  }
  const named = new Set<string>();
  for (const [service, entry] of Object.entries(loose(own(root, 'services')))) {
    for (const item of listOf(own(entry, 'overlays'))) {
      if (typeof item !== 'string') continue;
      const file = path.resolve(folder, item);
      named.add(file);
      add(service, file);
    }
  }
  const read = new Map<string, OverlayFile | undefined>();
  const overlays = new Map<string, readonly OverlayFile[]>();
  for (const [service, files] of paths) {
    for (const file of files)
      if (!read.has(file)) read.set(file, await readOverlay(file, displayPath(file, folder), named.has(file), limit));
    const found = [...files].flatMap((file) => read.get(file) ?? []);
    if (found.length > 0) overlays.set(service, found);
  }
  return { overlays, files: [...named, ...read.keys()] };
}

function withoutEnding(file: string): string {
  const { dir, name } = path.parse(file);
  return path.join(dir, name);
}

/** Names of overlay files in the folders of documents, sorted. */
async function namesBeside(documents: readonly SpecFile[]): Promise<Map<string, string[]>> {
  const folders = new Set(documents.map(({ file }) => path.dirname(file)));
  const found = new Map<string, string[]>();
  for (const directory of folders) {
    const names = await readdir(directory).catch(() => []);
    found.set(directory, names.filter((name) => OVERLAY.test(name) && !name.startsWith('.')).sort()); // prettier-ignore
  }
  return found;
}

/** Undefined when a file that nobody names is none, or is gone. */
async function readOverlay(file: string, display: string, named: boolean, limit: string): Promise<OverlayFile | undefined> {
  const broken = (code: string, message: string): OverlayFile => ({
    display,
    text: '',
    hash: message,
    error: { code, message, severity: 'error', file: display, line: 1, column: 1 },
  });
  try {
    const info = await stat(file);
    if (!info.isFile()) return named ? broken('overlay-missing', `${display} is not a file.`) : undefined;
    if (info.size > (parseSize(limit) ?? 0))
      return broken('overlay-too-large', `${display} is larger than ${limit}. Raise documents.fileSize to read it.`);
    const text = await readSettled(file);
    if (!named && isDescription(text)) return undefined;
    return { display, text, hash: createHash('sha256').update(text).digest('hex') };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return named ? broken('overlay-missing', `There is no file ${display}.`) : undefined;
    return broken('overlay-unreadable', `${display} cannot be read (${code}). Check its permissions.`);
  }
}
