import type { JsonObject } from '../../../../../src/core/json.ts';
import { expect, test } from 'vitest';
import { exactArguments } from '../../../../../src/lanes/tools/mcp/exact-arguments.ts';

function exact(text: string): JsonObject {
  const message = `{"id":1,"params":{"arguments":${text}}}`;
  return exactArguments(JSON.parse(text) as JsonObject, Buffer.from(message));
}

test('integers that JavaScript rounds are text; all else is what it was', () => {
  expect(exact('{"a":9007199254740993,"b":[-12345678901234567890,{"c":9223372036854775807}]}')).toEqual({
    a: '9007199254740993',
    b: ['-12345678901234567890', { c: '9223372036854775807' }],
  });
  expect(exact('{"a":9007199254740992,"b":1e300,"c":0.1,"d":"9007199254740993","e":9007199254740993}')).toEqual({
    a: 9007199254740992,
    b: 1e300,
    c: 0.1,
    d: '9007199254740993',
    e: '9007199254740993',
  });
});

test('arguments without them are not read again, nor those of a batch', () => {
  const given = { a: 1, b: [1.5, -0, 2 ** 53 - 1] };
  expect(exactArguments(given, Buffer.from('no JSON'))).toBe(given);
  const long = { a: 2 ** 60 };
  expect(exactArguments(long, Buffer.from('[{"params":{"arguments":{"a":1152921504606846977}}}]'))).toBe(long);
});
