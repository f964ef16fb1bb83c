import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unsoundIn } from '../../../../../src/lanes/tools/openapi/schema/sound.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const KEYWORDS =
  'type required enum pattern multipleOf dependentRequired $ref description format deprecated uniqueItems minimum exclusiveMaximum minLength maxItems ' +
  'properties patternProperties dependentSchemas $defs allOf anyOf oneOf prefixItems items additionalProperties not if then contains propertyNames';
const values = fc.oneof(
  fc.constantFrom<unknown>(
    'string',
    'object',
    ['string', 'null'],
    ['string', 'string'],
    [],
    {},
    true,
    false,
    null,
    -1,
    0,
    2,
    1.5,
    ['a', 'b'],
    '^a',
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const { schema } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', maxDepth: 4 }, values, tie('schema'), fc.array(tie('schema'), { maxLength: 3 }), fc.dictionary(fc.constantFrom('a', 'b.*', '^x'), tie('schema'))), // prettier-ignore
  schema: fc.dictionary(fc.constantFrom(...KEYWORDS.split(' ')), tie('value'), { maxKeys: 4 }),
}));

describe('unsoundIn', () => {
  test('says what the meta-schema says', () => {
    fc.assert(
      fc.property(schema, (one) => {
        expect(unsoundIn(one) === undefined, `${JSON.stringify(one)}: ${String(unsoundIn(one))}`).toBe(
          ajv.validateSchema(one as object) === true,
        );
      }),
      { numRuns: 300 },
    );
  });

  test('names the place', () => {
    expect(unsoundIn({ properties: { a: { items: { minLength: -1 } } } })).toBe('/properties/a/items/minLength');
  });
});
