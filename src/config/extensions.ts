import { pointerToken } from '../core/json.ts';
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BalancerExtension } from '../core/contracts/balancer.ts';
import type { EmbedderExtension } from '../core/contracts/embedder.ts';
import { STAGES } from '../core/contracts/policy.ts';
import type { Policy } from '../core/contracts/policy.ts';
import type { ProviderExtension } from '../core/contracts/provider.ts';
import type { Problem } from '../core/contracts/resource.ts';
import type { ToolSourceExtension } from '../core/contracts/tool-source.ts';
import { POLICY_KEYS } from './reading/convert.ts';
import { readSettled } from './reading/read-settled.ts';
import { optionFaults } from './validate.ts';

/** Any extension, its options unknown. */
// oxlint-disable-next-line typescript/no-explicit-any -- options are checked against the extension's own schema before create
export type AnyExtension = Policy<any> | ToolSourceExtension<any> | ProviderExtension | BalancerExtension<any> | EmbedderExtension<any>;

const KINDS = ['policy', 'tool-source', 'provider', 'balancer', 'embedder'];
const LANES = ['models', 'tools', 'agents'];
const CODE_FILE = /^(?!.*\.(?:d|test)\.).*\.(?:ts|js|mts|mjs)$/;
const NAME = /^[a-z][a-z0-9-]{0,63}$/;

export interface LoadedExtensions {
  readonly extensions: readonly AnyExtension[];
  /** Each points to its entry of `extensions:` by `pointer`. */
  readonly problems: readonly Problem[];
  /** Absolute paths of the files, and of what was looked for. */
  readonly files: readonly string[];
}

/** Imports users' own code: files, or all code files right inside a folder. A file is imported again when its content changed. */
export async function loadExtensions(paths: readonly string[], options: { readonly file: string }): Promise<LoadedExtensions> {
  const folder = path.dirname(path.resolve(options.file));
  const extensions: AnyExtension[] = [];
  const problems: Problem[] = [];
  const files = new Set<string>();
  for (const [index, given] of paths.entries()) {
    const pointer = `/extensions/${index}`;
    const report = (code: string, message: string, at: Partial<Problem> = {}) => problems.push({ code, message, pointer, ...at });
    const target = path.resolve(folder, given);
    files.add(target);
    let found: string[];
    try {
      found = await codeFiles(target);
    } catch {
      report('extension-missing', `There is nothing at ${given}. Paths are relative to ${folder}.`);
      continue;
    }
    if (found.length === 0) report('extension-missing', `There is no .ts or .js file in ${given}.`);
    for (const file of found) {
      files.add(file);
      const shown = path.relative(folder, file);
      const imported = await importExtensions(file);
      if ('problem' in imported) {
        report(
          'extension-failed',
          `${shown}: ${imported.problem}`,
          imported.line === undefined ? {} : { file: shown, line: imported.line, column: 1 },
        );
        continue;
      }
      for (const value of imported.values) {
        const fault = shapeFault(value);
        const clash = extensions.find(
          (other) => other.kind === (value as AnyExtension)?.kind && other.name === (value as AnyExtension).name,
        );
        if (fault !== undefined) report('extension-shape', `${shown}: ${fault}`);
        else if (clash) report('name-clash', `${shown}: there is a ${clash.kind} "${clash.name}" already. Rename one.`);
        else extensions.push(value as AnyExtension);
      }
    }
  }
  return { extensions, problems, files: [...files] };
}

async function codeFiles(target: string): Promise<string[]> {
  if (!(await stat(target)).isDirectory()) return [target];
  const names = await readdir(target);
  return names
    .filter((name) => !name.startsWith('.') && CODE_FILE.test(name))
    .sort()
    .map((name) => path.join(target, name));
}

const ENTRY = 'hubgate/policy';
let resolvesEntry = false;

/** An extension may lie anywhere, where no package of ours can be found from: its `hubgate/policy` is this hub's own. */
function resolveEntry(): void {
  if (resolvesEntry) return;
  resolvesEntry = true;
  const url = new URL(`../policy${path.extname(import.meta.url)}`, import.meta.url).href;
  registerHooks({ resolve: (specifier, context, next) => (specifier === ENTRY ? { url, shortCircuit: true } : next(specifier, context)) });
}

async function importExtensions(file: string): Promise<{ values: readonly unknown[] } | { problem: string; line?: number }> {
  resolveEntry();
  try {
    const hash = createHash('sha256')
      .update(await readSettled(file))
      .digest('hex');
    const module = (await import(`${pathToFileURL(file).href}?v=${hash.slice(0, 16)}`)) as { default?: unknown };
    if (module.default === undefined) return { problem: 'there is no default export. Write: export default definePolicy({ … }).' };
    return { values: [module.default].flat() };
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const line = stack?.split(path.basename(file))[1]?.match(/^(?:\?v=\w+)?:(\d+)/)?.[1];
    return { problem: `the code could not be loaded: ${message}`, ...(line && { line: Number(line) }) };
  }
}

/** The place in users' code that an error came from: the first that its stack names. `file` is relative to `folder`. */
export function codePlace(error: unknown, folder: string): Pick<Problem, 'file' | 'line' | 'column'> | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const [, url, line, column] = /(file:\/\/[^\s?)]+)\?v=\w+:(\d+):(\d+)/.exec(stack) ?? [];
  return url === undefined ? undefined : { file: path.relative(folder, fileURLToPath(url)), line: Number(line), column: Number(column) };
}

/** Why a value is not an extension of this hub. */
function shapeFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'the default export is not an extension. Export what definePolicy gives.';
  const { kind, apiVersion, name, options, create, stage, lanes } = value as Record<string, unknown>;
  if (!KINDS.includes(String(kind))) return `kind must be one of: ${KINDS.join(', ')}.`;
  if (apiVersion !== 1) return 'apiVersion must be 1; this hub knows no other.';
  if (typeof name !== 'string' || !NAME.test(name)) return 'name must be a lower-case letter, then a-z, 0-9 and "-".';
  if (POLICY_KEYS.includes(name)) return `the name ${name} has another meaning beside a policy. Take another one.`;
  if (typeof options !== 'object' || options === null) return 'options must be a JSON Schema; write {} for anything.';
  if (typeof create !== 'function') return 'create must be a function.';
  if (kind === 'policy' && !(STAGES as readonly unknown[]).includes(stage)) return `stage must be one of: ${STAGES.join(', ')}.`;
  if (lanes !== undefined && !(Array.isArray(lanes) && lanes.every((lane) => LANES.includes(lane as string)))) {
    return `lanes must be a list of: ${LANES.join(', ')}.`;
  }
  return undefined;
}

/** What in the options does not fit the extension's schema; `pointer` is inside the options. */
export function checkOptions(extension: AnyExtension, options: unknown): Problem[] {
  try {
    return optionFaults(extension.options, options).map(({ code, message, pointer, key }) => ({
      code,
      message,
      pointer: key === undefined ? pointer : `${pointer}/${pointerToken(key)}`,
    }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [
      {
        code: 'extension-schema',
        message: `The options of "${extension.name}" are not a JSON Schema: ${reason}. This is for its author.`,
        pointer: '',
      },
    ];
  }
}
