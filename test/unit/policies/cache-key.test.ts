import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { canonicalJson } from '../../../src/policies/_cache-canonical.ts';
import { cacheKey, CACHE_SCOPES } from '../../../src/policies/_cache-key.ts';
import { ALICE, BOB, CAROL, CHAT, chatCall, FIND, toolCall } from './cached-hub.ts';

const { value: anyJson } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.double({ min: -1000, max: 1000, noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
  ),
}));
const anyBody = fc.dictionary(
  fc.constantFrom('model', 'messages', 'temperature', 'user', 'seed', 'metadata', 'a', 'b', 'Stream'),
  anyJson,
) as fc.Arbitrary<JsonObject>;

/** The same with the keys of all objects the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

/** All places of a value, as the keys that lead there. */
function placesOf(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, item]) => placesOf(item, [...at, key]))];
}

/** A copy with another value at a place, or without it. */
function changed(value: unknown, [key, ...rest]: readonly string[], put: unknown): unknown {
  if (key === undefined) return put;
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === key ? changed(item, rest, put) : item));
  return Object.fromEntries(
    Object.entries(value as JsonObject)
      .map(([name, item]) => [name, name === key ? changed(item, rest, put) : item] as const)
      .filter(([, item]) => item !== undefined),
  );
}

const keyOf = (body: JsonObject): string | undefined => cacheKey(chatCall(body), 'consumer');
const parsed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('the key of a request', () => {
  it('is the same whatever the order of its fields, the way it is written, and whether it is streamed', () => {
    fc.assert(
      fc.property(anyBody, fc.boolean(), fc.option(fc.dictionary(fc.string(), fc.boolean())), (body, stream, options) => {
        const key = keyOf(body);
        expect(key).toMatch(/^[\w-]{43}$/);
        expect(keyOf(reversed(body) as JsonObject)).toBe(key);
        expect(keyOf(JSON.parse(JSON.stringify(body, null, 2)) as JsonObject)).toBe(key);
        expect(keyOf({ stream, ...body, stream_options: options })).toBe(key);
        expect(keyOf({ ...body, stream: null, absent: undefined })).toBe(key);
      }),
    );
  });

  it('is another one after any other change', () => {
    fc.assert(
      fc.property(anyBody, fc.nat(), fc.option(anyJson, { nil: undefined }), (body, place, put) => {
        const places = placesOf(body).slice(1);
        fc.pre(places.length > 0);
        const other = parsed(changed(body, places[place % places.length]!, put)) as JsonObject;
        // JSON knows one zero.
        const isSame = canonicalJson(other) === canonicalJson(parsed(body)) && JSON.stringify(other) === JSON.stringify(parsed(body));
        fc.pre(!isSame);
        expect(keyOf(other)).not.toBe(keyOf(body));
      }),
      { numRuns: 500 },
    );
  });

  it('is another one with another field, a `stream` that is no flag included', () => {
    const all = [
      {},
      { x: 1 },
      { x: '1' },
      { x: null },
      { x: [1] },
      { x: { 0: 1 } },
      { X: 1 },
      { temperature: 0 },
      { seed: 7 },
      { stream: 'true' },
    ];
    expect(new Set(all.map((more) => keyOf({ ...CHAT, ...more }))).size).toBe(all.length);
  });

  it('is there for numbers that every reader reads alike, and for others not', () => {
    for (const seed of [0, -1, 0.1, 1e-300, 2 ** 53 - 1]) expect(keyOf({ ...CHAT, seed })).toBeDefined();
    for (const seed of [2 ** 53, -(2 ** 60), 1e300]) expect(keyOf({ ...CHAT, inside: [{ seed }] })).toBeUndefined();
  });

  it('is not there for what is nested without end', () => {
    const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
    expect(keyOf({ ...CHAT, x: nested(100) })).toBeDefined();
    expect(keyOf({ ...CHAT, x: nested(100_000) })).toBeUndefined();
  });

  it('is another one for each door, route, model, scope, caller and header that vendors see', () => {
    const keys = [
      cacheKey(chatCall(), 'consumer'),
      cacheKey(chatCall(), 'group'),
      cacheKey(chatCall(), 'all'),
      cacheKey(chatCall(CHAT, { consumer: BOB }), 'consumer'),
      cacheKey(chatCall(CHAT, { consumer: CAROL }), 'group'),
      cacheKey(chatCall(CHAT, { consumer: { ...ALICE, anonymous: true } }), 'consumer'),
      cacheKey(chatCall(CHAT, { route: 'other' }), 'consumer'),
      cacheKey(chatCall(CHAT, { operation: 'messages' }), 'consumer'),
      cacheKey(chatCall(CHAT, { headers: { 'anthropic-beta': 'a' } }), 'consumer'),
      cacheKey(chatCall(CHAT, { headers: { 'anthropic-beta': 'a,b' } }), 'consumer'),
      cacheKey(chatCall(CHAT, { headers: { 'anthropic-version': '2023-06-01' } }), 'consumer'),
      cacheKey(chatCall(CHAT, { headers: { 'openai-beta': 'a' } }), 'consumer'),
      cacheKey(Object.assign(chatCall(), { input: { model: 'rewritten', stream: false, body: CHAT } }), 'consumer'),
    ];
    expect(keys.every((key) => key !== undefined)).toBe(true);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('does not depend on other headers, nor on the address and the order of groups', () => {
    for (const scope of CACHE_SCOPES) {
      const headers = { 'user-agent': 'x', authorization: 'Bearer y', 'x-session-id': 'z' };
      expect(cacheKey(chatCall(CHAT, { headers }), scope)).toBe(cacheKey(chatCall(), scope));
    }
    expect(cacheKey(chatCall(CHAT, { consumer: BOB }), 'group')).toBe(cacheKey(chatCall(CHAT, { consumer: ALICE }), 'group'));
  });
});

describe('the key of a tool call', () => {
  const remote = { ...FIND, operation: { method: 'GET', path: '/pets' } };
  const meta = (fields: JsonObject): JsonObject => ({ _meta: fields });
  const key = (...given: Parameters<typeof toolCall>): string | undefined => cacheKey(toolCall(...given), 'consumer');

  it('does not depend on what is another one in every request', () => {
    const passing = {
      progressToken: 7,
      traceparent: '00-1',
      'claudecode/toolUseId': 'toolu_1',
      'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
    };
    expect(key(meta(passing))).toBe(key());
    expect(key(meta({ locale: 'de' }), remote)).toBe(key({}, remote));
  });

  it('depends on all else', () => {
    const keys = [
      key(),
      key({ arguments: { text: 'dog' } }),
      key({ arguments: { text: 'cat', more: null } }),
      key(meta({ locale: 'de' })),
      key({}, { ...FIND, source: 'other' }),
      key({}, { ...FIND, sourceName: 'other' }),
      key({ name: 'seek' }),
      key({}, FIND, { route: 'other' }),
      key({}, FIND, { headers: { 'mcp-protocol-version': '2025-11-25' } }),
      // Arguments that are none are read as none.
      cacheKey(Object.assign(toolCall(), { input: { ...toolCall().input, params: { name: 'find', arguments: 'cat' } } }), 'consumer'),
      cacheKey(Object.assign(toolCall(), { input: { ...toolCall().input, params: { name: 'find', arguments: null } } }), 'consumer'),
      cacheKey(Object.assign(toolCall(), { input: { ...toolCall().input, params: { name: 'find' } } }), 'consumer'),
    ];
    expect(keys.every((one) => one !== undefined)).toBe(true);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
