import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCycle, readSource, readSourceTree, type SourceFile } from './support/source-tree.ts';

/** What a folder may import of ours, itself included without saying. The longest matching prefix decides. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  policies: ['core'],
  storage: ['core'],
  embedding: ['core'],
  telemetry: ['core'],
  access: ['core'],
  config: ['core'],
  http: ['core'],
  upstreams: ['core'],
  demo: ['core'],
  pipeline: ['core', 'upstreams'],
  'lanes/models': ['core', 'pipeline', 'upstreams', 'access', 'http'],
  'lanes/models/providers': ['core', 'lanes/models/formats'],
  'lanes/models/formats': ['core'],
  'lanes/tools': ['core', 'pipeline', 'upstreams', 'access', 'http'],
  'lanes/agents': ['core', 'pipeline', 'upstreams', 'access', 'http'],
  admin: ['core', 'config', 'http', 'pipeline', 'access', 'storage', 'telemetry'],
  cli: ['core', 'gateway', 'config', 'admin/client.ts', 'embedding/models'],
  'main.ts': ['cli'],
  'policy.ts': ['core'],
  gateway: [''],
};

/** Packages that only some places may import, whole or as types. A scope with `/` at its end stands for all its packages. */
const FENCED: Record<string, readonly string[]> = {
  '@marcbachmann/cel-js': ['core/conditions.ts'],
  re2js: ['core/conditions.ts'],
  ajv: ['config/validate.ts', 'lanes/tools/openapi'],
  'ajv-formats': ['config/validate.ts', 'lanes/tools/openapi'],
  undici: ['upstreams/http.ts', 'upstreams/sending.ts', 'upstreams/whole-answer.ts', 'upstreams/streamed-answer.ts'],
  '@smithy/': ['upstreams/aws-event-stream.ts'],
  aws4fetch: ['upstreams/auth'],
  'prom-client': ['telemetry'],
  '@pydantic/genai-prices': ['telemetry/prices.ts'],
  express: ['http', 'admin'],
  'better-sqlite3': ['storage'],
  kysely: ['storage'],
  // Looked for where it may be installed: its name stands nowhere else.
  '@huggingface/transformers': ['embedding/transformers/find-library.ts'],
  '@modelcontextprotocol/': ['lanes/tools/mcp'],
  '@apidevtools/swagger-parser': ['lanes/tools/openapi'],
  '@a2a-js/sdk': ['lanes/agents'],
};
const ENVIRONMENT = ['config/secrets.ts', 'cli'];

/** Folders where adding a capability is adding a file: no budget. */
const EXTENSION_FOLDERS =
  /^(?:policies|cli|access\/credentials|admin\/resources|upstreams\/(?:auth|balancers))$|\/(?:detectors|drivers|formats|providers|sources)$/;
const BUDGET = { file: 300, function: 60, folder: 12 };
/** A file (`path`), a function (`path#name`) or a folder that may be larger, with its limit and the reason. */
const EXCEPTIONS: Record<string, { readonly limit: number; readonly reason: string }> = {
  core: { limit: 20, reason: 'one file for each word of DESIGN section 1; a folder below would part what is read together' },
};
const BAD_WORDS = /(?:^|[-_.])(?:managers?|helpers?|utils?|utilit(?:y|ies)|common|misc)(?:[-_.]|$)/;

const files = readSourceTree(`${import.meta.dirname}/../src`);

const within = (path: string, place: string): boolean => place === '' || path === place || path.startsWith(`${place}/`);
const longest = (path: string): string | undefined =>
  Object.keys(MAY_IMPORT)
    .filter((place) => within(path, place))
    .toSorted((a, b) => b.length - a.length)[0];

/** The imports that the table does not allow, each as a sentence. */
function wrongImports(file: SourceFile): string[] {
  const home = longest(file.path);
  if (home === undefined) return [`${file.path}: its folder is not in the table of DESIGN section 3`];
  const places = [home, ...(MAY_IMPORT[home] ?? [])];
  return file.imports.flatMap(({ target, ours, typeOnly }) => {
    if (ours) {
      const free = typeOnly && target === 'config/types.ts';
      return free || places.some((place) => within(target, place)) ? [] : [`${file.path} must not import ${target}`];
    }
    const fence = Object.entries(FENCED).find(([name]) => target === name || (name.endsWith('/') && target.startsWith(name)))?.[1];
    return !fence || fence.some((place) => within(file.path, place))
      ? []
      : [`${file.path} must not import ${target}: it belongs to ${fence.join(', ')}`];
  });
}

/** All that has a budget: what it is called here and in EXCEPTIONS, its size and its budget. */
const sizes: [name: string, size: number, budget: number][] = [
  ...files.map((file): [string, number, number] => [file.path, file.lines, BUDGET.file]),
  ...files.flatMap((file) =>
    file.functions.map((one): [string, number, number] => [`${file.path}#${one.name}`, one.lines, BUDGET.function]),
  ),
  ...[...Map.groupBy(files, (file) => file.folder)]
    .filter(([folder]) => !EXTENSION_FOLDERS.test(folder))
    .map(([folder, inside]): [string, number, number] => [folder, inside.length, BUDGET.folder]),
];

describe('architecture', () => {
  it('imports go only where the table of folders and packages allows', () => {
    expect(files.flatMap((file) => file.imports).length, 'no imports seen: the reader is broken').toBeGreaterThan(files.length / 2);
    expect(files.flatMap(wrongImports)).toEqual([]);
  });

  it('the environment is read in few places', () => {
    const readers = files.filter((file) => file.readsEnvironment && !ENVIRONMENT.some((place) => within(file.path, place)));
    expect(readers.map((file) => file.path)).toEqual([]);
  });

  it('folders do not import each other in a circle', () => {
    const edges = new Map<string, Set<string>>();
    for (const { folder, imports } of files) {
      for (const { target, ours, typeOnly } of imports) {
        const other = dirname(target);
        // A folder and the folders inside it are one room; circles of files are the linter's.
        if (!ours || within(other, folder) || within(folder, other) || (typeOnly && target === 'config/types.ts')) continue;
        edges.set(folder, (edges.get(folder) ?? new Set()).add(other));
      }
    }
    expect(findCycle(edges)).toBeUndefined();
  });

  it('files, functions and folders keep their size', () => {
    const over = sizes.filter(([name, size, budget]) => size > (EXCEPTIONS[name]?.limit ?? budget));
    expect(over.map(([name, size, budget]) => `${name}: ${size}, the budget is ${budget}`)).toEqual([]);
  });

  it('every exception is still needed', () => {
    const needed = new Set(sizes.filter(([, size, budget]) => size > budget).map(([name]) => name));
    expect(Object.keys(EXCEPTIONS).filter((name) => !needed.has(name))).toEqual([]);
  });

  it('names say what is in a file', () => {
    expect(files.map((file) => basename(file.path)).filter((name) => BAD_WORDS.test(name))).toEqual([]);
  });

  it('sees what it forbids', () => {
    const wrong = (path: string, text: string): string[] => wrongImports(readSource(path, text));
    expect(wrong('core/call.ts', "export type { X } from '../config/types.ts'; const y = await import('../http/server.ts');")).toHaveLength(
      1,
    );
    expect(
      wrong(
        'lanes/tools/lane.ts',
        "import '../models/lane.ts'; import { Pool } from 'undici'; import '@modelcontextprotocol/client/stdio'; createRequire(import.meta.url)('ajv/dist/2020.js');",
      ),
    ).toHaveLength(4);
    expect(wrong('other/file.ts', '')).toHaveLength(1);
    expect(readSource('a.ts', '// one\nfunction f() {\n\n  /* two */ return process.env.X;\n}')).toMatchObject({
      lines: 3,
      readsEnvironment: true,
      functions: [{ name: 'f', lines: 3 }],
    });
    expect(
      findCycle(
        new Map([
          ['a', new Set(['b'])],
          ['b', new Set(['c'])],
          ['c', new Set(['b'])],
        ]),
      ),
    ).toEqual(['b', 'c', 'b']);
  });
});
