import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { serviceName } from '../config/reading/documents.ts';
import { contentToKeep, endingOf, importDocument, type ImportedDocument } from '../gateway/import-document.ts';
import { ImportProgressLine } from './import-progress.ts';
import { nextSteps } from './import-steps.ts';
import { importText } from './import-text.ts';
import { print } from './print.ts';
import { CommandError, type Settings } from './settings.ts';

export interface ImportOptions {
  readonly name?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly progress?: boolean;
  readonly overlay?: string;
}

const FOLDER = 'openapi-specs';
const OVERLAY = /\.overlay\.(?:json|ya?ml)$/i;

/** `hubgate import`: documents into `openapi-specs/`, with a report of each before it is written. Returns 1 when one was refused. */
export async function importDocuments(targets: readonly string[], options: ImportOptions, settings: Settings): Promise<number> {
  const { name, overlay, dryRun, json } = options;
  for (const [option, value] of Object.entries({ name, overlay })) {
    if (value !== undefined && targets.length > 1)
      throw new CommandError(
        `--${option} ${option === 'name' ? 'names' : 'repairs'} one document. Import the others in a command of their own.`,
        2,
      );
  }
  if (name !== undefined && !/^[a-z][a-z0-9-]{0,23}$/.test(name)) {
    throw new CommandError(`"${name}" cannot name a service: a lower-case letter, then up to 23 of a-z, 0-9 and "-".`, 2);
  }
  let refused = 0;
  for (const [at, target] of targets.entries()) {
    const progress = new ImportProgressLine(
      `${targets.length > 1 ? `${at + 1}/${targets.length} ` : ''}${target}`,
      options.progress === true,
    );
    const found = await importDocument(target, {
      ...(name !== undefined && { name }),
      ...(overlay !== undefined && { overlay }),
      specFolder: join(dirname(settings.configFile), FOLDER),
      onProgress: progress.tell,
    }).finally(() => progress.end());
    if (json !== true) print(importText(target, found, options.verbose === true));
    const kept = dryRun === true || !found.report.ok ? { text: notWritten(found) } : await keep(target, found, settings);
    if (!found.report.ok || 'error' in kept) refused += 1;
    if (json === true) print(JSON.stringify('error' in kept ? { ...found.report, ok: false, error: kept.error } : found.report));
    else if ('error' in kept) print(`  not written: ${kept.error.message}`);
    else if (kept.text !== '') {
      // Who imports a document again has been told.
      const steps = found.changes === undefined ? nextSteps(found) : [];
      print([kept.text, ...steps].join('\n'));
    }
  }
  return refused > 0 ? 1 : 0;
}

function notWritten({ name, report }: ImportedDocument): string {
  if (!report.ok) return '';
  return name === '' ? '  not written; give it a name with --name' : `  not written; it would be served at /mcp/${name}`;
}

type Kept = { readonly text: string } | { readonly error: { readonly code: string; readonly message: string } };

/** Writes the document as it came. A document that is there under another ending would be the same service twice. */
async function keep(target: string, found: ImportedDocument, { configFile }: Settings): Promise<Kept> {
  const { name, url, overlay } = found;
  const refuse = (code: string, message: string): Kept => ({ error: { code, message } });
  if (name === '') return refuse('no_name', 'No name for the service can be made of the title or the file. Give one with --name.');
  const folder = join(dirname(configFile), FOLDER);
  if (url === undefined && dirname(resolve(target)) === folder && name === serviceName(target)) {
    const laid = await keepOverlay(folder, basename(target, extname(target)), overlay);
    return { text: `  it is in ${FOLDER}/ already: served at /mcp/${name}${laid}` };
  }
  await mkdir(folder, { recursive: true });
  const file = `${name}${endingOf(found)}`;
  const twin = (await readdir(folder)).find(
    (entry) => entry !== file && basename(entry, extname(entry)) === name && /\.(?:json|ya?ml|zip)$/.test(entry),
  );
  if (twin !== undefined)
    return refuse('name_taken', `${FOLDER}/${twin} is served under this name already. Remove it, or give another with --name.`);
  const path = join(folder, file);
  const content = contentToKeep(found);
  const before = await readFile(path).catch(() => undefined);
  const same = before?.equals(content) === true;
  if (!same) await writeFile(path, content);
  const state = before === undefined ? 'written to' : same ? 'unchanged in' : 'replaced';
  const laid = await keepOverlay(folder, name, overlay);
  return { text: `  ${state} ${relative(process.cwd(), path) || path}, served at /mcp/${name}${laid}` };
}

/** Puts an overlay beside its document, in place of those that are there: they stay as `.bak`. Returns the end of a sentence about it. */
async function keepOverlay(folder: string, base: string, overlay: string | undefined): Promise<string> {
  if (overlay === undefined) return '';
  const file = `${base}.overlay${/^\s*\{/.test(overlay) ? '.json' : '.yaml'}`;
  const there = (await readdir(folder)).filter((entry) => OVERLAY.test(entry) && entry.replace(OVERLAY, '') === base);
  const replaced: string[] = [];
  for (const entry of there) {
    const path = join(folder, entry);
    if (entry === file && (await readFile(path)).equals(Buffer.from(overlay))) continue;
    await copyFile(path, `${path}.bak`);
    replaced.push(entry);
  }
  await writeFile(join(folder, file), overlay);
  for (const entry of replaced) if (entry !== file) await rm(join(folder, entry));
  const instead = replaced.map((entry) => `${FOLDER}/${entry} (now ${entry}.bak)`).join(' and ');
  return `, with ${FOLDER}/${file} applied to it${instead === '' ? '' : `, in place of ${instead}`}`;
}
