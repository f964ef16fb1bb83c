import type { JsonObject } from '../../../../../src/core/json.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROFILES, type SourceTool } from '../../../../../src/core/tools.ts';
import { plainRoot } from '../../../../../src/lanes/tools/profiles/plain-root.ts';
import { toolForm } from '../../../../../src/lanes/tools/profiles/tool-form.ts';
import { argumentsFrom, clientFaults } from '../../../../support/client-rules.ts';

const DIALECTS = ['openai', 'gemini', 'copilot-studio'] as const;
const NAMES = ['a', 'a b', 'a_b', '$filter', '__proto__', 'constructor', '', '1', 'ключ', 'x'.repeat(80)];

const name = fc.constantFrom(...NAMES);
const type = fc.constantFrom('string', 'integer', 'number', 'boolean', 'null', 'array', 'object');
/** Schemas as other servers may send them, wrong ones among them. */
const { schema } = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.record({ type, description: fc.string() }, { requiredKeys: [] }),
    fc.record(
      {
        type: fc.oneof(type, fc.array(type, { maxLength: 3 }), fc.anything() as never),
        description: fc.oneof(fc.string(), fc.constant(5)),
        enum: fc.oneof(fc.array(fc.jsonValue(), { maxLength: 4 }), fc.constant('no list')),
        const: fc.jsonValue(),
        properties: fc.oneof(fc.dictionary(name, tie('schema'), { maxKeys: 4 }), fc.constant([])),
        required: fc.oneof(fc.array(name, { maxLength: 3 }), fc.constant('a')),
        items: fc.oneof(tie('schema'), fc.boolean(), fc.array(tie('schema'), { maxLength: 2 })),
        prefixItems: fc.array(tie('schema'), { maxLength: 2 }),
        additionalProperties: fc.oneof(tie('schema'), fc.boolean()),
        anyOf: fc.array(tie('schema'), { maxLength: 3 }),
        oneOf: fc.array(tie('schema'), { maxLength: 3 }),
        allOf: fc.array(tie('schema'), { maxLength: 3 }),
        not: tie('schema'),
        $ref: fc.constantFrom('#', '#/properties/a', '#/$defs/a', 'https://elsewhere.test/x', '#/nothing'),
        $defs: fc.dictionary(name, tie('schema'), { maxKeys: 2 }),
        minimum: fc.anything(),
        default: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  ) as fc.Arbitrary<JsonObject>,
}));

const toolOf = (inputSchema: JsonObject): SourceTool => ({
  definition: { name: 'one', description: 'Does it.', inputSchema },
  risk: 'read',
  tags: [],
});

describe('any schema', () => {
  it.each(DIALECTS)('becomes one that the clients of %s take, and the way back takes anything', (profile) => {
    fc.assert(
      fc.property(schema, fc.dictionary(name, fc.jsonValue()), (given, args) => {
        const { definition, input } = toolForm(toolOf(given), profile);
        expect([...clientFaults(profile, definition)]).toEqual([]);
        input?.(args);
        input?.(argumentsFrom(definition.inputSchema, 'all') as JsonObject);
      }),
      { numRuns: 150 },
    );
  });

  it('is shown by default and raw, and made plain, without a failure', () => {
    fc.assert(
      fc.property(schema, (given) => {
        for (const profile of PROFILES) toolForm(toolOf(given), profile);
        expect(plainRoot(given)['type']).toBe('object');
      }),
      { numRuns: 150 },
    );
  });
});
