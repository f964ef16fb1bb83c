import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDescription } from '../../../src/config/reading/documents.ts';

describe('isDescription', () => {
  it.each([
    '{"openapi":"3.1.0"}',
    '  \n{ "info": {"a": ["}", "\\"{"]}, "swagger" : "2.0" }',
    '\uFEFF{"openapi":"3.1.0"}',
    '# note\n\nopenapi: 3.0.0\n',
    'info:\n  a: 1\n"swagger": "2.0"\n',
    "---\n'openapi': 3.2.0\n",
    '{ info: { a: 1 }, openapi: 3.1.0 }',
  ])('finds the key at the top of %j', (text) => expect(isDescription(text)).toBe(true));

  it.each([
    '',
    'text about openapi: and swagger\n',
    '{"info":{"openapi":"3.1.0"}}',
    '{"a":"openapi","b":["swagger"]}',
    '{"a":"\\"openapi\\": 1"}',
    'info:\n  openapi: 3.1.0\n',
    'myopenapi: 1\n',
    '{"openapi-spec": 1}',
    '{"a": "never closed, openapi: 1',
  ])('is not misled by %j', (text) => expect(isDescription(text)).toBe(false));

  it('agrees with JSON.parse', () => {
    const key = fc.oneof(fc.constantFrom('openapi', 'swagger', '"openapi":', 'a'), fc.string());
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        fc.string(),
        key,
        fc.integer(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 4 }), fc.constantFrom(undefined, 2), (object, indent) => {
        expect(isDescription(JSON.stringify(object, undefined, indent))).toBe(
          Object.hasOwn(object, 'openapi') || Object.hasOwn(object, 'swagger'),
        );
      }),
      { numRuns: 500 },
    );
  });
});
