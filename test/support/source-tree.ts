import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { type Node, parseSync, Visitor } from 'oxc-parser';

export interface SourceImport {
  /** A path inside the tree such as `core/call.ts`, or the name of a package without its subpath. */
  readonly target: string;
  readonly ours: boolean;
  /** Erased at run time: `import type`, or a type position. */
  readonly typeOnly: boolean;
}

export interface SourceFile {
  /** Relative to the root that was read, with forward slashes. */
  readonly path: string;
  readonly folder: string;
  readonly imports: readonly SourceImport[];
  /** Each function with a body, named after itself or what it is assigned to, with its lines of code. */
  readonly functions: readonly { readonly name: string; readonly lines: number }[];
  /** Lines of code: without blank lines and lines that hold nothing but comments. */
  readonly lines: number;
  readonly readsEnvironment: boolean;
}

/** Reads every `.ts` file below `root`. */
export function readSourceTree(root: string): SourceFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
    .map((path) => readSource(path, readFileSync(join(root, path), 'utf8')));
}

/** What the budgets and import rules ask about one file. `path` places its relative imports. */
export function readSource(path: string, text: string): SourceFile {
  const { program, comments, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path} cannot be parsed: ${errors[0].message}`);
  const imports: SourceImport[] = [];
  const functions: { name: string; lines: number }[] = [];
  const names = new Map<Node, string>();
  let readsEnvironment = false;
  const count = codeLines(text, comments);
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length;

  const addImport = (source: Node | null, typeOnly: boolean): void => {
    if (source?.type === 'Literal' && typeof source.value === 'string') imports.push(resolve(path, source.value, typeOnly));
  };
  const nameValue = (key: Node, value: Node | null): void => {
    if (value) names.set(value, text.slice(key.start, key.end));
  };
  const addFunction = (node: Node & { body?: Node | null; id?: { name: string } | null }): void => {
    if (!node.body) return;
    const name = node.id?.name ?? names.get(node) ?? `line ${lineAt(node.start)}`;
    functions.push({ name, lines: count(lineAt(node.start), lineAt(node.end)) });
  };

  new Visitor({
    ImportDeclaration: (node) =>
      addImport(node.source, node.importKind === 'type' || (node.specifiers.length > 0 && node.specifiers.every(isTypeSpecifier))),
    ExportNamedDeclaration: (node) => addImport(node.source, node.exportKind === 'type'),
    ExportAllDeclaration: (node) => addImport(node.source, node.exportKind === 'type'),
    ImportExpression: (node) => addImport(node.source, false),
    CallExpression: (node) => {
      if (isRequire(node.callee)) addImport(node.arguments[0] ?? null, false);
    },
    TSImportType: (node) => addImport(node.source, true),
    VariableDeclarator: (node) => nameValue(node.id, node.init),
    MethodDefinition: (node) => nameValue(node.key, node.value),
    Property: (node) => nameValue(node.key, node.value),
    FunctionDeclaration: addFunction,
    FunctionExpression: addFunction,
    ArrowFunctionExpression: addFunction,
    MemberExpression: (node) => {
      const { object, property } = node;
      if (object.type === 'Identifier' && object.name === 'process' && property.type === 'Identifier' && property.name === 'env') {
        readsEnvironment = true;
      }
    },
  }).visit(program);

  return { path, folder: dirname(path), imports, functions, lines: count(1, Number.POSITIVE_INFINITY), readsEnvironment };
}

/** The folders that import each other in a circle, as the path round it; undefined when there is none. */
export function findCycle(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const walk = (folder: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(folder)) return [...path.slice(path.indexOf(folder)), folder];
    if (done.has(folder)) return undefined;
    for (const next of edges.get(folder) ?? []) {
      const cycle = walk(next, [...path, folder]);
      if (cycle) return cycle;
    }
    done.add(folder);
    return undefined;
  };
  for (const folder of edges.keys()) {
    const cycle = walk(folder, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** `require(…)`, `createRequire(…)(…)` and `.resolve(…)` of either. */
function isRequire(callee: Node): boolean {
  if (callee.type === 'MemberExpression')
    return callee.property.type === 'Identifier' && callee.property.name === 'resolve' && isRequireFunction(callee.object);
  return isRequireFunction(callee);
}

function isRequireFunction(callee: Node): boolean {
  if (callee.type === 'CallExpression') return callee.callee.type === 'Identifier' && callee.callee.name === 'createRequire';
  return callee.type === 'Identifier' && callee.name === 'require';
}

function isTypeSpecifier(specifier: { type: string; importKind?: string }): boolean {
  return specifier.type === 'ImportSpecifier' && specifier.importKind === 'type';
}

function resolve(from: string, specifier: string, typeOnly: boolean): SourceImport {
  if (specifier.startsWith('.')) return { target: posix.join(dirname(from), specifier), ours: true, typeOnly };
  const parts = specifier.split('/');
  return { target: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'), ours: false, typeOnly };
}

/** Gives a way to count the lines of code between two lines, both included, counted from 1. */
function codeLines(text: string, comments: readonly { start: number; end: number }[]): (first: number, last: number) => number {
  let bare = '';
  let end = 0;
  for (const comment of comments) {
    bare += text.slice(end, comment.start) + text.slice(comment.start, comment.end).replace(/[^\n]/g, ' ');
    end = comment.end;
  }
  const filled = (bare + text.slice(end)).split('\n').map((line) => line.trim() !== '');
  return (first, last) => filled.slice(first - 1, last).filter(Boolean).length;
}
