import type { Node } from '../document/tree.ts';
import { isNode, isText, listOf, own } from '../document/tree.ts';
import { ANNOTATIONS } from '../schema/json.ts';

/** What one difference does to the set of values that a schema takes; `either`: it cannot be told, so take it as both. */
export type SchemaEffect = 'narrower' | 'wider' | 'either' | 'text';

export interface SchemaDifference {
  /** Where, in words: `pet.tags[]`; empty at the root. */
  readonly at: string;
  readonly effect: SchemaEffect;
  /** A property came or went, rather than the values of one. */
  readonly member: boolean;
  /** The end of a sentence about `at`: `takes integer no more`. */
  readonly what: string;
}

const TEXTS: ReadonlySet<string> = new Set([...ANNOTATIONS, 'example', 'externalDocs', '$comment', 'readOnly', 'writeOnly', 'xml']);
/** Handled together, or not on their own. */
const SKIPPED: ReadonlySet<string> = new Set(['$defs', '$schema', 'const', 'required']);
/** Whether more is narrower. */
const BOUNDS: ReadonlyMap<string, boolean> = new Map([
  ['minimum', true],
  ['exclusiveMinimum', true],
  ['minLength', true],
  ['minItems', true],
  ['minProperties', true],
  ['maximum', false],
  ['exclusiveMaximum', false],
  ['maxLength', false],
  ['maxItems', false],
  ['maxProperties', false],
]);
const WIDER_FORMATS: ReadonlyMap<unknown, unknown> = new Map([
  ['int32', 'int64'],
  ['float', 'double'],
]);
/** Lists whose order says nothing. */
const SETS: ReadonlySet<string> = new Set(['required', 'enum', 'type']);
/** More would tell a person nothing. */
const MOST = 50;

/** How the schema `after` differs from `before` (both JSON Schema 2020-12, whose references lead into their own roots). Empty for the same. */
export function compareSchemas(before: unknown, after: unknown, roots: { before: unknown; after: unknown }): SchemaDifference[] {
  const comparison = new Comparison(roots.before, roots.after);
  comparison.compare(before, after, '');
  return comparison.found;
}

/** JSON with its keys in order: the same text for the same value. */
export function canonical(value: unknown, key = ''): string {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item));
    return `[${(SETS.has(key) ? items.sort() : items).join()}]`;
  }
  if (!isNode(value)) return JSON.stringify(value) ?? 'null';
  const keys = Object.keys(value).filter((one) => value[one] !== undefined).sort(); // prettier-ignore
  return `{${keys.map((one) => `${JSON.stringify(one)}:${canonical(value[one], one)}`).join()}}`;
}

class Comparison {
  readonly found: SchemaDifference[] = [];
  readonly #roots: readonly [unknown, unknown];
  readonly #seen = new Set<string>();

  constructor(before: unknown, after: unknown) {
    this.#roots = [before, after];
  }

  compare(before: unknown, after: unknown, at: string): void {
    if (this.found.length >= MOST) return;
    const [references, a, b] = [
      [referenceOf(before), referenceOf(after)],
      resolved(before, this.#roots[0]),
      resolved(after, this.#roots[1]),
    ];
    if (references.some((one) => one !== undefined)) {
      const pair = `${references[0] ?? canonical(before)} ${references[1] ?? canonical(after)}`;
      if (this.#seen.has(pair)) return;
      this.#seen.add(pair);
    }
    if (a === false || b === false) {
      if (a !== b) this.#tell(at, a === false ? 'wider' : 'narrower', a === false ? 'takes values now' : 'takes nothing any more');
      return;
    }
    this.#types(a, b, at);
    this.#values(a, b, at);
    this.#members(a, b, at);
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) this.#keyword(key, own(a, key), own(b, key), at);
  }

  #keyword(key: string, a: unknown, b: unknown, at: string): void {
    if (SKIPPED.has(key) || key === 'type' || key === 'enum' || key === 'properties') return;
    const upwards = BOUNDS.get(key);
    if (upwards !== undefined) this.#bound(key, a, b, upwards, at);
    else if (key === 'items') this.compare(a ?? true, b ?? true, `${at}[]`);
    else if (key === 'additionalProperties') this.compare(a ?? true, b ?? true, at === '' ? '*' : `${at}.*`);
    else if (key === 'anyOf' || key === 'oneOf' || key === 'allOf') this.#lists(key, listOf(a), listOf(b), at);
    else if (canonical(a) === canonical(b)) this.#behind(a, b, at);
    else if (TEXTS.has(key) || key.startsWith('x-')) this.#tell(at, 'text', `has another ${key}`);
    else if (key === 'format' && WIDER_FORMATS.get(a) === b) this.#tell(at, 'wider', `is ${String(b)} now`);
    else if (key === 'format' && a !== undefined && WIDER_FORMATS.get(b) === a) this.#tell(at, 'narrower', `is only ${String(b)} now`);
    else if (isNode(a) || isNode(b)) this.#tell(at, 'either', `has another ${key}`);
    else if (a === undefined || a === false) this.#tell(at, 'narrower', `has a ${key} now`);
    else if (b === undefined || b === false) this.#tell(at, 'wider', `has no ${key} any more`);
    else this.#tell(at, 'either', `has another ${key}`);
  }

  /** Equal texts may refer to definitions that differ. */
  #behind(a: unknown, b: unknown, at: string): void {
    if (Array.isArray(a)) for (const [index, item] of a.entries()) this.#behind(item, listOf(b)[index], at);
    else if (isNode(a) && isNode(b)) {
      if (referenceOf(a) !== undefined) this.compare(a, b, at);
      else for (const key of Object.keys(a)) this.#behind(own(a, key), own(b, key), at);
    }
  }

  #types(a: Node, b: Node, at: string): void {
    const [old, now] = [typesOf(a['type']), typesOf(b['type'])];
    const gone = [...old].filter((type) => !now.has(type));
    const come = [...now].filter((type) => !old.has(type));
    // Said by the values, and by nothing else in it.
    if (gone.length > 0) this.#tell(at, 'narrower', `takes ${words(gone)} no more`);
    if (come.length > 0) this.#tell(at, 'wider', `takes ${words(come)} too`);
  }

  #values(a: Node, b: Node, at: string): void {
    const [old, now] = [valuesOf(a), valuesOf(b)];
    if (old === undefined && now === undefined) return;
    if (old === undefined) return this.#tell(at, 'narrower', 'takes only certain values now');
    if (now === undefined) return this.#tell(at, 'wider', 'takes other values too');
    const gone = [...old].filter((value) => !now.has(value));
    const come = [...now].filter((value) => !old.has(value));
    if (gone.length > 0) this.#tell(at, 'narrower', `takes ${words(gone)} no more`);
    if (come.length > 0) this.#tell(at, 'wider', `takes ${words(come)} too`);
  }

  #members(a: Node, b: Node, at: string): void {
    const [old, now] = [mapOf(a['properties']), mapOf(b['properties'])];
    const [neededBefore, needed] = [new Set(listOf(a['required'])), new Set(listOf(b['required']))];
    for (const key of new Set([...Object.keys(old), ...Object.keys(now), ...[...neededBefore, ...needed].filter(isText)])) {
      const place = at === '' ? key : `${at}.${key}`;
      const [was, is] = [own(old, key), own(now, key)];
      // A closed object that takes one more key takes other objects than before, not only fewer.
      const also = was === undefined && is !== undefined && a['additionalProperties'] === false;
      if (needed.has(key) && !neededBefore.has(key)) this.#tell(place, also ? 'either' : 'narrower', 'is required now', was === undefined);
      else if (neededBefore.has(key) && !needed.has(key) && is !== undefined) this.#tell(place, 'wider', 'may be left out now');
      if (was !== undefined && is !== undefined) this.compare(was, is, place);
      else if (was !== undefined) this.#left(place, was, b, needed.has(key) || neededBefore.has(key));
      else if (is !== undefined && !needed.has(key)) this.#arrived(place, is, a);
    }
  }

  /** A property that is not named any more falls to `additionalProperties`. */
  #left(place: string, was: unknown, schema: Node, needed: boolean): void {
    this.#tell(place, needed ? 'either' : 'narrower', 'is gone', true);
    if (isNode(schema['additionalProperties'])) this.compare(was, schema['additionalProperties'], place);
  }

  #arrived(place: string, is: unknown, before: Node): void {
    this.#tell(place, 'wider', 'is new', true);
    // What it takes was free before, unless nothing was taken.
    const free = own(before, 'additionalProperties') ?? true;
    if (free !== false && before['properties'] !== undefined && isNode(free)) this.compare(free, is, place);
  }

  #bound(key: string, a: unknown, b: unknown, upwards: boolean, at: string): void {
    if (a === b) return;
    const none = upwards ? -Infinity : Infinity;
    const [old, now] = [typeof a === 'number' ? a : none, typeof b === 'number' ? b : none];
    this.#tell(
      at,
      now > old === upwards ? 'narrower' : 'wider',
      b === undefined ? `has no ${key} any more` : `has the ${key} ${String(b)} now`,
    );
  }

  #lists(key: 'anyOf' | 'oneOf' | 'allOf', a: readonly unknown[], b: readonly unknown[], at: string): void {
    const rest = [...b];
    const gone: unknown[] = [];
    for (const item of a) {
      const index = rest.findIndex((other) => canonical(other) === canonical(item));
      if (index < 0) gone.push(item);
      else this.#behind(item, rest.splice(index, 1)[0], at);
    }
    if (gone.length === 0 && rest.length === 0) return;
    if (a.length === 0 || b.length === 0) return this.#tell(at, a.length === 0 ? 'narrower' : 'wider', a.length === 0 ? `has ${key} now` : `has no ${key} any more`); // prettier-ignore
    if (gone.length === rest.length && key !== 'oneOf') {
      for (const [index, item] of gone.entries()) this.compare(item, rest[index], at);
      return;
    }
    const more = rest.length > 0 && gone.length === 0;
    const fewer = gone.length > 0 && rest.length === 0;
    // One more branch of oneOf can overlap with another.
    const effect = key === 'oneOf' || (!more && !fewer) ? 'either' : (key === 'allOf') === more ? 'narrower' : 'wider';
    this.#tell(at, effect, `has other branches of ${key}`);
  }

  #tell(at: string, effect: SchemaEffect, what: string, member = false): void {
    this.found.push({ at, effect, member, what });
  }
}

function referenceOf(schema: unknown): string | undefined {
  return isNode(schema) && typeof schema['$ref'] === 'string' ? schema['$ref'] : undefined;
}

/** The schema itself, its reference followed; what cannot be followed stays what it is. `true` is the schema that takes all. */
function resolved(schema: unknown, root: unknown): Node | false {
  let value = schema;
  for (let hops = 0; hops < 20; hops += 1) {
    const reference = referenceOf(value);
    if (reference === undefined || !isNode(value) || !reference.startsWith('#')) break;
    const found = pointed(root, reference.slice(1));
    if (found === undefined) break;
    const { $ref: _, ...beside } = value;
    value = isNode(found) ? { ...found, ...beside } : found;
  }
  return value === false ? false : isNode(value) ? value : {};
}

function pointed(root: unknown, pointer: string): unknown {
  let value = root;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    value = isNode(value) ? own(value, key) : Array.isArray(value) ? (value as unknown[])[Number(key)] : undefined;
  }
  return value;
}

const ALL_TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];

function typesOf(type: unknown): Set<unknown> {
  const types = new Set(type === undefined ? ALL_TYPES : Array.isArray(type) ? (type as unknown[]) : [type]);
  return types.has('number') ? types.add('integer') : types;
}

function valuesOf({ enum: list, const: value }: Node): Set<string> | undefined {
  if (value !== undefined) return new Set([canonical(value)]);
  return Array.isArray(list) ? new Set(list.map((one) => canonical(one))) : undefined;
}

function mapOf(value: unknown): Node {
  return isNode(value) ? value : {};
}

function words(values: readonly unknown[]): string {
  const shown = values.slice(0, 3).map((value) => String(value).slice(0, 40));
  return values.length > 3 ? `${shown.join(', ')} and ${values.length - 3} more` : shown.join(', ');
}
