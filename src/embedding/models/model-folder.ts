import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hashFile } from './hash-file.ts';
import { MODEL_FILES, MODEL_NAME, ORIGIN_FILE, STATIC_FILES, SUMS_FILE } from './known-files.ts';
import { licenceOfCard, licenceOfText } from './licence.ts';

/** A folder with a model in it, or with what is left of one. */
export interface ModelFolder {
  readonly path: string;
  /** Of the folder. */
  readonly name: string;
  /** With `/` in their names, in the order of these. Sizes are bytes. */
  readonly files: readonly { readonly name: string; readonly size: number }[];
  /** By SPDX, lower case; absent when nothing in the folder says it. */
  readonly licence?: string;
  /** Of its vectors. */
  readonly dims?: number;
  readonly state: 'ok' | 'incomplete' | 'corrupt';
  /** What is wrong, by the name of the file; absent when it is `ok`. */
  readonly problem?: string;
}

/** What git leaves where Git LFS is not installed. */
const LFS_POINTER = 'version https://git-lfs';
const POINTER_BYTES = 1000;
/** Inside the folder of a model. */
const FOLDERS = ['onnx', '1_Pooling'];

/** Looks at a folder: what is there, and whether it is whole. What SHA256SUMS in it tells of is read to its end. Never rejects: what cannot be read is a problem. */
export async function inspectModelFolder(path: string): Promise<ModelFolder> {
  const files = await filesIn(path).catch(() => undefined);
  if (files === undefined) return { path, name: basename(path), files: [], state: 'incomplete', problem: 'the folder cannot be read' };
  const has = (name: string): boolean => files.some((file) => file.name === name);
  const isStatic = has('static.json') && !MODEL_FILES.every(has);
  const needed: readonly string[] = isStatic ? STATIC_FILES : MODEL_FILES;
  const seen = { path, name: basename(path), files, ...(await dimsIn(path, isStatic)), ...(await licenceIn(path, files)) };
  const missing = needed.filter((name) => !has(name));
  if (missing.length > 0)
    return { ...seen, state: 'incomplete', problem: `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing` };
  const problem = await faultIn(path, files, needed).catch(
    (error: NodeJS.ErrnoException) => `it cannot be read (${error.code ?? error.message})`,
  );
  return problem === undefined ? { ...seen, state: 'ok' } : { ...seen, state: 'corrupt', problem };
}

/** The names of all folders below `models` that could be a model's, sorted; none when it is not there. */
export async function modelNames(models: string): Promise<string[]> {
  const entries = await readdir(models).catch(() => []);
  const folders = await Promise.all(
    entries.map(async (name) => MODEL_NAME.test(name) && (await stat(join(models, name)).catch(() => undefined))?.isDirectory() === true),
  );
  return entries.filter((_, at) => folders[at]).toSorted();
}

/** Digests in hex by file name, of what `sha256sum` writes. */
export function readSums(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/^\\?([0-9a-fA-F]{64})[ \t]+\*?(?:\.\/)?(.+?)[ \t\r]*$/gm)].map(([, digest = '', name = '']) => [
      name,
      digest.toLowerCase(),
    ]),
  );
}

/** Of a model's own folders only: a path that is none of a model may have anything below it. Follows links: the cache of huggingface_hub is made of them. */
async function filesIn(path: string): Promise<ModelFolder['files']> {
  const below = async (folder: string): Promise<string[]> =>
    (await readdir(join(path, folder)).catch(() => [])).map((name) => `${folder}/${name}`);
  const names = [...(await readdir(path)), ...(await Promise.all(FOLDERS.map(below))).flat()];
  const found = await Promise.all(
    names.map(async (name) => {
      const info = await stat(join(path, name)).catch(() => undefined);
      return info?.isFile() === true ? [{ name, size: info.size }] : [];
    }),
  );
  return found.flat().toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function faultIn(path: string, files: ModelFolder['files'], needed: readonly string[]): Promise<string | undefined> {
  for (const { name, size } of files) {
    if (!needed.includes(name)) continue;
    if (size === 0) return `${name} is empty`;
    if (size < POINTER_BYTES && (await readFile(join(path, name), 'latin1')).startsWith(LFS_POINTER))
      return `${name} is a pointer of Git LFS and not the file itself; git lfs pull brings it`;
    if (name.endsWith('.json') && (await json(join(path, name))) === undefined) return `${name} is not JSON`;
  }
  const sums = readSums(await readFile(join(path, SUMS_FILE), 'utf8').catch(() => ''));
  for (const { name } of files) {
    const told = sums.get(name);
    if (told !== undefined && (await hashFile(join(path, name))) !== told) return `${name} is not the file that ${SUMS_FILE} tells of`;
  }
  return undefined;
}

async function dimsIn(path: string, isStatic: boolean): Promise<Pick<ModelFolder, 'dims'>> {
  const config = (await json(join(path, isStatic ? 'static.json' : 'config.json'))) ?? {};
  const dims = [config['dims'], config['hidden_size'], config['dim'], config['d_model']].find(Number.isSafeInteger) as number | undefined;
  return dims === undefined ? {} : { dims };
}

/** What was told when it was pulled, else what the model card says, else what text the licence is. */
async function licenceIn(path: string, files: ModelFolder['files']): Promise<Pick<ModelFolder, 'licence'>> {
  const { licence: told } = (await json(join(path, ORIGIN_FILE))) ?? {};
  const read = async (name: string | undefined): Promise<string> =>
    name === undefined ? '' : readFile(join(path, name), 'utf8').catch(() => '');
  const licence =
    (typeof told === 'string' ? told : undefined) ??
    licenceOfCard(await read('README.md')) ??
    licenceOfText(await read(files.find(({ name }) => /^(?:LICEN[CS]E|COPYING)[^/]*$/i.test(name))?.name));
  return licence === undefined ? {} : { licence };
}

/** Undefined for what is not there, and for what is no object. */
async function json(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
