import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkArguments } from '../../../../../src/lanes/tools/openapi/arguments.ts';
import { buildRequest } from '../../../../../src/lanes/tools/openapi/request.ts';
import type { CompiledOperation } from '../../../../../src/lanes/tools/openapi/types.ts';
import { exactNumbers } from '../../../../../src/lanes/tools/openapi/wire/exact-numbers.ts';
import type { Part } from './compiling.ts';
import { compileOne, compileTree } from './compiling.ts';

const TARGET = { origin: 'https://api.test', prefix: '' };
const DIGITS = '9007199254740993';

function requestOf(operation: CompiledOperation, args: Part, definitions: ReadonlyMap<string, string> = new Map()) {
  expect(checkArguments(operation, args)).toBeUndefined();
  const built = buildRequest(operation, args, TARGET, { definitions });
  if ('fault' in built) throw new Error(built.fault);
  return built.request;
}

function bodyOf(schema: Part, body: unknown, mediaType = 'application/json', openapi = '3.0.3'): unknown {
  return requestOf(compileOne({ requestBody: { content: { [mediaType]: { schema } } } }, { root: { openapi } }), { body }).body;
}

const integer = { type: 'integer', format: 'int64' };

describe('digits beyond 2^53, given as text', () => {
  test('are numbers where a number is wanted, and text where text is', () => {
    const schema = {
      type: 'object',
      properties: { id: integer, 'a/b': { type: 'array', items: { type: 'integer', nullable: true } }, text: { type: 'string' } },
      additionalProperties: integer,
    };
    const body = { id: '-9007199254740993', 'a/b': [1, '12345678901234567890'], text: DIGITS, more: '0009007199254740993' };
    expect(bodyOf(schema, body)).toBe(
      '{"id":-9007199254740993,"a/b":[1,12345678901234567890],"text":"9007199254740993","more":9007199254740993}',
    );
    expect(bodyOf(integer, DIGITS)).toBe(DIGITS);
    expect(bodyOf({ oneOf: [integer, { type: 'string' }] }, DIGITS)).toBe(`"${DIGITS}"`);
    expect(bodyOf({}, DIGITS)).toBe(`"${DIGITS}"`);
    expect(bodyOf({ allOf: [{ type: 'object', properties: { id: integer } }] }, { id: DIGITS })).toBe(`{"id":${DIGITS}}`);
  });

  test('in the branch that the value is of', () => {
    const branch = (kind: string, id: Part) => ({ type: 'object', properties: { kind: { type: 'string', enum: [kind] }, id } });
    const schema = { oneOf: [branch('number', integer), branch('text', { type: 'string' })] };
    expect(bodyOf(schema, { kind: 'number', id: DIGITS })).toBe(`{"kind":"number","id":${DIGITS}}`);
    expect(bodyOf(schema, { kind: 'text', id: DIGITS })).toBe(`{"kind":"text","id":"${DIGITS}"}`);
    const list = {
      type: 'array',
      items: { oneOf: [branch('number', { ...integer, nullable: true }), branch('text', { type: 'string' })] },
    };
    expect(bodyOf(list, [{ kind: 'number', id: DIGITS }, { kind: 'text' }])).toBe(`[{"kind":"number","id":${DIGITS}},{"kind":"text"}]`);
  });

  test('excuse nothing beside them', () => {
    const branch = (kind: string, id: Part) => ({
      type: 'object',
      properties: { kind: { type: 'string', enum: [kind] }, id },
      required: ['kind'],
    });
    const schema = { type: 'array', items: { oneOf: [branch('number', integer), branch('flag', { type: 'boolean' })] } };
    const operation = compileOne({ requestBody: { content: { 'application/json': { schema } } } });
    const faults = (...body: unknown[]) => checkArguments(operation, { body })?.length ?? 0;
    expect(faults({ kind: 'number', id: DIGITS })).toBe(0);
    expect(faults({ kind: 'number', id: DIGITS }, { kind: 'other' })).toBeGreaterThan(0);
    expect(faults({ kind: 'flag', id: DIGITS })).toBeGreaterThan(0);
    expect(faults({ id: DIGITS })).toBeGreaterThan(0);
    expect(faults({ kind: 'number', id: DIGITS }, { kind: 'flag', id: 'x' })).toBeGreaterThan(0);
  });

  test('wherever JSON is written: parameters and fields of forms', () => {
    const schema = { type: 'object', properties: { o: { type: 'object', properties: { id: integer } }, n: integer } };
    expect(bodyOf(schema, { o: { id: DIGITS }, n: DIGITS }, 'application/x-www-form-urlencoded')).toBe(
      `o=${encodeURIComponent(`{"id":${DIGITS}}`)}&n=${DIGITS}`,
    );
    const parameters = ['query', 'header', 'cookie'].map((place) => ({
      name: place,
      in: place,
      content: { 'application/json': { schema } },
    }));
    const value = { n: DIGITS };
    const { path, headers } = requestOf(compileOne({ parameters }), { query: value, header: value, cookie: value });
    const json = `{"n":${DIGITS}}`;
    expect([path, headers['header'], headers['cookie']]).toEqual([
      `/things?query=${encodeURIComponent(json)}`,
      json,
      `cookie=${encodeURIComponent(json)}`,
    ]);
  });

  test('also where the tool has a shortened schema, and in schemas that refer to themselves', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 400 }, (_, index) => [
        `p${index}`,
        { type: 'object', properties: { id: integer, text: { type: 'string', description: 'x'.repeat(80) } } },
      ]),
    );
    const Deep = {
      type: 'object',
      properties: { a: { type: 'object', properties: { b: { type: 'object', properties } } }, next: { $ref: '#/components/schemas/Deep' } },
    };
    const requestBody = { content: { 'application/json': { schema: { $ref: '#/components/schemas/Deep' } } } };
    const service = compileTree({ components: { schemas: { Deep } }, paths: { '/a': { post: { requestBody } } } });
    const [operation] = service.operations as [CompiledOperation];
    expect(operation.whole?.schema).toBeDefined();
    const body = { next: { next: { a: { b: { p399: { id: DIGITS, text: DIGITS } } } } } };
    expect(requestOf(operation, { body }, service.definitions).body).toBe(
      `{"next":{"next":{"a":{"b":{"p399":{"id":${DIGITS},"text":"${DIGITS}"}}}}}}`,
    );
  });

  test('ask for the schema once, and without them not at all', () => {
    let asked = 0;
    const schema = () => {
      asked += 1;
      return { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'integer' } } };
    };
    const none = { a: 1, b: ['12345', 'x'.repeat(50), null] };
    const exact = exactNumbers(none, schema);
    expect([exact(none['a'], 'a'), exact(none['b'], 'b')]).toEqual([1, none['b']]);
    expect(exact(none['b'], 'b')).toBe(none['b']);
    expect(asked).toBe(0);
    const long = exactNumbers({ a: DIGITS, b: DIGITS }, schema);
    expect(JSON.stringify([long(DIGITS, 'a'), long(DIGITS, 'b')])).toBe(`[${DIGITS},${DIGITS}]`);
    expect(asked).toBe(1);
  });

  test('any of them, anywhere', () => {
    const operation = compileOne({
      requestBody: {
        content: { 'application/json': { schema: { type: 'object', properties: { list: { type: 'array', items: integer } } } } },
      },
    });
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(10n ** 39n), max: 10n ** 39n }), { minLength: 1 }), (values) => {
        const list = values.map((value) =>
          value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER ? String(value) : Number(value),
        );
        expect(requestOf(operation, { body: { list } }).body).toBe(`{"list":[${values.join(',')}]}`);
      }),
    );
  });
});
