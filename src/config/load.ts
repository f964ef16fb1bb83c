import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Problem } from '../core/contracts/resource.ts';
import { Redactor } from '../core/redact.ts';
import { loadExtensions } from './extensions.ts';
import type { LoadedExtensions } from './extensions.ts';
import type { LoadedConfig, LoadOptions, Place } from './loaded.ts';
import { listOf, own } from './reading/checks.ts';
import { crossFaults } from './reading/cross-checks.ts';
import { displayPath, findDocuments } from './reading/documents.ts';
import type { FoundDocuments } from './reading/documents.ts';
import { findOverlays } from './reading/overlays.ts';
import type { FoundOverlays } from './reading/overlays.ts';
import { readEntry } from './reading/entry.ts';
import type { Entry } from './reading/entry.ts';
import { readSettled } from './reading/read-settled.ts';
import { pointerParts, readYaml } from './reading/yaml-file.ts';
import type { Fault, YamlFile } from './reading/yaml-file.ts';
import { FORMATS } from './schema/formats.ts';
import { Root } from './schema/root.ts';
import { VirtualServer } from './schema/tools.ts';
import { processEnvironment, References } from './secrets.ts';
import type { HubConfig, VirtualServerConfig } from './types.ts';

const SERVERS_FOLDER = 'virtual-servers';

/** One file of the configuration. */
interface Part {
  readonly display: string;
  readonly yaml: YamlFile;
  readonly entry: Entry;
}

interface Context {
  readonly folder: string;
  readonly references: References;
  literalSecrets: boolean;
  readonly problems: Problem[];
  readonly files: Set<string>;
}

/**
 * Reads hubgate.yaml, virtual-servers/, the documents of openapi-specs/ and the users' extensions. Never throws for what the files say: all that
 * is wrong is in `problems`, each with its place and what to do.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const file = path.resolve(options.file);
  const folder = path.dirname(file);
  const references = new References(options.env ?? processEnvironment(), folder);
  const context: Context = { folder, references, literalSecrets: false, problems: [], files: new Set([file]) };

  const root = await readRoot(file, context, options.optional === true);
  const servers = await readServers(context);
  const found = await findDocuments(root?.entry.plain, folder, options.previous?.documents);
  const overlaid = await findOverlays(root?.entry.plain, folder, found.documents);
  const paths = listOf(own(root?.entry.plain, 'extensions')).filter((item) => typeof item === 'string');
  const loaded = await loadExtensions(paths, { file });
  if (root) reportAcross({ root, servers, found, loaded }, context, options);
  for (const one of [...found.files, ...overlaid.files, ...loaded.files, ...references.files]) context.files.add(one);
  return finish(root, servers, { ...found, ...overlaid }, loaded, context);
}

async function readRoot(file: string, context: Context, optional: boolean): Promise<Part | undefined> {
  const display = displayPath(file, context.folder);
  let text: string;
  try {
    text = await readSettled(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' || !optional) {
      const message =
        code === 'ENOENT' ? `There is no file ${file}. Make one, or name another with --config.` : `${file} cannot be read (${code}).`;
      context.problems.push({ code: 'missing-file', message, severity: 'error', file: display, line: 1, column: 1 });
      return undefined;
    }
    text = '{}';
  }
  const yaml = readYaml(text, display);
  context.literalSecrets = own(yaml.value, 'allowLiteralSecrets') === true;
  return readPart(yaml, Root, display, '', context);
}

function readPart(yaml: YamlFile, schema: object, display: string, prefix: string, context: Context): Part | undefined {
  for (const fault of yaml.faults) context.problems.push({ severity: 'error', file: display, ...fault });
  if (yaml.faults.length > 0) return undefined;
  const entry = readEntry(schema, yaml.value, { references: context.references, literalSecrets: context.literalSecrets });
  const part = { display, yaml, entry };
  for (const fault of entry.faults) report(fault, part, prefix, context);
  return part;
}

function report(fault: Fault, part: Part, prefix: string, { problems }: Context): void {
  const { code, message, pointer, key, severity = 'error' } = fault;
  problems.push({ code, message, severity, file: part.display, ...part.yaml.position(pointer, key), pointer: `${prefix}${pointer}` });
}

async function readServers(context: Context): Promise<Map<string, Part>> {
  const directory = path.join(context.folder, SERVERS_FOLDER);
  context.files.add(directory);
  const parts = new Map<string, Part>();
  const taken = new Map<string, string>();
  const names = await readdir(directory).catch(() => []);
  for (const fileName of names.filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort()) {
    const file = path.join(directory, fileName);
    const display = displayPath(file, context.folder);
    const name = fileName.replace(/\.ya?ml$/, '');
    const refuse = (code: string, message: string) =>
      context.problems.push({ code, message, severity: 'error', file: display, line: 1, column: 1 });
    context.files.add(file);
    const other = taken.get(name.toLowerCase());
    if (other !== undefined) refuse('name-clash', `${other} and ${display} give the same name. Rename one.`);
    else if (!FORMATS.get('name')?.test(name))
      refuse('bad-name', `A virtual server is named like its file. ${FORMATS.get('name')?.hint} Rename the file.`);
    taken.set(name.toLowerCase(), display);
    const text = await readSettled(file).catch((error: NodeJS.ErrnoException) => error);
    if (typeof text !== 'string') {
      if (text.code !== 'ENOENT') refuse('missing-file', `${display} cannot be read (${text.code}).`);
      continue;
    }
    const part = readPart(readYaml(text, display), VirtualServer, display, `/${SERVERS_FOLDER}/${name}`, context);
    if (part && other === undefined) parts.set(name, part);
  }
  return parts;
}

interface Parts {
  readonly root: Part;
  readonly servers: ReadonlyMap<string, Part>;
  readonly found: FoundDocuments;
  readonly loaded: LoadedExtensions;
}

/** Reports what is wrong between the files, and what is accepted without effect. */
function reportAcross({ root, servers, found, loaded }: Parts, context: Context, { builtins, storedSources = [] }: LoadOptions): void {
  for (const problem of loaded.problems) {
    const place = { file: root.display, ...root.yaml.position(problem.pointer ?? '') };
    context.problems.push({ severity: 'error', ...place, ...problem });
  }
  for (const { kind, name } of loaded.extensions) {
    if (!builtins?.some((builtin) => builtin.kind === kind && builtin.name === name)) continue;
    report(
      { code: 'name-clash', message: `The hub has a ${kind} "${name}" of its own. Rename yours.`, pointer: '/extensions' },
      root,
      '',
      context,
    );
  }
  // Nobody knows which names a file would have given that could not be loaded.
  const known = builtins && loaded.problems.length === 0 ? [...builtins, ...loaded.extensions] : undefined;
  const virtualServers = new Map([...servers].map(([name, { display, entry }]) => [name, { file: display, value: entry.plain }]));
  const whole = { root: root.entry.plain, documents: found.documents, virtualServers, known, storedSources, file: root.display };
  for (const { server, ...fault } of crossFaults(whole)) {
    const part = server === undefined ? root : (servers.get(server) ?? root);
    report(fault, part, server === undefined ? '' : `/${SERVERS_FOLDER}/${server}`, context);
  }
  for (const file of found.nameless) {
    const message = `${file} is not served: its name gives no name for a service. Start it with a letter.`;
    context.problems.push({ code: 'bad-name', message, severity: 'warning', file, line: 1, column: 1 });
  }
  const told = new Set<string>();
  for (const [name, part] of [['', root] as const, ...servers]) {
    for (const [section, pointer] of part.entry.unbuilt) {
      if (told.has(section)) continue;
      told.add(section);
      const message = `"${section}" is accepted, but not built yet: it has no effect in this release.`;
      report({ code: 'not-built', message, pointer, severity: 'warning' }, part, name && `/${SERVERS_FOLDER}/${name}`, context);
    }
  }
}

function finish(
  root: Part | undefined,
  servers: ReadonlyMap<string, Part>,
  found: FoundDocuments & FoundOverlays,
  loaded: LoadedExtensions,
  context: Context,
): LoadedConfig {
  const entries = [root, ...servers.values()].flatMap((part) => part?.entry ?? []);
  const secrets = new Set(entries.flatMap((entry) => entry.secrets));
  const redactor = new Redactor();
  for (const value of entries.flatMap(({ referred }) => [...secrets, ...referred])) redactor.add(value);
  const problems = context.problems.map((problem) => ({ ...problem, message: redactor.redact(problem.message) })).sort(byPlace);
  const ok = root !== undefined && problems.every(({ severity }) => severity !== 'error');
  const resolve = (pointer: string): { part: Part; rest: string } | undefined => {
    const [section, name] = pointerParts(pointer);
    const server = section === SERVERS_FOLDER && name !== undefined ? servers.get(name) : undefined;
    if (server)
      return {
        part: server,
        rest: pointer
          .split('/')
          .slice(3)
          .map((part) => `/${part}`)
          .join(''),
      };
    return root && { part: root, rest: pointer };
  };
  return {
    ok,
    config: ok ? (root.entry.value as HubConfig) : undefined,
    documents: found.documents,
    overlays: found.overlays,
    virtualServers: new Map(
      [...servers].flatMap(([name, { entry }]) => (entry.value === undefined ? [] : [[name, entry.value as VirtualServerConfig]])),
    ),
    extensions: loaded.extensions,
    problems,
    locate(pointer): Place | undefined {
      const [section, name] = pointerParts(pointer);
      const document = section === 'services' ? found.documents.find(({ service }) => service === name) : undefined;
      if (document && own(own(root?.yaml.value, 'services'), document.service) === undefined)
        return { file: document.display, line: 1, column: 1 };
      const at = resolve(pointer);
      return at && { file: at.part.display, ...at.part.yaml.position(at.rest) };
    },
    files: [...context.files],
    secrets: [...secrets],
  };
}

function byPlace(a: Problem, b: Problem): number {
  const [first = '', second = ''] = [a.file, b.file];
  if (first !== second) return first < second ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
