import fc from 'fast-check';
import type { DeclaredOperation } from './operation.ts';
import { isPart, type Part, partsOf, type Resolver } from './resolver.ts';

/** Only what is required; everything; or some of it, with values that encoders get wrong. */
export type Kind = 'minimal' | 'full' | 'odd';

/** Bytes: base64 in the arguments of a tool, themselves for every other client. */
export class Bytes {
  readonly base64: string;
  constructor(base64: string) {
    this.base64 = base64;
  }
}

/** An integer beyond 2^53: text in the arguments of a tool, a number in the JSON that is sent. */
export class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toJSON(): string {
    return this.text;
  }
}

export interface Call {
  /** Values by `place:name`. */
  readonly parameters: ReadonlyMap<string, unknown>;
  readonly body?: unknown;
  /** The key of `content` that the body is for. */
  readonly mediaType?: string;
}

/** The document allows no value, or none that ends. */
export class NoValue extends Error {}

const CONFLICT = 'x-conflict';

/** Where a value goes decides what it can be. */
interface Scope {
  readonly kind: Kind;
  readonly random: Random;
  readonly texts: readonly string[];
  readonly nulls: boolean;
  /** `format: binary` means bytes. */
  readonly files: boolean;
  readonly depth: number;
  readonly resolver: Resolver;
}

type Random = () => number;

const PLAIN = ['abc', 'two', 'x1', 'value'];
const AWKWARD = [
  'ü /?#&=+%', 'a b', 'x,y;z', "it's (1) * !", '100%25', 'a/b', '[k]', '"q"', 'ключ 🔑', 'back\\slash', '~tilde-._', '@:$|^`{}<>',
]; // prettier-ignore
const LATIN = ['ü /?#&=+%', 'a b', 'x,y;z', "it's (1) * !", '100%25', '"q"', 'W/"etag"'];
const IN_FORM = [...AWKWARD, 'line\nbreak'];
const IN_JSON = [...AWKWARD, '', 'line\nbreak\ttab', '\u0000\u001f', '{"json": true}', 'null', '12', 'true'];
const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-11-21T10:15:00Z',
  date: '2026-11-21',
  time: '10:15:00Z',
  uuid: '0b8f5d0e-6f0f-4a3c-9f6e-0d2f5f3d5c11',
  email: "o'neil+tag@example.com",
  uri: 'https://example.com/a?b=c&d=%20#e',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  hostname: 'example.com',
  byte: 'aGVsbG8=',
  duration: 'P1D',
};
const BYTES = 'aGVsbG8gw7wgLz8jJj0rJQ==';
const DEEPEST = 4;

/** A generator of numbers from 0 to 1, the same for the same text (mulberry32 over FNV-1a). */
export function randomOf(text: string): Random {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Arguments that the document allows. `mediaType`: the key of `content` to draw a body for. */
export function drawCall(
  resolver: Resolver,
  operation: DeclaredOperation,
  mediaType: string | undefined,
  kind: Kind,
  random: Random,
): Call {
  const parameters = new Map<string, unknown>();
  for (const { name, place, required, schema, content, style } of operation.parameters) {
    if (!required && (kind === 'minimal' || (kind === 'odd' && random() < 0.3))) continue;
    const plain = style === 'cookie' || (place === 'cookie' && content === undefined && kind !== 'odd');
    const texts = kind !== 'odd' || plain ? PLAIN : place === 'header' ? LATIN : AWKWARD;
    const scope: Scope = { kind, random, texts, nulls: false, files: false, depth: 0, resolver };
    const value = drawn(schema, scope);
    if (value === undefined || value === null) continue;
    if (place === 'path' && value === '' && isPart(schema) && schema['enum'] !== undefined)
      throw new NoValue('An empty text makes another path.');
    if (place === 'path' && isEmpty(value))
      parameters.set(`${place}:${name}`, Array.isArray(value) ? [drawnItem(schema, scope)] : isPart(value) ? { key: 'abc' } : 'abc');
    else if (required && Array.isArray(value) && value.length === 0) parameters.set(`${place}:${name}`, [drawnItem(schema, scope)]);
    else parameters.set(`${place}:${name}`, value);
  }
  const { body } = operation;
  if (body === undefined || mediaType === undefined || (!body.required && kind === 'minimal')) return { parameters };
  const json = /json|\*\/\*/.test(mediaType);
  const form = /form/.test(mediaType);
  const texts = kind !== 'odd' ? PLAIN : json ? IN_JSON : form ? IN_FORM : AWKWARD;
  const { schema } = body.content[mediaType] ?? { schema: {} };
  const scope: Scope = { kind, random, texts, nulls: json, files: /multipart/.test(mediaType), depth: 0, resolver };
  return { parameters, mediaType, body: bodyOf(mediaType, schema, scope, json, form) };
}

function bodyOf(mediaType: string, schema: unknown, scope: Scope, json: boolean, form: boolean): unknown {
  if (mediaType.includes('*') && scope.resolver.at(schema)?.['format'] === 'binary') return new Bytes(BYTES);
  if (json || form) {
    const value = drawn(schema, scope);
    return form ? withoutEmpty(isPart(value) ? value : {}) : value === undefined ? {} : value;
  }
  if (/^text\/|xml|yaml|ndjson|jsonl|json-seq|javascript|graphql|sparql/.test(mediaType)) {
    const value = drawn(schema, scope);
    return typeof value === 'string' && value !== ''
      ? value
      : typeof value === 'number' || typeof value === 'boolean'
        ? value
        : '<a>text ü</a>';
  }
  return new Bytes(BYTES);
}

/** Empty lists in a form have nothing to be sent. */
function withoutEmpty(value: Part): Part {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));
}

function isEmpty(value: unknown): boolean {
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}

function drawnItem(schema: unknown, scope: Scope): unknown {
  return drawn(scope.resolver.at(schema)?.['items'] ?? {}, { ...scope, depth: 1 }) ?? 'abc';
}

function pick<T>(values: readonly T[], random: Random): T | undefined {
  return values[Math.floor(random() * values.length)];
}

function drawn(source: unknown, scope: Scope): unknown {
  if (source === false) return undefined;
  const schema = withSiblings(source, scope.resolver);
  if (schema === undefined) return text({}, scope);
  if (scope.depth > 12) throw new NoValue('It would never end.');
  if (schema[CONFLICT] === true) throw new NoValue('No value has two types.');
  if (Object.hasOwn(schema, 'const')) return schema['const'];
  if (Array.isArray(schema['enum'])) {
    const values = schema['enum'].filter((value) => (value !== null || scope.nulls) && fitsType(schema, value));
    if (values.length === 0) throw new NoValue('No value of the list has the type.');
    return scope.kind === 'odd' ? pick(values, scope.random) : values[0];
  }
  if (Array.isArray(schema['allOf'])) return drawn(merged(schema, scope.resolver, 0), scope);
  const choices = [schema['anyOf'], schema['oneOf']].find((one) => Array.isArray(one) && one.length > 0) as unknown[] | undefined;
  return choices === undefined ? ofType(schema, scope) : chosen(schema, choices, scope);
}

/** 3.1: keywords beside a reference count (JSON Schema 2020-12, 8.2.3.1); and both outcomes of a condition are kept to. */
function withSiblings(source: unknown, resolver: Resolver): Part | undefined {
  const found = resolver.at(source);
  if (found === undefined || !resolver.siblings || !isPart(source)) return found;
  const { $ref, ...rest } = source;
  const whole =
    typeof $ref === 'string' && Object.keys(rest).length > 0 ? { ...rest, allOf: [...partsOf(rest['allOf']), { $ref }] } : found;
  if (whole['if'] === undefined) return whole;
  const { if: _, then, else: otherwise, ...without } = whole;
  return { ...without, allOf: [...partsOf(without['allOf']), ...[then, otherwise].filter(isPart)] };
}

/** Documents say `type: integer` and list texts. */
function fitsType({ type }: Part, value: unknown): boolean {
  if (typeof type !== 'string') return true;
  if (type === 'string') return typeof value === 'string';
  if (type === 'integer' || type === 'number') return typeof value === 'number';
  if (type === 'array') return Array.isArray(value);
  return type !== 'boolean' || typeof value === 'boolean';
}

function chosen(schema: Part, choices: readonly unknown[], scope: Scope): unknown {
  const { anyOf: _, oneOf: __, ...rest } = schema;
  const branches = choices.filter((one) => scope.nulls || scope.resolver.at(one)?.['type'] !== 'null');
  const branch = scope.kind === 'odd' && scope.depth < DEEPEST ? pick(branches, scope.random) : branches[0];
  const own = Object.keys(rest).some((key) => ['properties', 'type', 'required', 'allOf'].includes(key));
  const value = drawn(own ? merged({ ...rest, allOf: [...partsOf(rest['allOf']), branch] }, scope.resolver, 0) : branch, scope);
  const { discriminator } = schema;
  if (!isPart(value) || !isPart(discriminator) || typeof discriminator['propertyName'] !== 'string') return value;
  const reference = isPart(branch) ? String(branch['$ref'] ?? '') : '';
  const name = reference.split('/').at(-1);
  const mapping = isPart(discriminator['mapping']) ? Object.entries(discriminator['mapping']) : [];
  const key = mapping.find(([, target]) => target === reference || target === name)?.[0] ?? name;
  const declared = scope.resolver.at(propertiesOf(branch, scope.resolver, 0).get(discriminator['propertyName']));
  if (key === undefined || key === '' || declared?.['enum'] !== undefined || declared?.['const'] !== undefined) return value;
  return { ...value, [discriminator['propertyName']]: key };
}

function propertiesOf(source: unknown, resolver: Resolver, depth: number): Map<string, unknown> {
  const schema = resolver.at(source);
  const found = new Map<string, unknown>();
  if (schema === undefined || depth > 6) return found;
  for (const part of partsOf(schema['allOf'])) for (const entry of propertiesOf(part, resolver, depth + 1)) found.set(...entry);
  for (const entry of Object.entries(isPart(schema['properties']) ? schema['properties'] : {})) found.set(...entry);
  return found;
}

/** The parts of an allOf as one schema: enough for parts that do not contradict each other. */
export function merged(schema: Part, resolver: Resolver, depth: number): Part {
  const { allOf, ...own } = schema;
  const parts = depth > 8 ? [] : partsOf(allOf).map((part) => merged(resolver.at(part) ?? {}, resolver, depth + 1));
  const all: Part[] = [own, ...parts];
  const properties = new Map<string, unknown>();
  for (const [key, value] of all.flatMap((part) => Object.entries(isPart(part['properties']) ? part['properties'] : {}))) {
    const before = properties.get(key);
    properties.set(key, before === undefined ? value : { allOf: [before, value] });
  }
  // JSON Schema, additionalProperties: "For all such properties, validation succeeds if" the schema allows the value, here none at all.
  for (const part of all) {
    if (part['additionalProperties'] !== false || part['patternProperties'] !== undefined) continue;
    for (const key of properties.keys()) if (!isPart(part['properties']) || !(key in part['properties'])) properties.delete(key);
  }
  const required = new Set(all.flatMap((part) => (Array.isArray(part['required']) ? (part['required'] as string[]) : [])));
  const choices = all.flatMap((part) => [part['anyOf'], part['oneOf']]).filter((one) => Array.isArray(one));
  const { anyOf: _, oneOf: __, ...rest } = Object.assign({}, ...all.toReversed()) as Part;
  const enums = all.map((part) => part['enum']).filter((one) => Array.isArray(one));
  const types = new Set(all.map((part) => part['type']).filter((one) => typeof one === 'string' && one !== 'number'));
  return {
    ...rest,
    ...(types.size > 1 && { [CONFLICT]: true }),
    ...(enums.length > 1 && { enum: enums.reduce((one, other) => one.filter((value) => other.includes(value))) }),
    ...(all.some((part) => isPart(part['properties'])) && { properties: Object.fromEntries(properties) }),
    ...(required.size > 0 && { required: [...required] }),
    ...(choices.length === 1 && { anyOf: choices[0] as unknown }),
    ...(choices.length > 1 && { anyOf: [{ allOf: choices.map((one) => (one as unknown[])[0]) }] }),
  };
}

function ofType(schema: Part, scope: Scope): unknown {
  const { type } = schema;
  if (Array.isArray(type)) {
    const types = type.filter((one) => one !== 'null' || scope.nulls);
    return ofType({ ...schema, type: scope.kind === 'odd' ? pick(types, scope.random) : types.find((one) => one !== 'null') }, scope);
  }
  switch (type) {
    case 'null':
      return null;
    case 'boolean':
      return scope.kind === 'odd' ? scope.random() < 0.5 : true;
    case 'integer':
    case 'number':
      return number(schema, type === 'integer', scope);
    case 'array':
      return list(schema, scope);
    case 'object':
      return object(schema, scope);
    case 'string':
    case 'file':
      return text(schema, scope);
    default:
      return schema['properties'] !== undefined || schema['additionalProperties'] !== undefined
        ? object(schema, scope)
        : schema['items'] !== undefined
          ? list(schema, scope)
          : text(schema, scope);
  }
}

function text(schema: Part, scope: Scope): unknown {
  const { pattern, format, minLength, maxLength, contentEncoding, contentMediaType, type } = schema;
  if (
    scope.files &&
    (format === 'binary' ||
      type === 'file' ||
      (typeof contentMediaType === 'string' && contentEncoding === undefined && /octet|image/.test(contentMediaType)))
  )
    return new Bytes(BYTES);
  if (contentEncoding === 'base64' || format === 'byte') return 'aGVsbG8=';
  const least = typeof minLength === 'number' ? minLength : 0;
  const most = typeof maxLength === 'number' ? maxLength : Infinity;
  const fits = (value: string): boolean => [...value].length >= least && [...value].length <= most;
  const known = typeof format === 'string' ? FORMATS[format] : undefined;
  const first = pick(scope.texts, scope.random) ?? 'abc';
  const examples = [schema['example'], ...(Array.isArray(schema['examples']) ? schema['examples'] : []), schema['default']].filter(
    (one) => typeof one === 'string',
  );
  const candidates = [
    ...(known === undefined ? [first] : [known]),
    ...scope.texts,
    ...PLAIN,
    ...examples,
    'x'.repeat(Math.min(least, 20_000)),
    'x',
  ].filter(fits);
  const regexp = typeof pattern === 'string' ? compiled(pattern) : undefined;
  if (regexp === undefined) return candidates[0] ?? 'x'.repeat(Math.max(0, Math.min(most, least)));
  const matching = candidates.find((value) => value !== '' && matches(regexp, value));
  if (matching !== undefined) return matching;
  try {
    const sample = fc.sample(fc.stringMatching(regexp, { size: 'small' }), { seed: 7, numRuns: 20 });
    return sample.find((value) => value !== '' && /^[\x20-\x7e]*$/.test(value) && fits(value)) ?? sample.find(fits);
  } catch {
    return undefined;
  }
}

function compiled(pattern: string): RegExp | undefined {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, flags);
    } catch {
      // Without the flag, or not at all.
    }
  }
  return undefined;
}

function matches(regexp: RegExp, value: string): boolean {
  return value.length < 60 && regexp.test(value);
}

function number(schema: Part, whole: boolean, { kind, random, nulls: json }: Scope): unknown {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format } = schema;
  const step = typeof multipleOf === 'number' && multipleOf > 0 ? multipleOf : 1;
  const least = Math.max(...[minimum, typeof exclusiveMinimum === 'number' ? exclusiveMinimum + step : exclusiveMinimum === true ? Number(minimum) + step : undefined].filter((one) => typeof one === 'number'), -Infinity); // prettier-ignore
  const most = Math.min(...[maximum, typeof exclusiveMaximum === 'number' ? exclusiveMaximum - step : exclusiveMaximum === true ? Number(maximum) - step : undefined].filter((one) => typeof one === 'number'), Infinity); // prettier-ignore
  const free = least === -Infinity && most === Infinity && multipleOf === undefined;
  if (kind === 'odd' && free) {
    if (whole && format === 'int64' && random() < 0.3) return json ? new Digits('9007199254740993') : '9007199254740993';
    return whole ? pick([0, -1, 7, 2147483647], random) : pick([0, -1.5, 0.25, 1234567.5], random);
  }
  const low = least === -Infinity ? Math.min(1, most) : least;
  const value = Math.ceil(low / step) * step;
  return value > most ? most : !whole && Number.isFinite(least) && multipleOf === undefined ? low : value;
}

function list(schema: Part, scope: Scope): unknown[] {
  const { minItems, maxItems, items, prefixItems } = schema;
  const least = typeof minItems === 'number' ? minItems : 0;
  const most = typeof maxItems === 'number' ? maxItems : 3;
  const wanted =
    scope.kind === 'minimal'
      ? Math.max(1, least)
      : scope.depth > DEEPEST
        ? least
        : Math.max(least, Math.min(most, scope.kind === 'odd' ? Math.floor(scope.random() * 4) : 2));
  const inner = { ...scope, depth: scope.depth + 1 };
  const fixed = Array.isArray(prefixItems) ? prefixItems : [];
  const values = Array.from({ length: Math.min(wanted, most) }, (__, index) => drawn(fixed[index] ?? items ?? {}, inner)).filter(
    (one) => one !== undefined && (one !== null || scope.nulls),
  );
  const unique = schema['uniqueItems'] === true ? [...new Map(values.map((one) => [JSON.stringify(one), one])).values()] : values;
  return unique;
}

function object(schema: Part, scope: Scope): Part {
  const properties = Object.entries(isPart(schema['properties']) ? schema['properties'] : {});
  const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as string[]) : []);
  const inner = { ...scope, depth: scope.depth + 1 };
  const result: Record<string, unknown> = {};
  for (const [key, source] of properties) {
    const property = scope.resolver.at(source);
    if (property?.['readOnly'] === true || (isPart(source) && source['readOnly'] === true)) continue;
    if (!required.has(key)) {
      const left = scope.kind === 'minimal' || scope.depth >= DEEPEST || (scope.kind === 'odd' && scope.random() < 0.5);
      const enough = scope.kind === 'full' && Object.keys(result).length > (scope.depth === 0 ? 60 : 8);
      if (left || enough) continue;
    }
    const value = drawn(source, inner);
    if (value !== undefined && (value !== null || scope.nulls))
      Object.defineProperty(result, key, { value, enumerable: true, writable: true, configurable: true });
  }
  const { not } = schema;
  const forbidden = isPart(not) && Array.isArray(not['required']) ? (not['required'] as string[]) : [];
  if (forbidden.length > 0 && forbidden.every((key) => key in result)) delete result[forbidden.at(-1) ?? ''];
  for (const key of required) if (!properties.some(([name]) => name === key)) result[key] = 'abc';
  const { additionalProperties, minProperties } = schema;
  const least = typeof minProperties === 'number' ? minProperties : 0;
  if (properties.length > 0 && Object.keys(result).length >= least) return result;
  if (additionalProperties === false) return result;
  const keys = scope.kind === 'odd' ? ['key', 'with space', 'ü&='] : ['key', 'second', 'third'];
  const count = Math.max(least, scope.kind === 'minimal' || scope.depth > DEEPEST ? 0 : 2);
  for (const key of keys.slice(0, count)) {
    const value = isPart(additionalProperties) ? drawn(additionalProperties, inner) : text({}, scope);
    if (value !== undefined && (value !== null || scope.nulls)) result[key] = value;
  }
  return result;
}
