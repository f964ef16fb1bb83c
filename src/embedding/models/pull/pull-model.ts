import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchFile, type FetchedFile, type FetchFileOptions } from './fetch-file.ts';
import { findSource, type WantedModel } from './find-source.ts';
import { MODEL_FILES, MODEL_NAME, MORE_FILES, ORIGIN_FILE, SUMS_FILE } from '../known-files.ts';
import { isPermissive, licenceOfCard, licenceOfText } from '../licence.ts';
import { inspectModelFolder, modelNames, readSums, type ModelFolder } from '../model-folder.ts';
import { readSmall, SourceError, type ModelSource } from './model-source.ts';

const WEIGHTS = MODEL_FILES.at(-1)!;
const SUMS_BYTES = 100_000;
/** Many times what the models of the table have; a source that never ends does not fill the disk. */
const MOST_BYTES = { weights: 2_000_000_000, other: 50_000_000 };

export interface PullOptions extends Omit<WantedModel, 'revision'>, Pick<FetchFileOptions, 'onProgress' | 'pauseMs' | 'freeBytes'> {
  /** Where model folders are. */
  readonly models: string;
  /** Where it may be, most likely first. */
  readonly candidates: readonly ModelSource[];
  /** Pulls again what is there, and replaces a model from elsewhere. */
  readonly force?: boolean;
  /** Takes a licence that is not among the permissive ones, or none at all. */
  readonly acceptLicence?: boolean;
  /** Of a known model: counts where the source itself says none. */
  readonly licence?: string;
  /** Told before the weights come. */
  readonly onLicence?: (licence: string | undefined) => void;
}

export interface PulledModel {
  readonly folder: ModelFolder;
  readonly source: ModelSource;
  /** In the order they came. */
  readonly files: readonly FetchedFile[];
}

/**
 * Brings a model into the folder of models: file by file beside it, checked, and renamed when it is whole, so that nobody sees half a model. Undefined
 * when a whole one is there already. What had come before an error is gone on with next time. Throws SourceError, Error.
 */
export async function pullModel(options: PullOptions): Promise<PulledModel | undefined> {
  const { models, name, candidates } = options;
  if (!MODEL_NAME.test(name)) throw new Error(`"${name}" cannot name a model: letters, digits, ".", "_" and "-", and no path.`);
  const target = join(models, name);
  const there = (await modelNames(models)).includes(name) ? await inspectModelFolder(target) : undefined;
  if (options.force !== true && there?.state === 'ok') return await sameOrigin(target, options);
  const source = await findSource(candidates);
  if (source === undefined) throw notFound(options);
  const [fresh, partial] = [join(models, `.${name}.new`), join(models, `.${name}.partial`)];
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  try {
    const files = await fetchFiles(source, fresh, partial, options);
    const origin = {
      repo: options.repo,
      from: source.shown,
      revision: source.revision,
      licence: await licenceIn(fresh, options.licence),
      pulledAt: new Date().toISOString(),
    };
    await writeFile(join(fresh, ORIGIN_FILE), `${JSON.stringify(origin, null, 2)}\n`);
    await writeFile(join(fresh, SUMS_FILE), files.map(({ sha256, name: file }) => `${sha256}  ${file}\n`).join(''));
    const folder = await inspectModelFolder(fresh);
    if (folder.state !== 'ok') throw new SourceError(`What ${source.shown} has is no model that works here: ${folder.problem}.`, false);
    await putInPlace(fresh, target, join(models, `.${name}.old`));
    await rm(partial, { recursive: true, force: true });
    return { folder: { ...folder, path: target, name }, source, files };
  } finally {
    await rm(fresh, { recursive: true, force: true });
    // Stays when there is something in it to go on with.
    await rmdir(partial).catch(() => {});
  }
}

/** Small files first: what they say, such as the licence, may end it before the weights come. */
async function fetchFiles(source: ModelSource, folder: string, partial: string, options: PullOptions): Promise<FetchedFile[]> {
  const sums = readSums((await readSmall(source, SUMS_FILE, SUMS_BYTES))?.bytes.toString() ?? '');
  const { onProgress, pauseMs, freeBytes, acceptLicence = false } = options;
  const bring = (file: string): Promise<FetchedFile | undefined> => {
    const sha256 = sums.get(file);
    return fetchFile(file, {
      source,
      folder,
      partial: join(partial, file.replaceAll('/', '__')),
      most: file === WEIGHTS ? MOST_BYTES.weights : MOST_BYTES.other,
      ...(sha256 !== undefined && { sha256 }),
      ...(onProgress !== undefined && { onProgress }),
      ...(pauseMs !== undefined && { pauseMs }),
      ...(freeBytes !== undefined && { freeBytes }),
    });
  };
  const files: FetchedFile[] = [];
  for (const file of [...MODEL_FILES, ...MORE_FILES].filter((one) => one !== WEIGHTS)) {
    const fetched = await bring(file);
    if (fetched !== undefined) files.push(fetched);
    else if (MODEL_FILES.some((needed) => needed === file)) throw missing(file, source);
  }
  const licence = await licenceIn(folder, options.licence);
  options.onLicence?.(licence);
  if (!acceptLicence && (licence === undefined || !isPermissive(licence))) throw unlicensed(options.name, licence);
  const weights = await bring(WEIGHTS);
  if (weights === undefined) throw missing(WEIGHTS, source);
  return [...files, weights];
}

/** What the model card says, else what text the licence is, else what is known of the model. */
async function licenceIn(folder: string, known: string | undefined): Promise<string | undefined> {
  const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8').catch(() => '');
  return licenceOfCard(await read('README.md')) ?? licenceOfText(await read('LICENSE')) ?? known;
}

/** Two owners may have a model of one name. */
async function sameOrigin(target: string, { name, repo }: PullOptions): Promise<undefined> {
  const before = await repoOf(join(target, ORIGIN_FILE));
  if (repo === undefined || before === undefined || repo === before) return undefined;
  throw new Error(`${target} is ${before} already. --force puts ${repo} in its place; nothing else can have the name ${name}.`);
}

/** What cannot be read is as good as not written down. */
async function repoOf(path: string): Promise<string | undefined> {
  try {
    const { repo } = JSON.parse(await readFile(path, 'utf8')) as { readonly repo?: unknown };
    return typeof repo === 'string' ? repo : undefined;
  } catch {
    return undefined;
  }
}

async function putInPlace(fresh: string, target: string, old: string): Promise<void> {
  await rm(old, { recursive: true, force: true });
  const replaced = (await readdir(target).catch(() => undefined)) !== undefined;
  if (replaced) await rename(target, old);
  try {
    await rename(fresh, target);
  } catch (error) {
    if (replaced) await rename(old, target);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

function notFound({ name, repo, candidates }: PullOptions): SourceError {
  const places = candidates.map(({ shown }) => shown).join(', ');
  const check = repo === undefined ? `Give it as OWNER/NAME, or look at the address.` : `Look at the spelling and at --revision.`;
  return new SourceError(`There is no model ${repo ?? name} at ${places}: no config.json there. ${check}`, false);
}

function missing(file: string, { shown }: ModelSource): SourceError {
  const about =
    file === WEIGHTS
      ? 'Hubgate loads weights of 8 bits that were exported for transformers.js; for many models onnx-community/ or Xenova/ has them.'
      : 'It is needed to load the model.';
  return new SourceError(`${shown} has no ${file}. ${about}`, false);
}

function unlicensed(name: string, licence: string | undefined): Error {
  const what =
    licence === undefined ? 'says no licence that is known here' : `has the licence ${licence}, which is none of the permissive ones`;
  return new Error(
    `${name} ${what}. Read it, and run the command again with --accept-licence if you may use the model. Its weights were not downloaded.`,
  );
}
