import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folderSource, readSmall, SourceError, type ModelSource } from './model-source.ts';
import { webSource, type WebSourceOptions } from './web-source.ts';

const PROBE = 'config.json';
const PROBE_BYTES = 1_000_000;

export interface WantedModel {
  /** Of the folder. */
  readonly name: string;
  /** `owner/name`; absent when only a folder or a mirror of plain files is asked. */
  readonly repo?: string;
  readonly revision: string;
}

/** What a person gave as the address of a mirror or a folder can be none. The message says why, without the address: it may hold what nobody should see. */
export class AddressError extends SourceError {
  constructor(message: string) {
    super(message, false);
    this.name = 'AddressError';
  }
}

/**
 * The places where a mirror or a folder may have a model, most likely first: as Hugging Face lays it out, under its name, or there itself. Throws
 * AddressError.
 */
export function sourcesAt(
  from: string,
  { name, repo, revision }: WantedModel,
  web: Pick<WebSourceOptions, 'silenceMs'> = {},
): ModelSource[] {
  if (!/^https?:/i.test(from)) {
    const folder = folderOf(from);
    return [folder, join(folder, name), ...(repo === undefined ? [] : [join(folder, ...repo.split('/'))])].map(folderSource);
  }
  const base = baseOf(from);
  const plain = (address: string): ModelSource =>
    webSource({ ...web, revision: '', shown: address, urlOf: (file) => `${address}/${file}` });
  const there = [plain(`${base}/${name}`), plain(base)];
  if (repo === undefined) return there;
  const urlOf = (file: string, state: string): string => `${base}/${repo}/resolve/${encodeURIComponent(state)}/${file}`;
  return [webSource({ ...web, revision, shown: `${base}/${repo}`, urlOf }), ...there];
}

/** The first that has the model, at one commit where it has commits; undefined when none has. Throws SourceError. */
export async function findSource(candidates: readonly ModelSource[]): Promise<ModelSource | undefined> {
  for (const source of candidates) {
    const probe = await readSmall(source, PROBE, PROBE_BYTES);
    if (probe !== undefined) return probe.commit === undefined ? source : (source.at?.(probe.commit) ?? source);
  }
  return undefined;
}

function baseOf(from: string): string {
  const url = URL.parse(from);
  if (url === null) throw new AddressError('The address of the mirror is none that can be read.');
  if (`${url.username}${url.password}` !== '')
    throw new AddressError('An address with a user name or password in it is not taken: others see what stands on a command line.');
  if (`${url.search}${url.hash}` !== '')
    throw new AddressError(
      'The address of the mirror ends with its path: names of files are put behind it, so "?" and "#" have no place in it.',
    );
  return url.href.replace(/\/+$/, '');
}

function folderOf(from: string): string {
  if (/^file:/i.test(from)) {
    try {
      return fileURLToPath(from);
    } catch {
      throw new AddressError('An address of file: names a folder of this machine, such as file:///srv/models.');
    }
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(from)) throw new AddressError('Models come by http or https, or from a folder.');
  return resolve(from);
}
