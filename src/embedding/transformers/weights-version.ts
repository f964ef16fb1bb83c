import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../models/hash-file.ts';
import { SUMS_FILE } from '../models/known-files.ts';
import { readSums } from '../models/model-folder.ts';

/** What tells the vectors of one folder from those of another of the same name: the hashes of what makes them, as the folder lists them or computed. */
export async function weightsVersion(folder: string, files: readonly string[]): Promise<string> {
  const listed = readSums(await readFile(join(folder, SUMS_FILE), 'utf8').catch(() => ''));
  const hashes = await Promise.all(files.map((name) => listed.get(name) ?? hashFile(join(folder, name))));
  return hashes.join(' ');
}
