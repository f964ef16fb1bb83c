import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { readRelatedFiles } from '../../../../../src/config/reading/related-files.ts';
import { compileDocument } from '../../../../../src/lanes/tools/openapi/compile.ts';
import type { CompiledService } from '../../../../../src/lanes/tools/openapi/types.ts';

const ROOT = join(import.meta.dirname, '../../../../..');
const SHARED = join(ROOT, '../shared/openapi-corpus');
/** Of the first tools of a document the schemas are also compiled; for the others the meta-schema has to do, which costs a hundredth. */
const COMPILED = 10;
const OPTIONS = { strict: false, validateFormats: false };

interface Entry {
  readonly file: string;
  readonly path: string;
  /** Undefined when it is not known. */
  readonly operations?: number;
}

function entries(): Entry[] {
  if (existsSync(join(SHARED, 'manifest.json'))) {
    const { documents } = JSON.parse(readFileSync(join(SHARED, 'manifest.json'), 'utf8')) as {
      documents: { file: string; operations: number }[];
    };
    // Of documents in several files the manifest counts what stands in the first.
    return documents.map(({ file, operations }) => ({
      file,
      path: join(SHARED, file),
      ...(!file.includes('multifile') && { operations }),
    }));
  }
  const folder = join(ROOT, 'test/fixtures/openapi');
  return readdirSync(folder).map((file) => ({ file, path: join(folder, file) }));
}

const ajv = new Ajv2020(OPTIONS);
const ROOT_KEYS = new Set(['type', 'properties', 'required', 'additionalProperties', '$defs']);

/** Everything that is wrong with the tools of a document, as text. */
function* faults({ operations }: CompiledService): Generator<string> {
  const names = new Set<string>();
  for (const [index, { identity, tool, parameters, body, route }] of operations.entries()) {
    const { name, inputSchema, description = '' } = tool.definition;
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,43}$/.test(name)) yield `${identity}: name ${name}`;
    if (names.has(name.toLowerCase())) yield `${identity}: twin ${name}`;
    names.add(name.toLowerCase());
    const keys = Object.keys(inputSchema['properties'] as object);
    for (const key of keys) if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(key)) yield `${identity}: key ${key}`;
    const bound = [...parameters.map(({ key }) => key), ...(body === undefined ? [] : ['body'])];
    if (bound.sort().join() !== keys.sort().join()) yield `${identity}: bindings ${bound.join()} for ${keys.join()}`;
    if (route.includes(-1)) yield `${identity}: a place in the path without a parameter`;
    for (const key of Object.keys(inputSchema)) if (!ROOT_KEYS.has(key)) yield `${identity}: ${key} at the root`;
    if (description === '' || description.length > 1000) yield `${identity}: description of ${description.length} characters`;
    if (JSON.stringify(inputSchema).length / 3.5 > 8000) yield `${identity}: larger than 8,000 tokens`;
    if (ajv.validateSchema(inputSchema) !== true) yield `${identity}: ${ajv.errorsText()}`;
    else if (index < COMPILED) {
      try {
        new Ajv2020(OPTIONS).compile(inputSchema);
      } catch (error) {
        yield `${identity}: ${String(error)}`;
      }
    }
  }
}

describe('documents in the field', () => {
  const all = entries();

  test('there are some', () => {
    expect(all.length).toBeGreaterThan(5);
  });

  test.each(all)('$file', { timeout: 60_000 }, async ({ file, path, operations }) => {
    const text = readFileSync(path, 'utf8');
    const { files, unread } = await readRelatedFiles(path, text, 1024 * 1024);
    const service = compileDocument({ name: 'svc', text, folder: { entry: basename(path), files, unread } });
    if (file.includes('multifile')) expect(service.leftOut).toEqual([]);
    if (operations !== undefined) expect(service.operations.length + service.leftOut.length).toBe(operations);
    expect([...faults(service)]).toEqual([]);
    expect(JSON.stringify(structuredClone(service))).toBe(JSON.stringify(service));
  });
});
