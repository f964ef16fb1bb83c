import { lstat, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AskAdmin } from '../admin/client.ts';
import { own } from '../config/reading/checks.ts';
import { readYaml } from '../config/reading/yaml-file.ts';
import { References } from '../config/secrets.ts';
import type { SemanticStatus } from '../core/contracts/semantics.ts';
import { MODEL_FILES, MODEL_NAME, ORIGIN_FILE, PULLABLE, STATIC_FILES } from '../embedding/models/known-files.ts';
import { inspectModelFolder, modelNames, type ModelFolder } from '../embedding/models/model-folder.ts';
import { AddressError, sourcesAt } from '../embedding/models/pull/find-source.ts';
import type { Check } from '../embedding/models/pull/fetch-file.ts';
import { UnreachableError, type ModelSource } from '../embedding/models/pull/model-source.ts';
import { pullModel, type PulledModel } from '../embedding/models/pull/pull-model.ts';
import { findRunningHub } from './admin-access.ts';
import { columns, note, print, printJson, shellQuote } from './print.ts';
import { megabytes, PullProgress } from './pull-progress.ts';
import { CommandError, type Settings } from './settings.ts';

export interface PullCommandOptions {
  readonly from?: string;
  readonly revision: string;
  readonly force?: boolean;
  readonly acceptLicence?: boolean;
}

const HUGGING_FACE = 'https://huggingface.co';
const BUNDLED = 'hubgate-static-en';
/** How long a running hub has to see what was pulled, and to load it; how often it is asked. */
const LOOKING_MS = 1_000;
const LOADING_MS = 20_000;
const ASK_AGAIN_MS = 250;

/** `hubgate models list`: what is here, what the running hub uses of it, and what can be pulled by name. */
export async function listModels({ json }: { readonly json?: boolean }, settings: Settings): Promise<void> {
  const models = await modelsFolder(settings);
  const here = await Promise.all((await modelNames(models)).map((name) => inspectModelFolder(join(models, name))));
  const bundled = await inspectModelFolder(dirname(createRequire(import.meta.url).resolve(`${BUNDLED}/static.json`)));
  const found = [{ ...bundled, name: BUNDLED }, ...here.filter(isModel)];
  const available = PULLABLE.filter(({ name }) => !here.some((folder) => folder.name === name && folder.state === 'ok'));
  const semantic = await askSemantic(await findRunningHub(settings));
  if (json === true) {
    return printJson({
      folder: models,
      models: found.map((folder, at) => ({ ...folder, bundled: at === 0, size: sizeOf(folder), inUse: isUsed(folder.name, semantic) })),
      available,
      ...(semantic.length > 0 && { semantic }),
    });
  }
  print(`Models in ${shown(models)}, and the one that comes with Hubgate:`);
  print(
    columns(
      [
        ['NAME', 'SIZE', 'DIMS', 'LICENCE', 'STATE'],
        ...found.map((folder, at) => [folder.name, megabytes(sizeOf(folder)), ...factsOf(folder), stateOf(folder, at === 0, semantic)]),
      ],
      '  ',
    ),
  );
  if (available.length > 0) {
    const rows = available.map((one) => [one.name, `${one.megabytes} MB`, String(one.dims), one.licence, one.about]);
    print(`"hubgate models pull NAME" brings:\n${columns([['NAME', 'SIZE', 'DIMS', 'LICENCE', 'TEXTS'], ...rows], '  ')}`);
  }
  for (const status of semantic) print(usage(status));
}

/** `hubgate models pull`: the only thing in Hubgate that downloads. */
export async function pullOneModel(wanted: string, options: PullCommandOptions, settings: Settings): Promise<void> {
  const models = await modelsFolder(settings);
  const from = options.from ?? (settings.env.HUBGATE_MODELS_URL || HUGGING_FACE);
  const model = readWanted(wanted, options.from !== undefined);
  if (!/^(?!.*\.\.)\w[\w./-]{0,199}$/.test(options.revision))
    throw new CommandError(`--revision ${options.revision} names no branch, tag or commit.`, 2);
  const progress = new PullProgress();
  const { revision, force = false, acceptLicence = false } = options;
  const candidates = readAddress(() => sourcesAt(from, { ...model, revision }));
  note(`Pulling ${model.repo ?? model.name} from ${from}${revision === 'main' ? '' : `, revision ${revision}`}.`);
  const onLicence = (licence: string | undefined): void => note(`  licence: ${licence ?? 'unknown'}`);
  try {
    const pulled = await pullModel({ ...model, force, acceptLicence, models, candidates, onLicence, onProgress: progress.tell });
    progress.end();
    if (pulled === undefined) print(`${model.name} is in ${shown(models)} already, and whole. --force pulls it again.`);
    else print(report(pulled));
    await tellHub(settings);
  } catch (error) {
    progress.end();
    if (error instanceof UnreachableError) throw new CommandError(`${error.message}\n${aroundIt(model.name, model.repo)}`);
    throw error;
  }
}

/** `hubgate models remove`: the folder of one model, and what a broken download has left of it. */
export async function removeModel(name: string, settings: Settings): Promise<void> {
  if (name === BUNDLED) throw new CommandError(`${BUNDLED} comes with Hubgate and stays. "embedding: { model: none }" turns it off.`);
  if (!MODEL_NAME.test(name))
    throw new CommandError(`"${name}" names no model in the folder of models. "hubgate models list" shows them.`, 2);
  const models = await modelsFolder(settings);
  const path = join(models, name);
  const rest = [`.${name}.partial`, `.${name}.new`, `.${name}.old`].map((entry) => join(models, entry));
  const there = await Promise.all([path, ...rest].map(async (entry) => (await lstat(entry).catch(() => undefined)) !== undefined));
  if (!there.includes(true))
    throw new CommandError(`There is no model ${name} in ${shown(models)}. "hubgate models list" shows those that are there.`);
  if (there[0] === true && !isModel(await inspectModelFolder(path)))
    throw new CommandError(`${shown(path)} has no file of a model in it, so it is left alone. Remove it by hand.`);
  // A link goes, not what it leads to.
  for (const entry of [path, ...rest]) await rm(entry, { recursive: true, force: true });
  print(`${name} is removed from ${shown(models)}.`);
  await tellHub(settings);
}

function readAddress(read: () => ModelSource[]): ModelSource[] {
  try {
    return read();
  } catch (error) {
    throw error instanceof AddressError ? new CommandError(error.message, 2) : error;
  }
}

/** A known name, OWNER/NAME, or any name for a folder or mirror that the command names. */
function readWanted(wanted: string, isNamed: boolean): { readonly name: string; readonly repo?: string; readonly licence?: string } {
  const known = PULLABLE.find(({ name, repo }) => [name, repo].some((one) => one.toLowerCase() === wanted.toLowerCase()));
  if (known !== undefined) return known;
  const [owner, name, ...more] = wanted.split('/');
  if (name !== undefined && more.length === 0 && [owner, name].every((part) => MODEL_NAME.test(part ?? ''))) return { name, repo: wanted };
  if (isNamed && MODEL_NAME.test(wanted)) return { name: wanted };
  throw new CommandError(
    `"${wanted}" is no model that is known here. Known: ${PULLABLE.map((one) => one.name).join(', ')}. Any other is named OWNER/NAME, or comes with --from.`,
    2,
  );
}

/** Where the hub looks for models: `embedding.folder` of hubgate.yaml, else models in the data folder. */
async function modelsFolder({ configFile, dataDir, env }: Settings): Promise<string> {
  const { value } = readYaml(await readFile(configFile, 'utf8').catch(() => ''), configFile);
  const folder = own(own(value, 'embedding'), 'folder');
  const base = dirname(configFile);
  return typeof folder === 'string' ? resolve(base, new References(env, base).resolve(folder).text) : join(dataDir, 'models');
}

function isModel({ files }: ModelFolder): boolean {
  // A config.json is in many a folder.
  const marks: readonly string[] = [...MODEL_FILES.slice(1), ...STATIC_FILES, ORIGIN_FILE];
  return files.some(({ name }) => marks.includes(name));
}

function sizeOf({ files }: ModelFolder): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function factsOf({ dims, licence }: ModelFolder): [string, string] {
  return [String(dims ?? '?'), licence ?? 'unknown'];
}

function stateOf({ name, state, problem }: ModelFolder, isBundled: boolean, semantic: readonly SemanticStatus[]): string {
  const marks = [...(isBundled ? ['bundled'] : []), ...(isUsed(name, semantic) ? ['in use'] : [])];
  return `${state}${problem === undefined ? '' : `: ${problem}`}${marks.length === 0 ? '' : ` (${marks.join(', ')})`}`;
}

/** The id of a model is the name of its folder, with a version behind `@` where it has one. */
function isUsed(name: string, semantic: readonly SemanticStatus[]): boolean {
  return semantic.some(({ model }) => model?.split('@', 1)[0] === name);
}

function usage({ requested, active, model, dims, reason }: SemanticStatus): string {
  const what = model === undefined ? 'words alone' : `${model}, ${dims} dims, by ${active}`;
  return `The hub answers ${requested} with ${what}.${reason === undefined ? '' : ` ${reason}`}`;
}

/** What the running hub works with; nothing when there is none, or when it is an older one. */
async function askSemantic(ask: AskAdmin | undefined): Promise<readonly SemanticStatus[]> {
  if (ask === undefined) return [];
  const { semantic } = (await ask('GET', '/status')) as { semantic?: SemanticStatus & { others?: readonly SemanticStatus[] } };
  if (semantic === undefined) return [];
  const { others = [], ...first } = semantic;
  return [first, ...others];
}

/** Lets the running hub look at its folder of models again, and says what it uses when that is settled. */
async function tellHub(settings: Settings): Promise<void> {
  const ask = await findRunningHub(settings);
  if (ask === undefined) return note('No hub is running here. The next one that starts finds it so.');
  const before = JSON.stringify(await askSemantic(ask));
  await ask('POST', '/reload');
  const began = performance.now();
  let now: readonly SemanticStatus[];
  let waiting: boolean;
  do {
    await sleep(ASK_AGAIN_MS);
    now = await askSemantic(ask);
    const isLoading = now.some(({ reason }) => reason !== undefined && /being loaded/.test(reason));
    const most = isLoading ? LOADING_MS : JSON.stringify(now) === before ? LOOKING_MS : 0;
    waiting = performance.now() - began < most;
  } while (waiting);
  for (const status of now) note(usage(status));
}

const CHECKED: Readonly<Record<Check, string>> = {
  SHA256SUMS: 'SHA-256, by SHA256SUMS of the source',
  'x-linked-etag': 'SHA-256, by the header x-linked-etag of the source',
  'git blob': 'git blob, by the ETag of the source',
  size: 'size alone: the source tells no digest',
  nothing: 'nothing: the source tells neither digest nor size',
};

function report({ folder, files, source: { revision } }: PulledModel): string {
  const [dims, licence] = factsOf(folder);
  const rows = files.map(({ name, size, checks }) => [name, megabytes(size), checks.map((check) => CHECKED[check]).join(' and ')]);
  return [
    `${folder.name} is in ${shown(folder.path)}: ${megabytes(sizeOf(folder))}, ${dims} dims, licence ${licence}${revision === undefined ? '' : `, revision ${revision}`}.`,
    columns([['FILE', 'SIZE', 'CHECKED'], ...rows], '  '),
    `The SHA-256 of each file is written down in SHA256SUMS there; "hubgate models list" compares them.`,
  ].join('\n');
}

/** What to do where the network does not let it through. */
function aroundIt(name: string, repo = 'OWNER/NAME'): string {
  const command = (more: string): string => `hubgate models pull ${shellQuote(name).replaceAll(/^'([\w.-]+)'$/g, '$1')}${more}`;
  return [
    'What came is kept; the same command goes on from there. Other ways:',
    `  through a proxy:  NODE_USE_ENV_PROXY=1 HTTPS_PROXY=http://proxy.example:3128 ${command('')}`,
    `  from a mirror:    ${command(' --from https://mirror.example')} (or HUBGATE_MODELS_URL)`,
    `  by hand:          bring ${MODEL_FILES.join(', ')} of ${repo} here, then ${command(' --from ./FOLDER')}`,
    'Without any model of its own Hubgate uses the bundled one.',
  ].join('\n');
}

function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' ? '.' : near.startsWith('..') ? path : near;
}
