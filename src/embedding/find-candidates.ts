import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isModelPath } from '../core/contracts/semantics.ts';
import { MODEL_NAME } from './models/known-files.ts';
import { byPreference, knownTraits, PLAIN } from './models/known-models.ts';
import { modelNames } from './models/model-folder.ts';
import type { ModelTraits } from './models/model-traits.ts';

const STATIC_MODEL = 'hubgate-static-en';

/** An embedder that could stand on a ladder. */
export interface Candidate {
  /** Of the rung. */
  readonly rung: string;
  /** The extension that makes it. */
  readonly extension: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly traits: ModelTraits;
}

export interface Candidates {
  /** Best first. */
  readonly found: readonly Candidate[];
  /** What was asked for is not there: why, and what to do. */
  readonly missing?: string;
}

/** Where a model may be. Paths are absolute. */
export interface Places {
  /** Of model folders. */
  readonly models: string;
  /** Of hubgate.yaml: where paths begin, and where a library may be installed. */
  readonly folder: string;
  /** Names of extensions of kind embedder. */
  readonly extensions: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

const BUNDLED: Candidate = { rung: 'static', extension: STATIC_MODEL, options: {}, traits: knownTraits(STATIC_MODEL) ?? PLAIN };
const PULL = 'hubgate models pull';

/** What the name of a model means now: what it names, and below it what stands in. */
export async function findCandidates(model: string, places: Places): Promise<Candidates> {
  if (model === 'none') return { found: [] };
  if (model === STATIC_MODEL) return { found: [BUNDLED] };
  const { models, folder, extensions, options } = places;
  if (model === 'auto') {
    // The bundled model needs no library.
    const names = byPreference((await modelNames(models)).filter((name) => name !== STATIC_MODEL));
    const found = await Promise.all(names.map((name) => local(join(models, name), folder)));
    if (found.length > 0) return { found: [...found, BUNDLED] };
    return {
      found: [BUNDLED],
      missing: `There is no model folder: ${PULL} all-MiniLM-L6-v2 brings a better model than the bundled one.`,
    };
  }
  if (model.startsWith('hub:')) {
    const own = { rung: 'remote', extension: 'remote', options: { model: model.slice('hub:'.length) }, traits: PLAIN };
    return { found: [own, BUNDLED] };
  }
  if (extensions.includes(model)) return { found: [{ rung: model, extension: model, options, traits: PLAIN }, BUNDLED] };
  const isPath = isModelPath(model);
  const path = isPath ? resolve(folder, model) : join(models, model);
  // A name is one folder deep: what goes elsewhere says so by how it begins.
  if ((isPath || MODEL_NAME.test(model)) && (await isFolder(path))) return { found: [await local(path, folder), BUNDLED] };
  const instead = isPath ? 'embedding.model begins where hubgate.yaml is.' : `${PULL} ${model} brings it.`;
  return { found: [BUNDLED], missing: `There is no model folder ${model}. ${instead}` };
}

async function local(path: string, folder: string): Promise<Candidate> {
  const traits = knownTraits(basename(path)) ?? (await traitsIn(path));
  const { pooling, queryPrefix, documentPrefix } = traits;
  return { rung: 'transformers', extension: 'transformers', options: { path, folder, pooling, queryPrefix, documentPrefix }, traits };
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** What the folder itself says, in the files of sentence-transformers. */
async function traitsIn(path: string): Promise<ModelTraits> {
  const [pooling, prompts] = await Promise.all([
    json(join(path, '1_Pooling/config.json')),
    json(join(path, 'config_sentence_transformers.json')),
  ]);
  const { query = '', document = '', passage = document } = (prompts['prompts'] ?? {}) as Record<string, unknown>;
  return {
    ...PLAIN,
    pooling: pooling['pooling_mode_cls_token'] === true ? 'cls' : 'mean',
    queryPrefix: String(query),
    documentPrefix: String(passage),
  };
}

async function json(path: string): Promise<Record<string, unknown>> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
