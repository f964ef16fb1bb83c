import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { BoundedPattern, usablePattern } from '../../../../../src/lanes/tools/openapi/schema/patterns.ts';
import type { Part } from './compiling.ts';
import { compileOne } from './compiling.ts';

function bodySchema(schema: unknown, root: Part = {}): Part {
  const operation = compileOne({ requestBody: { content: { 'application/json': { schema } } } }, { root });
  return operation.tool.definition.inputSchema as Part;
}

function body(schema: unknown, root: Part = {}): unknown {
  return (bodySchema(schema, root)['properties'] as Part)['body'];
}

describe('OpenAPI 3.0 and 2.0 schemas', () => {
  test.each([
    [
      'nullable is a branch',
      { type: 'string', nullable: true, description: 'd' },
      { description: 'd', anyOf: [{ type: 'string' }, { type: 'null' }] },
    ],
    [
      'nullable enum',
      { type: 'string', nullable: true, enum: ['a', null] },
      { anyOf: [{ type: 'string', enum: ['a'] }, { type: 'null' }] },
    ],
    [
      'exclusive bounds',
      { type: 'integer', minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false },
      { type: 'integer', exclusiveMinimum: 1, maximum: 9 },
    ],
    ['binary', { type: 'string', format: 'binary' }, { type: 'string', contentEncoding: 'base64' }],
    ['arrays have items', { type: 'array' }, { type: 'array', items: {} }],
    ['an object without a type', { properties: { a: {} } }, { type: 'object', properties: { a: {} } }],
    [
      'draft-3 required',
      { type: 'object', properties: { a: { type: 'string', required: true } } },
      { type: 'object', properties: { a: { type: 'string' } } },
    ],
    [
      'keywords of OpenAPI',
      { type: 'string', xml: {}, externalDocs: {}, 'x-a': 1, discriminator: {}, example: 'e' },
      { type: 'string', examples: ['e'] },
    ],
    ['values of the declared type', { type: 'string', enum: [1, true] }, { type: 'string', enum: ['1', 'true'] }],
    ['faulty keywords', { type: 'string', minLength: -1, pattern: '(?i)x', required: 'a', enum: [] }, { type: 'string' }],
    [
      'oneOf takes overlapping branches',
      { oneOf: [{ type: 'string' }, { type: 'integer' }] },
      { anyOf: [{ type: 'string' }, { type: 'integer' }] },
    ],
    ['allOf of one', { allOf: [{ type: 'string' }], description: 'd' }, { type: 'string', description: 'd' }],
    ['an unknown type', { type: 'datetime', description: 'd' }, { description: 'd' }],
    ['link targets', { type: 'string', description: 'See [docs](https://x.test/y).' }, { type: 'string', description: 'See docs.' }],
    [
      'sentences about links',
      { type: 'string', description: 'A key. For more information about keys, see "[Keys](https://x.test/k)." Case counts.' },
      { type: 'string', description: 'A key. Case counts.' },
    ],
  ])('%s', (_, schema, expected) => {
    expect(body(schema)).toEqual(expected);
  });

  test('a property called $ref is a property', () => {
    expect(body({ type: 'object', properties: { $ref: { type: 'string' } } })).toEqual({
      type: 'object',
      properties: { $ref: { type: 'string' } },
    });
  });

  test('readOnly properties are not asked for, also behind a reference', () => {
    const root = { components: { schemas: { Id: { type: 'integer', readOnly: true } } } };
    const schema = {
      type: 'object',
      required: ['id', 'ref', 'name'],
      properties: { id: { readOnly: true }, ref: { $ref: '#/components/schemas/Id' }, name: { type: 'string' } },
    };
    expect(body(schema, root)).toEqual({ type: 'object', required: ['name'], properties: { name: { type: 'string' } } });
  });

  test('siblings of a reference: 3.0 keeps the description, 3.1 all', () => {
    const components = { schemas: { Name: { type: 'string', description: 'inner' } } };
    const schema = { $ref: '#/components/schemas/Name', description: 'outer', minLength: 2 };
    expect(body(schema, { components })).toEqual({ type: 'string', description: 'outer' });
    expect(body(schema, { components, openapi: '3.1.0' })).toMatchObject({ allOf: [{ type: 'string' }, { minLength: 2 }] });
  });
});

describe('3.1 schemas', () => {
  test('lists of types become branches with the keywords of each', () => {
    const schema = { type: ['string', 'integer', 'null'], minLength: 1, minimum: 3, description: 'd' };
    expect(body(schema, { openapi: '3.1.0' })).toEqual({
      description: 'd',
      anyOf: [{ type: 'string', minLength: 1 }, { type: 'integer', minimum: 3 }, { type: 'null' }],
    });
  });

  test('references by anchor and $id', () => {
    const components = { schemas: { A: { $anchor: 'here', type: 'string' }, B: { $id: 'https://x.test/b', type: 'integer' } } };
    const schema = { type: 'object', properties: { a: { $ref: '#here' }, b: { $ref: 'https://x.test/b' } } };
    expect(body(schema, { openapi: '3.1.0', components })).toEqual({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'integer' } },
    });
  });
});

describe('references', () => {
  test('are written out; recursion stands under $defs', () => {
    const components = {
      schemas: {
        Node: { type: 'object', properties: { name: { $ref: '#/components/schemas/Name' }, next: { $ref: '#/components/schemas/Node' } } },
        Name: { type: 'string', minLength: 1 },
      },
    };
    const node = { type: 'object', properties: { name: { type: 'string', minLength: 1 }, next: { $ref: '#/$defs/Node' } } };
    expect(bodySchema({ $ref: '#/components/schemas/Node' }, { components })).toMatchObject({
      properties: { body: { $ref: '#/$defs/Node' } },
      $defs: { Node: node },
    });
  });

  test('a schema that is only itself is anything, with a warning', () => {
    expect(body({ $ref: '#/components/schemas/A' }, { components: { schemas: { A: { $ref: '#/components/schemas/A' } } } })).toEqual({});
  });

  test('ten levels of ten references make one small tool that takes what the document takes', () => {
    const schemas: Part = { L10: { type: 'object', properties: { leaf: { type: 'string' } } } };
    for (let level = 0; level < 10; level += 1) {
      schemas[`L${level}`] = {
        type: 'object',
        properties: Object.fromEntries(
          Array.from({ length: 10 }, (_, index) => [`p${index}`, { $ref: `#/components/schemas/L${level + 1}` }]),
        ),
      };
    }
    const schema = bodySchema({ $ref: '#/components/schemas/L0' }, { components: { schemas } });
    expect(JSON.stringify(schema).length).toBeLessThan(8000);
    expect(new Ajv2020({ strict: false }).validate(schema, { body: { p0: { p9: { p0: {} } } } })).toBe(true);
  });
});

describe('the budget of a tool', () => {
  const deep = (depth: number, width: number): Part => ({
    type: 'object',
    required: ['r'],
    additionalProperties: false,
    description: 'What this is. It has a second sentence.',
    properties: Object.fromEntries([
      ['r', { type: 'integer', description: 'Needed.' }],
      ...Array.from({ length: width }, (_, index) => [
        `p${index}`,
        depth === 0 ? { type: 'string', description: 'A leaf with a few words. And more words.', example: 'x' } : deep(depth - 1, width),
      ]),
    ]),
  });

  test('a large schema is shortened and still takes whatever fits the whole one', () => {
    const schema = bodySchema(deep(4, 5));
    expect(JSON.stringify(schema).length).toBeLessThanOrEqual(8000 * 3.5);
    const value = { r: 1, p0: { r: 1, p1: { r: 2, p2: { r: 3, p3: { r: 4, p4: 'x' } } } } };
    expect(new Ajv2020({ strict: false }).validate(schema, { body: value })).toBe(true);
    expect(JSON.stringify(schema)).toContain('What this is.');
  });

  test('a list of hundreds of values becomes a sentence', () => {
    const values = Array.from({ length: 3000 }, (_, index) => `value-${index}`);
    expect(body({ type: 'object', properties: { a: { type: 'string', enum: values } } })).toEqual({
      type: 'object',
      properties: { a: { type: 'string', description: expect.stringMatching(/^One of 3000: value-0, value-1/) } },
    });
  });
});

describe('patterns', () => {
  test('idle escapes are taken off, PCRE is dropped', () => {
    expect(usablePattern('^[\\w\\-\\@]+\\-$')).toBe('^[\\w\\-@]+-$');
    expect(usablePattern('^\\p{L}+$')).toBe('^\\p{L}+$');
    expect(usablePattern('(?i)^a')).toBeUndefined();
    expect(usablePattern('^a\\z')).toBeUndefined();
  });

  test.each([
    ['/^[a-z]+$/', undefined],
    ['/abc/i', undefined],
    ['^(?i:abc)$', undefined],
    ['/subscriptions/.*', '/subscriptions/.*'],
    ['^(?:abc)$', '^(?:abc)$'],
    [' ^a+$', '^a+$'],
    ['^a+$ \n', '^a+$'],
    ['^a\\$ ', '^a\\$ '],
    ['^a\\\\$ ', '^a\\\\$'],
    [' a ', ' a '],
  ])('of other dialects, or with white space outside: %j', (pattern, expected) => {
    expect(usablePattern(pattern)).toBe(expected);
  });

  test.each(['^(a+)+$', '^(a|a)*$', '^(a?){50}b$', '(x+x+)+y', '^a*a*a*a*a*a*b$', '^([a-z]{1,9})*$'])('%s answers in time', (pattern) => {
    const bounded = new BoundedPattern(pattern, 'u');
    const started = performance.now();
    for (const length of [20, 50, 1000, 100_000]) bounded.test(`${'a'.repeat(length)}!`);
    expect(performance.now() - started).toBeLessThan(200);
  });

  test('ordinary patterns are kept to', () => {
    expect(new BoundedPattern('^[a-z]{2,5}$', 'u').test('ABC')).toBe(false);
    expect(new BoundedPattern('^\\d+-\\d+$', 'u').test('12-34')).toBe(true);
    expect(new BoundedPattern('^\\d+-\\d+$', 'u').test('12_34')).toBe(false);
  });
});
