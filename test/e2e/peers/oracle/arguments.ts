import type { JsonObject } from '../../../../src/core/json.ts';
import fc from 'fast-check';

/** A tool as a client lists it, with what it says about its operation. */
export interface ListedTool {
  readonly name: string;
  readonly inputSchema: JsonObject;
  readonly operation: { readonly method: string; readonly path: string; readonly bindings: Readonly<Record<string, string>> };
}

/** Characters that a path, a query or a form must not let through as they are. */
const AWKWARD = [
  'ü /?#&=+%',
  'a b',
  'x,y;z',
  "it's (1) * !",
  '100%25',
  'a/b',
  '[k]',
  '"q"',
  'ключ 🔑',
  'back\\slash',
  '~tilde-._',
  '@:$|^`{}<>',
];
/** What a header can carry: Latin-1, on one line, no blank at its ends. */
const LATIN = ['ü /?#&=+%', 'a b', 'x,y;z', "it's (1) * !", '100%25', '"q"', 'W/"etag"'];
const IN_BODY = [...AWKWARD, '', 'line\nbreak\ttab', '\u0000\u001f', '{"json": true}', 'null', '12', 'true'];
const FORMATS = new Map([
  ['date-time', ['2026-11-21T10:15:00Z', '2026-11-21T10:15:00+02:00']],
  ['date', ['2026-11-21']],
  ['time', ['10:15:00Z']],
  ['uuid', ['0b8f5d0e-6f0f-4a3c-9f6e-0d2f5f3d5c11']],
  ['email', ["o'neil+tag@example.com"]],
  ['uri', ['https://example.com/a?b=c&d=%20#e']],
  ['ipv4', ['192.0.2.1']],
  ['ipv6', ['2001:db8::1']],
]);
/** Below this only what is required is drawn. */
const DEEPEST = 3;

interface Scope {
  readonly root: JsonObject;
  readonly texts: readonly string[];
  /** Null is a value in a body and nothing elsewhere. */
  readonly nulls: boolean;
  readonly depth: number;
}

/** Arguments that the tool's own schema allows: all that is required and some of the rest, the same for the same seed. */
export function drawArguments(tool: ListedTool, seed: number): JsonObject {
  const { inputSchema } = tool;
  const properties = (inputSchema['properties'] ?? {}) as Record<string, JsonObject>;
  const drawn = Object.entries(properties).map(([key, schema]) => {
    const place = tool.operation.bindings[key]?.split(':')[0];
    const texts = place === 'header' ? LATIN : place === 'body' ? IN_BODY : AWKWARD;
    return [key, valueOf(schema, { root: inputSchema, texts, nulls: place === 'body', depth: 0 })] as const;
  });
  const arbitrary = fc.record(Object.fromEntries(drawn), {
    requiredKeys: (inputSchema['required'] ?? []) as string[],
    noNullPrototype: true,
  });
  return fc.sample(arbitrary, { seed, numRuns: 4 }).at(-1) as JsonObject;
}

function valueOf(schema: unknown, scope: Scope): fc.Arbitrary<unknown> {
  if (typeof schema !== 'object' || schema === null) return text({}, scope);
  const given = schema as JsonObject;
  if (scope.depth > 20) throw new Error('The schema asks for a value without end.');
  if (typeof given['$ref'] === 'string') return valueOf(referred(given['$ref'], scope.root), { ...scope, depth: scope.depth + 1 });
  if (Object.hasOwn(given, 'const')) return fc.constant(given['const']);
  if (Array.isArray(given['enum'])) return fc.constantFrom(...allowed(given['enum'], scope));
  if (Array.isArray(given['allOf'])) return valueOf(merged(given, scope.root), scope);
  const choices = (given['anyOf'] ?? given['oneOf']) as JsonObject[] | undefined;
  if (choices !== undefined) {
    const rest = Object.fromEntries(Object.entries(given).filter(([key]) => key !== 'anyOf' && key !== 'oneOf'));
    const branches = choices.filter((branch) => scope.nulls || branch['type'] !== 'null');
    const shallow = scope.depth > DEEPEST ? branches.slice(0, 1) : branches;
    return fc.oneof(...shallow.map((branch) => valueOf(merged({ allOf: [rest, branch] }, scope.root), scope)));
  }
  return ofType(given, scope);
}

function ofType(schema: JsonObject, scope: Scope): fc.Arbitrary<unknown> {
  const { type } = schema;
  if (Array.isArray(type)) {
    const types = allowed(
      type.map((one: unknown) => (one === 'null' ? null : one)),
      scope,
    );
    return fc.oneof(...types.map((one) => ofType({ ...schema, type: one ?? 'null' }, scope)));
  }
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return integer(schema, 1);
    case 'number':
      return schema['multipleOf'] === undefined ? integer(schema, 4) : integer(schema, 1);
    case 'array':
      return list(schema, scope);
    case 'object':
      return object(schema, scope);
    case undefined:
      return schema['properties'] !== undefined
        ? object(schema, scope)
        : schema['items'] !== undefined
          ? list(schema, scope)
          : text(schema, scope);
    default:
      return text(schema, scope);
  }
}

function allowed(values: readonly unknown[], scope: Scope): unknown[] {
  const left = scope.nulls ? [...values] : values.filter((value) => value !== null);
  return left.length === 0 ? [...values] : left;
}

function text(schema: JsonObject, { texts }: Scope): fc.Arbitrary<string> {
  const {
    pattern,
    format,
    minLength = 0,
    maxLength = 10_000,
    contentEncoding,
  } = schema as Record<string, unknown> & { minLength?: number; maxLength?: number };
  if (contentEncoding === 'base64') return fc.constantFrom('aGVsbG8gw7wgLz8jJj0rJQ==', '');
  const fits = (value: string): boolean => [...value].length >= minLength && [...value].length <= maxLength;
  const candidates = (FORMATS.get(String(format)) ?? [...texts, ...texts.map((one) => one.repeat(4)), 'x'.repeat(minLength), '']).filter(
    fits,
  );
  if (typeof pattern !== 'string')
    return candidates.length === 0
      ? fc.constant('x'.repeat(minLength))
      : fc.constantFrom(...candidates.filter((one) => one !== '' || texts === IN_BODY));
  const regexp = new RegExp(pattern, 'u');
  const matching = candidates.filter((value) => value !== '' && regexp.test(value));
  return matching.length > 0
    ? fc.constantFrom(...matching)
    : fc.stringMatching(regexp, { size: 'small' }).filter((value) => value !== '' && fits(value));
}

/** Whole numbers, or parts of them. */
function integer(schema: JsonObject, parts: number): fc.Arbitrary<number> {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf = 1 } = schema as Record<string, number | undefined>;
  const lowest = Math.ceil(
    (minimum ?? (exclusiveMinimum === undefined ? Math.min(-1000, (maximum ?? 0) - 1000) : exclusiveMinimum + 1)) / multipleOf,
  );
  const highest = Math.floor(
    (maximum ?? (exclusiveMaximum === undefined ? Math.max(lowest * multipleOf, 0) + 1_000_000 : exclusiveMaximum - 1)) / multipleOf,
  );
  return fc.integer({ min: lowest * parts, max: highest * parts }).map((value) => (value / parts) * multipleOf);
}

function list(schema: JsonObject, scope: Scope): fc.Arbitrary<unknown[]> {
  const { minItems = 0, maxItems = 3, items } = schema as { minItems?: number; maxItems?: number; items?: unknown };
  const bounds = { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, scope.depth > DEEPEST ? 1 : 3)) };
  const each = valueOf(items ?? {}, { ...scope, depth: scope.depth + 1 });
  return schema['uniqueItems'] === true
    ? fc.uniqueArray(each, { ...bounds, selector: (value) => JSON.stringify(value) })
    : fc.array(each, bounds);
}

function object(schema: JsonObject, scope: Scope): fc.Arbitrary<object> {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, unknown>);
  const required = ((schema['required'] ?? []) as string[]).filter((key) => properties.some(([name]) => name === key));
  const undeclared = ((schema['required'] ?? []) as string[]).filter((key) => !required.includes(key));
  const inner = { ...scope, depth: scope.depth + 1 };
  const shown = properties.filter(([key]) => scope.depth <= DEEPEST || required.includes(key));
  const declared = fc.record(
    Object.fromEntries([
      ...shown.map(([key, one]) => [key, valueOf(one, inner)] as const),
      ...undeclared.map((key) => [key, text({}, scope)] as const),
    ]),
    {
      requiredKeys: [...required, ...undeclared],
      noNullPrototype: true,
    },
  );
  const { additionalProperties, minProperties = 0 } = schema as { additionalProperties?: unknown; minProperties?: number };
  if (properties.length > 0 || additionalProperties === false) {
    return declared.filter((value) => Object.keys(value).length >= minProperties);
  }
  const free = typeof additionalProperties === 'object' ? valueOf(additionalProperties, inner) : text({}, scope);
  return fc.dictionary(fc.constantFrom('key', 'with space', 'ü&='), free, {
    minKeys: minProperties,
    maxKeys: Math.max(minProperties, 2),
    noNullPrototype: true,
  });
}

function referred(reference: string, root: JsonObject): JsonObject {
  let at: unknown = root;
  for (const part of reference.replace(/^#\/?/, '').split('/'))
    at = (at as JsonObject)[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')];
  if (at === undefined) throw new Error(`${reference} leads nowhere`);
  return at as JsonObject;
}

/** The parts of an allOf as one schema: enough for parts that do not contradict each other. */
function merged(schema: JsonObject, root: JsonObject): JsonObject {
  const { allOf = [], ...own } = schema as JsonObject & { allOf?: readonly JsonObject[] };
  const parts = allOf.map((part) => merged(typeof part['$ref'] === 'string' ? referred(part['$ref'], root) : part, root));
  const all: JsonObject[] = [own, ...parts];
  const properties = all.flatMap((part) => Object.entries((part['properties'] ?? {}) as object));
  const required = new Set(all.flatMap((part) => (part['required'] ?? []) as string[]));
  return {
    ...Object.assign({}, ...all),
    ...(properties.length > 0 && { properties: Object.fromEntries(properties) }),
    ...(required.size > 0 && { required: [...required] }),
  };
}
