import type { Node } from '../document/tree.ts';
import { isText, listOf } from '../document/tree.ts';
import { tidy } from './json.ts';
import type { Json } from './json.ts';

export type JsonType = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';

const TYPES: ReadonlySet<unknown> = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);

/** The types a schema names, each once; undefined when it names one that there is not. YAML makes null of `type: [string, null]`. */
export function typesOf(node: Node): readonly JsonType[] | undefined {
  const { type } = node;
  if (type === undefined) return [];
  if (type === null) return ['null'];
  if (typeof type === 'string') {
    if (TYPES.has(type)) return [type as JsonType];
    return type === 'file' ? ['string'] : undefined;
  }
  if (!Array.isArray(type)) return undefined;
  return [...new Set(type.map((one: unknown) => one ?? 'null'))].filter((one): one is JsonType => TYPES.has(one));
}

/** A number, also when a document quotes it. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** A number of characters, items or properties. */
function countOf(value: unknown): number | undefined {
  const number = numberOf(value);
  return number !== undefined && Number.isInteger(number) && number >= 0 ? number : undefined;
}

/** 3.0 has a flag beside the bound, 2020-12 has the bound itself. */
function setBound(out: Json, node: Node, bound: 'minimum' | 'maximum'): void {
  const exclusive = bound === 'minimum' ? 'exclusiveMinimum' : 'exclusiveMaximum';
  const value = numberOf(node[bound]);
  const flag = node[exclusive];
  if (flag === true) {
    if (value !== undefined) out[exclusive] = value;
    return;
  }
  if (value !== undefined) out[bound] = value;
  const number = typeof flag === 'boolean' ? undefined : numberOf(flag);
  if (number !== undefined) out[exclusive] = number;
}

/**
 * Sets the values to choose from, each of a declared type as far as that can be made (YAML and haste give `enum: [1, 2]` to a string). Null is never
 * among them: returns whether it fits besides.
 */
export function setEnum(out: Json, values: readonly unknown[], types: readonly JsonType[], nullable: boolean): boolean {
  const turned = types.length === 1 ? values.map((value) => turnedTo(value, types[0]!)) : values;
  const given = [...new Set(turned)].filter((value) => value !== null);
  const fitting = types.length === 0 ? given : given.filter((value) => types.some((type) => typeMatches(value, type)));
  const orNull = nullable || (types.length === 0 && values.includes(null));
  if (given.length === 0) {
    if (values.length === 0 || types.length > 0) return nullable;
    out['type'] = 'null';
    return false;
  }
  out['enum'] = fitting.length > 0 ? fitting : given;
  // What is declared and what is listed exclude each other: the list was written for this property, the type by habit.
  if (fitting.length === 0) delete out['type'];
  if (out['type'] === undefined && types.length < 2) setTypeOf(out, out['enum'] as unknown[]);
  return orNull;
}

function setTypeOf(out: Json, values: readonly unknown[]): void {
  const type = SCALARS.find((one) => values.every((value) => typeMatches(value, one)));
  if (type !== undefined && out['anyOf'] === undefined && out['allOf'] === undefined) out['type'] = type;
}

function turnedTo(value: unknown, type: JsonType): unknown {
  if (type === 'string') return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (type === 'integer' || type === 'number') return typeof value === 'string' ? (numberOf(value) ?? value) : value;
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  return value;
}

const SCALARS: readonly JsonType[] = ['string', 'integer', 'number', 'boolean'];
const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const NUMBER = words('minimum maximum exclusiveMinimum exclusiveMaximum multipleOf format');
const KEYWORDS: Readonly<Record<JsonType, ReadonlySet<string>>> = {
  string: words('minLength maxLength pattern format contentEncoding contentMediaType'),
  number: NUMBER,
  integer: NUMBER,
  boolean: new Set(),
  null: new Set(),
  array: words('items prefixItems contains minItems maxItems uniqueItems minContains maxContains'),
  object: words(
    'properties patternProperties additionalProperties required minProperties maxProperties propertyNames ' +
      'dependentRequired dependentSchemas',
  ),
};
const TYPED = new Set(Object.values(KEYWORDS).flatMap((set) => [...set]));
/** What narrows a schema when it is there. */
export const NARROWING: ReadonlySet<string> = new Set([...TYPED, 'oneOf', 'not', 'if', 'unevaluatedProperties', 'unevaluatedItems']);

/** Takes away what says nothing about values of the one type there is. */
export function onlyOf(out: Json, type: JsonType): void {
  for (const key of Object.keys(out)) if (TYPED.has(key) && !KEYWORDS[type].has(key)) delete out[key];
}

/**
 * Several types become one branch each, because clients trip over lists of types: every keyword goes to the types it speaks about. What is not
 * about a type (annotations, combinators) is left in `out`.
 */
export function branches(out: Json, types: readonly JsonType[]): Json[] {
  const values = out['enum'];
  const result = types.map((type) => {
    const branch: Json = { type };
    for (const key of KEYWORDS[type]) if (out[key] !== undefined) branch[key] = out[key];
    if (Array.isArray(values)) branch['enum'] = values.filter((value) => typeMatches(value, type));
    if (type === 'array' && branch['items'] === undefined) branch['items'] = {};
    return branch;
  });
  for (const key of Object.keys(out)) if (TYPED.has(key) || key === 'enum') delete out[key];
  const possible = Array.isArray(values) ? result.filter((branch) => (branch['enum'] as unknown[]).length > 0) : result;
  return possible.length > 0 ? possible : [{ enum: values }];
}

function typeMatches(value: unknown, type: JsonType): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

/** Bytes are base64. Returns whether a rule beside them was left out: nobody knows whether it is about the bytes or the text. */
export function setBytes(out: Json, node: Node): boolean {
  const { format, type } = node;
  const canBeText = out['type'] === 'string' || type === undefined;
  if (type === 'file' || (format === 'binary' && canBeText)) {
    delete out['format'];
    out['type'] = 'string';
    out['contentEncoding'] = 'base64';
  } else if (format !== 'byte' || !canBeText) return false;
  const rules = ['pattern', 'minLength', 'maxLength'].filter((key) => out[key] !== undefined);
  for (const key of rules) delete out[key];
  return rules.length > 0;
}

const LONGEST_DESCRIPTION = 1000;
const LONGEST_EXAMPLE = 80;

/** Takes over a keyword that says something by itself; false when `key` is none of them. */
export function setPlain(out: Json, node: Node, key: string): boolean {
  const value = node[key];
  switch (key) {
    case 'description':
      if (isText(value)) out[key] = tidy(value, LONGEST_DESCRIPTION);
      return true;
    case 'format':
    case 'contentEncoding':
    case 'contentMediaType':
      if (isText(value)) out[key] = value;
      return true;
    case 'default':
      if (value !== null) out[key] = value;
      return true;
    case 'const':
      out[key] = value;
      return true;
    case 'deprecated':
    case 'uniqueItems':
      if (value === true) out[key] = true;
      return true;
    case 'minimum':
    case 'exclusiveMinimum':
      if (key === 'minimum' || node['minimum'] === undefined) setBound(out, node, 'minimum');
      return true;
    case 'maximum':
    case 'exclusiveMaximum':
      if (key === 'maximum' || node['maximum'] === undefined) setBound(out, node, 'maximum');
      return true;
    case 'example':
    case 'examples':
      setExample(out, key === 'example' ? value : listOf(value)[0]);
      return true;
    default:
      return setCount(out, key, value);
  }
}

function setCount(out: Json, key: string, value: unknown): boolean {
  switch (key) {
    case 'minLength':
    case 'maxLength':
    case 'minItems':
    case 'maxItems':
    case 'minProperties':
    case 'maxProperties':
    case 'minContains':
    case 'maxContains': {
      const count = countOf(value);
      if (count !== undefined) out[key] = count;
      return true;
    }
    case 'multipleOf': {
      const number = numberOf(value);
      // Binary fractions are no multiples of 0.01: validators refuse 19.99.
      if (number !== undefined && number > 0 && Number.isInteger(number)) out[key] = number;
      return true;
    }
    default:
      return false;
  }
}

function setExample(out: Json, value: unknown): void {
  if (out['examples'] !== undefined) return;
  if (typeof value === 'number' || typeof value === 'boolean' || (isText(value) && value.length <= LONGEST_EXAMPLE))
    out['examples'] = [value];
}
