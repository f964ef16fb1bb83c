import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { Part } from './compiling.ts';
import { compileOne } from './compiling.ts';

function inputSchema(schema: unknown, root: Part = {}): Part {
  const operation = compileOne({ requestBody: { content: { 'application/json': { schema } } } }, { root });
  return operation.tool.definition.inputSchema as Part;
}

const body = (schema: unknown, root: Part = {}): unknown => (inputSchema(schema, root)['properties'] as Part)['body'];

/** Whether the tool takes the value as its body. */
function takes(schema: unknown, value: unknown, root: Part = {}): boolean {
  return new Ajv2020({ strict: false, validateFormats: false }).compile(inputSchema(schema, root))({ body: value });
}

/** Entries, for an object with `then` would be taken for a promise by some. */
const conditional = (...parts: readonly Part[]): Part =>
  Object.fromEntries(['if', 'then', 'else'].map((key, index) => [key, parts[index]]));
const schemas = (all: Part): Part => ({ components: { schemas: all } });
const ref = (name: string): Part => ({ $ref: `#/components/schemas/${name}` });

describe('keywords', () => {
  test.each([
    ['of other types say nothing', { type: 'string', uniqueItems: true, minimum: 1, properties: {} }, { type: 'string' }],
    ['null is no value of an enum', { type: 'string', enum: ['a', null] }, { type: 'string', enum: ['a'] }],
    ['null alone without a type', { enum: ['a', null] }, { anyOf: [{ type: 'string', enum: ['a'] }, { type: 'null' }] }],
    ['an enum gives its type', { enum: ['a', 'b'] }, { type: 'string', enum: ['a', 'b'] }],
    ['an enum counts more than a type it excludes', { type: 'integer', enum: ['a'] }, { type: 'string', enum: ['a'] }],
    ['fractions are no multiples in binary', { type: 'number', multipleOf: 0.01 }, { type: 'number' }],
    ['binary without a type', { format: 'binary' }, { type: 'string', contentEncoding: 'base64' }],
    ['rules beside bytes', { type: 'string', format: 'byte', minLength: 3, pattern: '^x' }, { type: 'string', format: 'byte' }],
    ['rules beside a file', { type: 'string', format: 'binary', maxLength: 9 }, { type: 'string', contentEncoding: 'base64' }],
    ['null that YAML made of a type', { type: ['string', null] }, { anyOf: [{ type: 'string' }, { type: 'null' }] }],
  ])('%s', (_, schema, expected) => {
    expect(body(schema)).toEqual(expected);
  });

  test('names that a dropped pattern would have allowed are not refused', () => {
    const schema = { type: 'object', patternProperties: { '(?i)^x-': {} }, additionalProperties: false };
    expect(takes(schema, { 'X-a': 1 })).toBe(true);
  });

  test('a closed object takes what it requires', () => {
    const schema = { type: 'object', properties: { a: {} }, required: ['a', 'b'], additionalProperties: false };
    expect(body(schema)).toEqual({ ...schema, properties: { a: {}, b: {} } });
    const named = { ...schema, patternProperties: { '^b': { type: 'integer' } } };
    expect(takes(named, { a: 1, b: 'x' }, { openapi: '3.1.0' })).toBe(false);
    const map = { ...schema, additionalProperties: { type: 'integer' } };
    expect([takes(map, { a: 1, b: 2 }), takes(map, { a: 1, b: 'x' })]).toEqual([true, false]);
  });

  test('nor are they by unevaluatedProperties', () => {
    const schema = { type: 'object', patternProperties: { '(?i)^x-': {} }, unevaluatedProperties: false };
    expect(takes(schema, { 'X-a': 1 }, { openapi: '3.1.0' })).toBe(true);
  });

  test.each([
    ['not', { not: { pattern: '(?i)^x' } }, 'abc'],
    ['not of oneOf', { not: { oneOf: [{ type: 'string' }, { type: 'string', minLength: 2 }] } }, 'abc'],
    ['not of a reference', { not: ref('Either') }, 'abc'],
    ['if', conditional({ properties: { a: { pattern: '\\Ax' } }, required: ['a'] }, { required: ['b'] }), { a: 'y' }],
  ])('%s that cannot be written exactly refuses nothing', (_, schema, value) => {
    const Either = { oneOf: [{ type: 'string' }, { type: 'string', minLength: 2 }] };
    expect(takes(schema, value, { openapi: '3.1.0', ...schemas({ Either }) })).toBe(true);
  });

  test('not and if that can be written exactly are kept', () => {
    const root = { openapi: '3.1.0' };
    const both = { type: 'object', not: { required: ['a', 'b'] } };
    expect([takes(both, { a: 1 }, root), takes(both, { a: 1, b: 1 }, root)]).toEqual([true, false]);
    const kind = conditional({ properties: { kind: { const: 'a' } }, required: ['kind'] }, { required: ['b'] }, { required: ['c'] });
    expect([takes(kind, { kind: 'a', b: 1 }, root), takes(kind, { kind: 'a', c: 1 }, root)]).toEqual([true, false]);
  });

  test('what is evaluated is told by the whole schema, also beside a reference', () => {
    const root = { openapi: '3.1.0', ...schemas({ A: { type: 'object', properties: { a: {} } } }) };
    const schema = { ...ref('A'), properties: { b: {} }, unevaluatedProperties: false };
    expect([takes(schema, { a: 1, b: 1 }, root), takes(schema, { c: 1 }, root)]).toEqual([true, false]);
  });
});

describe('allOf', () => {
  const A = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], description: 'An A.' };

  test('of plain objects is one object', () => {
    expect(body({ allOf: [ref('A'), { properties: { b: { type: 'integer' } }, required: ['b'] }] }, schemas({ A }))).toEqual({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'integer' } },
      required: ['a', 'b'],
      description: 'An A.',
    });
  });

  test.each([
    ['declared twice', { properties: { a: { type: 'string', minLength: 2 } } }],
    ['with a choice', { anyOf: [{ required: ['b'] }, { required: ['c'] }] }],
  ])('stays when a part is %s', (_, part) => {
    expect(body({ allOf: [ref('A'), part] }, schemas({ A }))).toHaveProperty('allOf');
  });

  const object = { type: 'object' };
  const some = { properties: { b: { type: 'boolean' } } };
  test.each([
    ['a part', { allOf: [ref('A'), { ...some, additionalProperties: false }] }],
    ['a part behind references', { allOf: [ref('Closed'), some] }],
    ['the schema around', { ...object, additionalProperties: false, required: ['b'], allOf: [ref('A'), some] }],
    ['a map', { allOf: [{ ...object, additionalProperties: object }, ref('A'), some] }],
    ['one of two that are closed', { allOf: [ref('Closed'), { ...some, additionalProperties: false }] }],
  ])('closed by %s takes what the whole declares, as one object', (_, schema) => {
    const Base = { ...A, additionalProperties: false };
    const root = schemas({ A, Base, Closed: { allOf: [ref('Base')] } });
    expect(takes(schema, { a: 'x', b: true }, root)).toBe(true);
    expect(body(schema, root)).toMatchObject({ type: 'object', properties: { a: { type: 'string' }, b: { type: 'boolean' } } });
    expect(body(schema, root)).not.toHaveProperty('allOf');
  });

  test('what is closed stays so where it stands alone, or declares everything', () => {
    const Closed = { ...A, additionalProperties: false };
    const list = { properties: { one: ref('Closed'), more: { allOf: [ref('Closed'), some] } } };
    expect(takes(list, { more: { a: 'x', b: true } }, schemas({ Closed }))).toBe(true);
    expect(takes(list, { one: { a: 'x', b: true } }, schemas({ Closed }))).toBe(false);
    expect(takes({ allOf: [ref('Closed'), { required: ['a'] }] }, { a: 'x', b: true }, schemas({ Closed }))).toBe(false);
    expect(takes({ allOf: [ref('Closed')], nullable: true }, { a: 'x', b: true }, schemas({ Closed }))).toBe(false);
  });

  test('a map of what the others declare stays one', () => {
    const schema = { allOf: [{ type: 'object', additionalProperties: { type: 'string' } }, ref('A')] };
    expect([takes(schema, { a: 'x', b: 'y' }, schemas({ A })), takes(schema, { a: 'x', b: 1 }, schemas({ A }))]).toEqual([true, false]);
  });

  test('siblings of a reference are parts too', () => {
    const root = { openapi: '3.1.0', ...schemas({ Closed: { ...A, additionalProperties: false } }) };
    expect(takes({ ...ref('Closed'), ...some }, { a: 'x', b: true }, root)).toBe(true);
    expect(takes({ ...ref('Closed'), description: 'd' }, { a: 'x', b: true }, root)).toBe(false);
  });

  test('no part requires what another one hides', () => {
    const Base = { type: 'object', properties: { id: { type: 'string', readOnly: true }, name: { type: 'string' } } };
    const schema = { allOf: [ref('Base'), { type: 'object', required: ['id', 'name'] }], required: ['id'] };
    expect(takes(schema, { name: 'n' }, schemas({ Base }))).toBe(true);
    expect(takes(schema, {}, schemas({ Base }))).toBe(false);
  });

  test('the hidden around an array is not that of its items', () => {
    const schema = { allOf: [{ properties: { id: { readOnly: true } } }, { properties: { list: { items: { required: ['id'] } } } }] };
    expect(takes(schema, { list: [{}] })).toBe(false);
  });
});

describe('choices', () => {
  const Cat = { type: 'object', required: ['kind'], properties: { kind: { type: 'string' }, lives: { type: 'integer' } } };
  const Dog = { type: 'object', required: ['kind'], properties: { kind: { type: 'string' }, barks: { type: 'boolean' } } };
  const mapping = { cat: '#/components/schemas/Cat', dog: 'Dog' };

  test('a mapped discriminator tells the branches apart', () => {
    const schema = { oneOf: [ref('Cat'), ref('Dog')], discriminator: { propertyName: 'kind', mapping } };
    expect(body(schema, schemas({ Cat, Dog }))).toMatchObject({
      anyOf: [{ properties: { kind: { const: 'cat' }, lives: {} } }, { properties: { kind: { const: 'dog' } } }],
    });
    expect(takes(schema, { kind: 'dog', barks: true }, schemas({ Cat, Dog }))).toBe(true);
    expect(takes(schema, { kind: 'cow' }, schemas({ Cat, Dog }))).toBe(false);
  });

  test('what the branch says itself counts more than the mapping', () => {
    const own = { ...Cat, properties: { kind: { type: 'string', enum: ['CAT'] } } };
    const schema = { oneOf: [ref('Cat'), ref('Dog')], discriminator: { propertyName: 'kind', mapping } };
    expect(takes(schema, { kind: 'CAT' }, schemas({ Cat: own, Dog }))).toBe(true);
  });

  test('a parent that lists its children, who contain it, comes to an end', () => {
    const Pet = { type: 'object', properties: { kind: { type: 'string' } }, oneOf: [ref('Cat'), ref('Dog')] };
    const child = (part: Part): Part => ({ allOf: [ref('Pet'), { type: 'object', ...part }] });
    const root = schemas({ Pet, Cat: child({ required: ['lives'] }), Dog: child({ required: ['barks'] }) });
    expect(takes(ref('Pet'), { kind: 'cat', lives: 9 }, root)).toBe(true);
    expect(takes(ref('Pet'), { kind: 1, lives: 9 }, root)).toBe(false);
    expect(takes(ref('Pet'), { kind: 'cat' }, root)).toBe(false);
  });

  test.each([false, { type: 'integer' }])('around which the object is closed by %j stay, and it stays closed', (additionalProperties) => {
    const schema = { type: 'object', properties: { kind: {} }, oneOf: [ref('Cat'), ref('Dog')], additionalProperties };
    const root = schemas({ Cat: { ...Cat, additionalProperties: false }, Dog: { ...Dog, additionalProperties: false } });
    expect(takes(schema, { kind: 'cat', lives: 9 }, root)).toBe(true);
    expect(takes(schema, { kind: 'cat', name: 'Tom' }, root)).toBe(false);
    expect(takes(schema, { kind: 'cat', lives: 9, barks: true }, root)).toBe(false);
  });

  test('a closed parent takes what its children declare, and each child only its own', () => {
    const Pet = { ...Cat, properties: { kind: { type: 'string' } }, required: ['kind'], oneOf: [ref('Tom')], additionalProperties: false };
    const Tom = { allOf: [ref('Pet'), { type: 'object', properties: { lives: { type: 'integer' } }, required: ['lives'] }] };
    expect(takes(ref('Tom'), { kind: 'cat', lives: 9 }, schemas({ Pet, Tom }))).toBe(true);
    expect(takes(ref('Pet'), { kind: 'cat', lives: 9 }, schemas({ Pet, Tom }))).toBe(true);
    expect(takes(ref('Pet'), { kind: 'cat', name: 'x' }, schemas({ Pet, Tom }))).toBe(false);
  });

  test.each(['allOf', 'anyOf'])('%s that leads back to itself takes anything there', (keyword) => {
    const root = schemas({ A: { [keyword]: [ref('B')] }, B: { [keyword]: [ref('A'), { type: 'object' }] } });
    expect(takes(ref('A'), { a: 1 }, root)).toBe(true);
  });
});

test('a body that nothing brings within the limit keeps its properties with their types', () => {
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`aRatherLongName${index}`, { type: 'string' }]));
  const long = { type: 'object', required: Object.keys(many), properties: many, description: 'd'.repeat(200) };
  const properties = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`property${index}`, long]));
  const schema = body({ type: 'object', properties }) as Part;
  expect(Object.keys(schema['properties'] as Part)).toHaveLength(300);
  expect((schema['properties'] as Part)['property7']).toMatchObject({ type: 'object' });
});
