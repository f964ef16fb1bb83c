import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { argumentKeys } from '../../../../../src/lanes/tools/openapi/bindings/keys.ts';
import { checkArguments } from '../../../../../src/lanes/tools/openapi/arguments.ts';
import type { CompiledOperation } from '../../../../../src/lanes/tools/openapi/types.ts';
import { compileOne } from './compiling.ts';
import type { Part } from './compiling.ts';

function withBody(schema: Part, schemas: Part = {}): CompiledOperation {
  return compileOne({ requestBody: { content: { 'application/json': { schema } } } }, { root: { components: { schemas } } });
}

describe('checkArguments', () => {
  const operation = compileOne({
    parameters: [
      { name: 'id', in: 'query', required: true, schema: { type: 'integer', format: 'int64' } },
      { name: 'state', in: 'query', schema: { type: 'string', enum: ['open', 'closed'] } },
      { name: 'code', in: 'query', schema: { type: 'string', pattern: '^[A-Z]{2}$', nullable: true } },
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, at: { type: 'string', format: 'date' } } },
        },
      },
    },
  });

  test('what fits has no faults', () => {
    expect(checkArguments(operation, { id: 1, state: 'open', code: null, body: { name: 'x', at: 'any day', more: 1 } })).toBeUndefined();
  });

  test('one line per fault, with what came and what is wanted', () => {
    expect(checkArguments(operation, { id: 'x', state: 'half', sate: 1, body: { at: 3 } })).toEqual([
      'sate: there is no such argument. It takes id, state, code, body.',
      'id: "x" came; it must be of type integer.',
      'state: "half" came; wanted is one of "open", "closed".',
      'body.name: nothing came; it is required.',
      'body.at: 3 came; it must be of type string.',
    ]);
    expect(checkArguments(operation, {})).toEqual(['id: nothing came; it is required.', 'body: nothing came; it is required.']);
    expect(checkArguments(operation, { id: 1, body: { name: '' }, code: 7 })).toEqual(['code: 7 came; wanted is string or null.']);
  });

  test('at most ten lines', () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`x${index}`, 1]));
    expect(checkArguments(operation, { ...many, id: 1, body: { name: 'x' } })).toHaveLength(10);
  });

  test('whole numbers beyond 2^53 may be digits', () => {
    expect(checkArguments(operation, { id: '9007199254740993', body: { name: 'x' } })).toBeUndefined();
    expect(checkArguments(operation, { id: '12', body: { name: 'x' } })).toEqual(['id: "12" came; it must be of type integer.']);
  });

  test('each argument keeps to its own pattern', () => {
    const patterned = (name: string, pattern: string): object => ({ name, in: 'query', schema: { type: 'string', pattern } });
    const two = compileOne({ parameters: [patterned('service', '^VA[0-9]{2}$'), patterned('bucket', '^BL[0-9]{2}$')] });
    expect(checkArguments(two, { service: 'VA12', bucket: 'BL12' })).toBeUndefined();
    expect(checkArguments(two, { service: 'BL12', bucket: 'BL12' })).toEqual([
      'service: "BL12" came; it must match pattern "^VA[0-9]{2}$".',
    ]);
  });

  test('arguments called like members of Object.prototype are there only when they came', () => {
    const odd = compileOne({
      parameters: [
        { name: 'toString', in: 'query', required: true, schema: { type: 'string' } },
        { name: 'constructor', in: 'query', schema: { type: 'string' } },
      ],
    });
    expect(checkArguments(odd, {})).toEqual(['toString: nothing came; it is required.']);
    expect(checkArguments(odd, { toString: 'x' } as never)).toBeUndefined();
  });
});

describe('faults of choices', () => {
  const text = { type: 'string', nullable: true };
  const point = { type: 'object', properties: { x: text, y: { type: 'integer' } }, required: ['x'] };
  const either = { oneOf: [text, point, { type: 'array', items: text }] };
  const tree = { type: 'object', properties: { value: text, parts: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } } };
  const nullableTree = { nullable: true, allOf: [{ $ref: '#/components/schemas/Tree' }] };

  test('beside each other, each is told', () => {
    const tags = withBody({ type: 'object', properties: { tags: { type: 'array', items: text } } });
    expect(checkArguments(tags, { body: { tags: [1] } })).toEqual(['body.tags.0: 1 came; wanted is string or null.']);
    expect(checkArguments(tags, { body: { tags: [1, null, 2] } })).toEqual([
      'body.tags.0: 1 came; wanted is string or null.',
      'body.tags.2: 2 came; wanted is string or null.',
    ]);
    expect(checkArguments(withBody({ type: 'object', additionalProperties: text }), { body: { a: 1, b: {} } })).toEqual([
      'body.a: 1 came; wanted is string or null.',
      'body.b: {} came; wanted is string or null.',
    ]);
    expect(checkArguments(withBody({ type: 'array', items: point }), { body: [{ x: 1 }, { x: 2, y: 'z' }, {}] })).toEqual([
      'body.0.x: 1 came; wanted is string or null.',
      'body.1.x: 2 came; wanted is string or null.',
      'body.1.y: "z" came; it must be of type integer.',
      'body.2.x: nothing came; it is required.',
    ]);
  });

  test('a branch that the type fits says what it misses', () => {
    const code = { type: 'string', pattern: '^[A-Z]{2}$', nullable: true };
    const state = { type: 'string', enum: ['open', 'closed'], nullable: true };
    const operation = withBody({ type: 'object', properties: { code, state, either } });
    expect(checkArguments(operation, { body: { code: 'ABC', state: 'half', either: { x: 'a', y: 'z' } } })).toEqual([
      'body.code: "ABC" came; it must match pattern "^[A-Z]{2}$".',
      'body.state: "half" came; wanted is one of "open", "closed".',
      'body.either.y: "z" came; it must be of type integer.',
    ]);
    const forms = {
      oneOf: [
        { type: 'string', maxLength: 2 },
        { type: 'string', pattern: '^long' },
      ],
    };
    expect(checkArguments(withBody(forms), { body: 'abc' })).toEqual(['body: "abc" came; wanted is one of the forms in the schema.']);
  });

  test('behind references as well', () => {
    const operation = withBody({ type: 'array', items: nullableTree }, { Tree: tree });
    expect(checkArguments(operation, { body: [{ value: 1, parts: [3] }, 4] })).toEqual([
      'body.0.value: 1 came; wanted is string or null.',
      'body.0.parts.0: 3 came; it must be of type object.',
      'body.1: 4 came; wanted is object or null.',
    ]);
  });

  const schemas = [text, point, either, nullableTree, { type: 'array', items: either }].flatMap((schema) => [
    schema,
    { type: 'array', items: schema, uniqueItems: true },
    { type: 'object', additionalProperties: schema },
  ]);

  test.each(schemas.map((schema) => [schema]))('what another validator refuses is never let through: %j', (schema) => {
    const operation = withBody(schema, { Tree: tree });
    const fits = new Ajv2020({ strict: false, validateFormats: false }).compile(operation.tool.definition.inputSchema);
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom<unknown>(null, 1, 2, 1.5, true, '1', 'a'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('x', 'y', 'value', 'parts', 'z'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, (body) => {
        const faults = checkArguments(operation, { body });
        if (fits({ body })) expect(faults).toBeUndefined();
        else expect(faults?.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('uniqueItems', () => {
  const operation = withBody({ type: 'array', uniqueItems: true, items: {} });

  test('compares values, not their text', () => {
    expect(operation.tool.definition.inputSchema).toMatchObject({ properties: { body: { uniqueItems: true } } });
    expect(
      checkArguments(operation, { body: [1, '1', true, 'true', null, 'null', [1], ['1'], '[1]', {}, '{}', { a: 1 }, { a: '1' }] }),
    ).toBeUndefined();
    expect(checkArguments(operation, { body: [{ a: 1, b: [{ c: 2, d: 3 }] }, 1, { b: [{ d: 3, c: 2 }], a: 1 }] })?.[0]).toMatch(
      /must NOT have duplicate items \(items ## 0 and 2 are identical\)/,
    );
  });

  test.each([3, 17, 1000])('of %i texts', (length) => {
    const body = Array.from({ length }, (_, index) => `t${index}`);
    expect(checkArguments(operation, { body })).toBeUndefined();
    expect(checkArguments(operation, { body: [...body, 't1'] })?.[0]).toContain(`items ## 1 and ${length} are identical`);
  });
});

describe('large arguments end', () => {
  const items = (length: number, item: (index: number) => unknown): unknown[] => Array.from({ length }, (_, index) => item(index));

  test('4 MB of wrong items', () => {
    const nullable = withBody({ type: 'array', items: { type: 'string', nullable: true } });
    expect(checkArguments(nullable, { body: items(2_000_000, () => 1) })).toEqual(['body.0: 1 came; wanted is string or null.']);
    const named = withBody({ type: 'array', items: { $ref: '#/components/schemas/N' } }, { N: { type: 'object', required: ['a', 'b'] } });
    expect(checkArguments(named, { body: items(1_000_000, () => ({})) })).toEqual(['body.0.a: nothing came; it is required.']);
  });

  test('4 MB of different objects', () => {
    const unique = withBody({ type: 'array', uniqueItems: true, items: { type: 'object' } });
    expect(checkArguments(unique, { body: items(300_000, (a) => ({ a })) })).toBeUndefined();
  });

  test('4 MB of texts that take a pattern long, each of them: what comes late passes', () => {
    const patterned = withBody({ type: 'array', items: { type: 'string', pattern: '^\\w*\\d*$' } });
    const slow = 'a'.repeat(990);
    expect(checkArguments(patterned, { body: ['!'] })).toHaveLength(1);
    expect(checkArguments(patterned, { body: ['!', ...items(4000, () => slow)] })).toHaveLength(1);
    expect(checkArguments(patterned, { body: [...items(4000, () => slow), '!'.repeat(990)] })).toBeUndefined();
  });
});

describe('argumentKeys', () => {
  const keys = (names: readonly (readonly [string, 'path' | 'query' | 'header' | 'cookie'])[], taken: string[] = []) => argumentKeys(names.map(([name, place]) => ({ name, place })), taken); // prettier-ignore

  test('legal names stay, others are cleaned', () => {
    expect(keys([['id', 'path'], ['$filter', 'query'], ['a[]', 'query'], ['X-Y', 'header'], ['2nd', 'query'], ['__proto__', 'query']])).toEqual(['id', 'filter', 'a', 'X_Y', '_2nd', 'proto']); // prettier-ignore
  });

  test('twins get their place, by the order path, query, header, cookie', () => {
    expect(keys([['a', 'cookie'], ['a', 'header'], ['A', 'query'], ['a', 'path'], ['a-', 'path']])).toEqual(['a_cookie', 'a_header', 'A_query', 'a', 'a_path']); // prettier-ignore
    expect(keys([['body', 'query'], ['ключ', 'query'], ['имя', 'query']], ['body'])).toEqual(['body_query', 'query', 'query_query_2']); // prettier-ignore
  });

  test('long names are cut, and stay apart', () => {
    const [a = '', b = ''] = keys([[`${'x'.repeat(80)}a`, 'query'], [`${'x'.repeat(80)}b`, 'query']]); // prettier-ignore
    expect(a.length).toBeLessThanOrEqual(64);
    expect(a).not.toBe(b);
  });
});
