import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { LoadedConfig, LoadOptions } from '../../../src/config/types.ts';

const made: string[] = [];
afterAll(() => made.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A new folder with these files, by path. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hubgate-config-'));
  made.push(folder);
  await addFiles(folder, files);
  return folder;
}

export async function addFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** Loads a folder of these files; a text alone is hubgate.yaml. */
export async function load(files: string | Readonly<Record<string, string>>, options: Partial<LoadOptions> = {}): Promise<LoadedConfig> {
  const folder = await folderWith(typeof files === 'string' ? { 'hubgate.yaml': files } : files);
  return loadConfig({ file: path.join(folder, 'hubgate.yaml'), env: {}, ...options });
}

/** Each error as `file:line:column code`. */
export function errorsOf({ problems }: LoadedConfig): string[] {
  return problems
    .filter(({ severity }) => severity !== 'warning')
    .map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`);
}

export const PETSTORE = 'openapi: 3.1.0\ninfo: { title: Pets, version: "1" }\npaths: {}\n';
