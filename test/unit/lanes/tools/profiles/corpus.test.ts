import type { JsonObject } from '../../../../../src/core/json.ts';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { PROFILES, type SourceTool } from '../../../../../src/core/tools.ts';
import { compileDocument } from '../../../../../src/lanes/tools/openapi/compile.ts';
import { DocumentError } from '../../../../../src/lanes/tools/openapi/types.ts';
import { createOpenApiSource } from '../../../../../src/lanes/tools/sources/openapi.ts';
import { toolForm } from '../../../../../src/lanes/tools/profiles/tool-form.ts';
import { argumentsFrom, clientFaults } from '../../../../support/client-rules.ts';

const ROOT = join(import.meta.dirname, '../../../../..');
const SHARED = join(ROOT, '../shared/openapi-corpus');
const FIXTURES = join(ROOT, 'test/fixtures/openapi');

/** The documents of the repository; all of the corpus with HUBGATE_FULL=1, where it is there. */
function documents(): string[] {
  const own = readdirSync(FIXTURES).map((file) => join(FIXTURES, file));
  if (process.env['HUBGATE_FULL'] !== '1' || !existsSync(join(SHARED, 'manifest.json'))) return own;
  const { documents: shared } = JSON.parse(readFileSync(join(SHARED, 'manifest.json'), 'utf8')) as { documents: { file: string }[] };
  return [...own, ...shared.map(({ file }) => join(SHARED, file))];
}

/** The tools of a document as they are served, each with its operation; none where it is refused. */
function toolsOf(path: string): { readonly identity: string; readonly tool: SourceTool }[] {
  try {
    const compiled = compileDocument({ name: 'svc', text: readFileSync(path, 'utf8'), options: { outputSchemas: true } });
    const signer = { name: 'none', sign: () => Promise.resolve() } as never;
    const { snapshot } = createOpenApiSource({
      name: 'svc',
      compiled,
      trust: () => 'public',
      redact: (text) => text,
      oauth2: () => signer,
    });
    return snapshot.tools.map((tool, index) => ({ identity: compiled.operations[index]!.identity, tool }));
  } catch (error) {
    if (error instanceof DocumentError) return [];
    throw error;
  }
}

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const TOLD = new Set(
  'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf pattern minLength maxLength minItems maxItems uniqueItems minProperties maxProperties not if then else contains propertyNames patternProperties dependentSchemas dependentRequired unevaluatedProperties unevaluatedItems required minContains maxContains'.split(
    ' ',
  ),
);

/** The schema without the constraints that the forms tell in words: what is left is structure, and that has to come out right. */
function structure(schema: unknown, root = true): unknown {
  if (Array.isArray(schema)) return schema.map((one) => structure(one, false));
  if (!isObject(schema)) return schema;
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (
      TOLD.has(key) ||
      (key === 'additionalProperties' && value === false && !root) ||
      (key === 'enum' && (value as unknown[]).includes(''))
    )
      continue;
    if (key === 'properties' || key === '$defs') {
      out[key] = Object.fromEntries(Object.entries(value as JsonObject).map(([name, one]) => [name, structure(one, false)]));
    } else out[key] = key === 'enum' || key === 'default' || key === 'examples' || key === 'const' ? value : structure(value, false);
  }
  return out;
}

/** What no arguments of the form can be right for, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  '/anything/quirks/polymorphism': 'a schema of the document takes what is a text and an integer at once: nothing fits it',
  'POST /evals copilot-studio': 'one of several objects, shown as one: the first value of each key need not belong together',
};

function isExcepted(identity: string, profile: string): boolean {
  return Object.keys(EXCEPTIONS).some((name) => `${identity} ${profile}`.includes(name));
}

describe.each(documents())('%s', (path) => {
  const operations = toolsOf(path);

  test.each(PROFILES)('%s: every client takes the list', { timeout: 120_000 }, (profile) => {
    const faults: string[] = [];
    const names = new Set<string>();
    for (const { identity, tool } of operations) {
      const { definition } = toolForm(tool, profile);
      if (names.has(definition.name)) faults.push(`${identity}: twin ${definition.name}`);
      names.add(definition.name);
      for (const fault of clientFaults(profile, definition)) faults.push(`${identity}: ${fault}`);
    }
    expect(faults).toEqual([]);
  });

  test.each(['openai', 'gemini', 'copilot-studio'] as const)(
    '%s: arguments made from the form are the tool’s',
    { timeout: 120_000 },
    (profile) => {
      const faults: string[] = [];
      for (const { identity, tool } of operations) {
        if (isExcepted(identity, profile)) continue;
        const { definition, input = (args: JsonObject) => args } = toolForm(tool, profile);
        const validate = new Ajv2020({ strict: false, validateFormats: false, validateSchema: false, ownProperties: true }).compile(structure(tool.definition.inputSchema) as JsonObject); // prettier-ignore
        for (const how of ['all', 'least'] as const) {
          const args = input(argumentsFrom(definition.inputSchema, how) as JsonObject);
          if (validate(args) !== true)
            faults.push(`${identity} ${how}: ${validate.errors?.map((one) => `${one.instancePath} ${one.message}`).join('; ')}`);
        }
      }
      expect(faults).toEqual([]);
    },
  );
});
