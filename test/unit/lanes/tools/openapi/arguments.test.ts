import { describe, expect, test } from 'vitest';
import { argumentKeys } from '../../../../../src/lanes/tools/openapi/bindings/keys.ts';
import { checkArguments } from '../../../../../src/lanes/tools/openapi/arguments.ts';
import { compileOne } from './compiling.ts';

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
