import { pointerToken } from '../../../core/json.ts';
import type { Access } from '../../../access/permit.ts';
import type { SelectionPattern, ToolOverride, VirtualServerConfig } from '../../../config/types.ts';
import { compileGlob } from '../../../core/conditions.ts';
import type { Problem } from '../../../core/contracts/resource.ts';
import { redefined, RISKS, type SourceTool, type Tool } from '../../../core/tools.ts';
import { reshape, type Reshape } from './reshape.ts';
import { toolsOf, type SourceEntry } from './source-entry.ts';

/** A tool on one door, with all that a call of it needs. */
export interface ExposedTool extends Reshape {
  readonly tool: Tool;
  readonly entry: SourceEntry;
  /** Decides about this tool, under `accessName`: globs match names without a prefix. */
  readonly access: Access;
  readonly accessName: string;
}

export interface Selected {
  readonly tools: readonly ExposedTool[];
  readonly problems: readonly Problem[];
}

/** Every tool of a source under its own name, or under `source_` on the door of all sources. */
export function wholeSource(entry: SourceEntry, prefixed: boolean): ExposedTool[] {
  return toolsOf(entry).map((tool) => {
    const plain = tool.definition.name;
    return expose(tool, prefixed ? `${entry.name}_${plain}` : plain, plain, entry, entry.access, plain);
  });
}

/** Selection, overrides and names of one virtual server. What is not there is a problem, never the end of the server. */
export function selectTools(
  server: string,
  config: VirtualServerConfig,
  access: Access,
  sources: ReadonlyMap<string, SourceEntry>,
): Selected {
  const pointer = `/virtual-servers/${server}`;
  const problems: Problem[] = [];
  const exposed = new Map<string, ExposedTool>();
  const overrides = new Map(Object.entries(config.overrides ?? {}));
  const unused = new Set(overrides.keys());
  for (const [index, selection] of config.tools.entries()) {
    const entry = sources.get(selection.from);
    if (entry === undefined) continue;
    const at = `${pointer}/tools/${index}`;
    const all = toolsOf(entry);
    if (all.length === 0 && entry.source.snapshot.state !== 'ready') {
      if (entry.source.snapshot.state !== 'loading')
        problems.push({
          code: 'source_not_ready',
          severity: 'warning',
          pointer: at,
          message: `The source ${entry.name} offers nothing now: ${(entry.source.snapshot.error ?? entry.source.snapshot.state).replace(/\.$/, '')}.`,
        });
      for (const key of overrides.keys()) if (key.startsWith(`${entry.name}.`)) unused.delete(key);
      continue;
    }
    problems.push(...missingNames(selection.include ?? [], all, entry, `${at}/include`));
    const included = matcher(selection.include, 'include');
    const excluded = matcher(selection.exclude, 'exclude');
    for (const tool of all) {
      if ((included !== undefined && !included(tool)) || excluded?.(tool) === true) continue;
      const key = `${entry.name}.${tool.definition.name}`;
      const override = overrides.get(key);
      unused.delete(key);
      if (override?.enabled === false) continue;
      const made = exposeSelected(tool, override, entry, access, exposed);
      if (made.problem !== undefined)
        problems.push({ ...made.problem, pointer: `${pointer}/overrides/${pointerToken(key)}${made.problem.pointer ?? ''}` });
      if (made.tool !== undefined) exposed.set(made.tool.tool.name, made.tool);
    }
  }
  for (const key of unused) problems.push(unusedOverride(key, `${pointer}/overrides/${pointerToken(key)}`));
  return { tools: [...exposed.values()], problems };
}

/** The first to come keeps the plain name, a later one gets its source's name in front; a name chosen by an override must be free. */
function exposeSelected(
  tool: SourceTool,
  override: ToolOverride | undefined,
  entry: SourceEntry,
  access: Access,
  taken: ReadonlyMap<string, ExposedTool>,
): { tool?: ExposedTool; problem?: Problem } {
  const shaped = override === undefined ? { tool, unknownArguments: [] } : reshape(tool, override);
  const plain = shaped.tool.definition.name;
  if (taken.get(plain)?.entry === entry && taken.get(plain)?.tool.sourceName === tool.definition.name) return {};
  const name = taken.has(plain) ? `${entry.name}_${plain}` : plain;
  if (taken.has(name)) {
    return {
      problem: {
        code: 'name_taken',
        severity: 'warning',
        message: `The name ${name} is taken by another tool of this server, so ${entry.name}.${tool.definition.name} is left out. Give one of them another name in overrides.`,
      },
    };
  }
  const exposed = { ...expose(shaped.tool, name, tool.definition.name, entry, access, name), ...reshapeOf(shaped) };
  if (shaped.unknownArguments.length === 0) return { tool: exposed };
  const [argument] = shaped.unknownArguments;
  const message = `The tool ${entry.name}.${tool.definition.name} has no argument ${argument}. It has: ${Object.keys((tool.definition.inputSchema['properties'] as object | undefined) ?? {}).join(', ') || 'none'}.`;
  return {
    tool: exposed,
    problem: { code: 'unknown_argument', severity: 'error', pointer: `/arguments/${pointerToken(argument!)}`, message },
  };
}

function reshapeOf({ input, output }: Reshape): Reshape {
  return { ...(input === undefined ? {} : { input }), ...(output === undefined ? {} : { output }) };
}

function expose(tool: SourceTool, name: string, sourceName: string, entry: SourceEntry, access: Access, accessName: string): ExposedTool {
  const definition = tool.definition.name === name ? tool.definition : redefined(tool.definition, { name });
  return { tool: { ...tool, definition, name, source: entry.name, sourceName }, entry, access, accessName };
}

type Matcher = (tool: SourceTool) => boolean;

function matcher(patterns: readonly SelectionPattern[] | undefined, use: 'include' | 'exclude'): Matcher | undefined {
  if (patterns === undefined) return undefined;
  const matchers = patterns.map((pattern) => patternMatcher(pattern, use));
  return (tool) => matchers.some((matches) => matches(tool));
}

function patternMatcher(pattern: SelectionPattern, use: 'include' | 'exclude'): Matcher {
  if (typeof pattern === 'string') {
    const glob = compileGlob(pattern);
    return (tool) => glob(tool.definition.name);
  }
  const tests: Matcher[] = [];
  const test = (glob: string | undefined, of: (tool: SourceTool) => readonly string[]): void => {
    if (glob === undefined) return;
    const matches = compileGlob(glob);
    tests.push((tool) => of(tool).some((text) => matches(text)));
  };
  test(pattern.tool, (tool) => [tool.definition.name]);
  test(pattern.tag, (tool) => tool.tags);
  test(pattern.method?.toUpperCase(), (tool) => (tool.operation === undefined ? [] : [tool.operation.method]));
  test(pattern.path, (tool) => (tool.operation === undefined ? [] : [tool.operation.path]));
  if (pattern.risk !== undefined) {
    const level = RISKS.indexOf(pattern.risk);
    tests.push(use === 'include' ? (tool) => RISKS.indexOf(tool.risk) <= level : (tool) => RISKS.indexOf(tool.risk) >= level);
  }
  return (tool) => tests.every((matches) => matches(tool));
}

/** Patterns of `include` that take nothing: a name that is not there, or a glob that matches nothing. */
function missingNames(patterns: readonly SelectionPattern[], tools: readonly SourceTool[], entry: SourceEntry, pointer: string): Problem[] {
  return patterns.flatMap((pattern, index): Problem[] => {
    if (tools.some(patternMatcher(pattern, 'include'))) return [];
    const at = { severity: 'warning', pointer: `${pointer}/${index}` } as const;
    const name = typeof pattern === 'string' ? pattern : JSON.stringify(pattern);
    if (typeof pattern === 'string' && !/[*?]/.test(pattern))
      return [{ ...at, code: 'unknown_tool', message: `The source ${entry.name} has no tool ${name}.` }];
    return [{ ...at, code: 'matches_nothing', message: `No tool of the source ${entry.name} matches ${name}.` }];
  });
}

function unusedOverride(key: string, pointer: string): Problem {
  return {
    code: 'unused_override',
    severity: 'warning',
    pointer,
    message: `No selected tool is called ${key}, so this override changes nothing.`,
  };
}
