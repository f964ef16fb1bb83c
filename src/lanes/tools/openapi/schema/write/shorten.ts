import type { Json } from '../json.ts';
import { put, SCHEMA_LISTS, SCHEMA_MAPS, shorten, SINGLE_SCHEMAS } from '../json.ts';
import type { Fragment } from '../fragments.ts';
import type { SchemaReader } from '../reader.ts';

/** How much of a schema is written. Examples are not, and references stay references. */
export interface Rules {
  readonly descriptions: 'all' | 'short' | 'none';
  /** Objects at this depth keep their required properties only. The arguments themselves are at depth 0. */
  readonly optional: number;
  /** Objects and arrays at this depth keep their type only. */
  readonly everything: number;
  readonly enums: number;
}

/** A definition at one depth. */
interface Definition {
  /** It as JSON, which takes a tenth of the memory. */
  readonly text: string;
  readonly lostExamples: boolean;
  /** What it refers to, and at which depth. */
  readonly references: ReadonlyMap<Fragment, number>;
}

/** Characters of definitions that are kept for other tools that need them. */
const MOST_KEPT = 64 * 1024 * 1024;

const made = new WeakMap<SchemaReader, Map<Rules, Shortening>>();

/** The one for a reader and rules. */
export function shortening(reader: SchemaReader, rules: Rules): Shortening {
  const known = made.get(reader) ?? new Map<Rules, Shortening>();
  made.set(reader, known);
  let found = known.get(rules);
  if (found === undefined) {
    found = new Shortening(reader, rules);
    known.set(rules, found);
  }
  return found;
}

/** Writes schemas by rules, with what they refer to under `$defs`. */
class Shortening {
  readonly #reader: SchemaReader;
  readonly #rules: Rules;
  /** From here on the rules make no difference. */
  readonly #deepest: number;
  readonly #definitions = new Map<Fragment, Definition[]>();
  #kept = 0;

  constructor(reader: SchemaReader, rules: Rules) {
    this.#reader = reader;
    this.#rules = rules;
    this.#deepest = Math.max(3, ...[rules.optional, rules.everything].filter(Number.isFinite));
  }

  /** As JSON; undefined when that is longer than `limit` characters. */
  whole(root: Json, limit: number): { text: string; lostExamples: boolean } | undefined {
    const copy = new Copy(this.#reader, this.#rules, limit);
    const text = copy.schema(root, -1);
    if (copy.size > limit) return undefined;
    let size = text.length;
    let { lostExamples } = copy;
    const definitions: string[] = [];
    // A map is walked to what is added on the way; what is near the root is written at its least depth.
    const waiting = new Map(copy.references);
    for (const [fragment, depth] of waiting) {
      const definition = this.#definition(fragment, Math.min(depth, this.#deepest));
      size += definition.text.length;
      if (size > limit) return undefined;
      lostExamples ||= definition.lostExamples;
      definitions.push(definition.text);
      for (const [other, below] of definition.references) if (!waiting.has(other)) waiting.set(other, below);
    }
    if (size > limit) return undefined;
    return { text: definitions.length === 0 ? text : `${text.slice(0, -1)},"$defs":{${definitions.join()}}}`, lostExamples };
  }

  #definition(fragment: Fragment, depth: number): Definition {
    const known = this.#definitions.get(fragment) ?? [];
    let definition = known[depth];
    if (definition === undefined) {
      const copy = new Copy(this.#reader, this.#rules, Infinity);
      const text = `"${fragment.name}":${copy.schema(this.#reader.expand(fragment), depth)}`;
      const { lostExamples, references } = copy;
      definition = { text, lostExamples, references };
      known[depth] = definition;
      this.#kept += definition.text.length;
      if (this.#kept > MOST_KEPT) {
        this.#definitions.clear();
        this.#kept = definition.text.length;
      }
      this.#definitions.set(fragment, known);
    }
    return definition;
  }
}

/** Writes JSON right away: as objects, copies would cost several times as much. */
class Copy {
  size = 0;
  lostExamples = false;
  readonly references = new Map<Fragment, number>();
  readonly #reader: SchemaReader;
  readonly #rules: Rules;
  readonly #limit: number;

  constructor(reader: SchemaReader, rules: Rules, limit: number) {
    this.#reader = reader;
    this.#rules = rules;
    this.#limit = limit;
  }

  schema(json: Json, depth: number): string {
    if (this.size > this.#limit) return '{}';
    return `{${this.#members(json, depth).join()}}`;
  }

  #members(json: Json, depth: number): string[] {
    if (typeof json['$ref'] === 'string') return this.#reference(json, json['$ref'], depth);
    const { optional, everything } = this.#rules;
    if (depth >= everything && isComposite(json)) return this.#typeOnly(json, depth);
    const out: string[] = [];
    const bare = depth >= optional;
    for (const key of Object.keys(json)) {
      if (SCHEMA_MAPS.has(key)) {
        if (bare) this.#requiredOnly(out, json, key, depth);
        else out.push(`"${key}":${this.#map(json[key] as Json, depth + 1)}`);
      } else if (SCHEMA_LISTS.has(key)) {
        out.push(`"${key}":[${(json[key] as Json[]).map((one) => this.schema(one, depth)).join()}]`);
      } else if (SINGLE_SCHEMAS.has(key)) this.#single(out, key, json[key], depth, bare);
      else this.#leaf(out, key, json, depth);
    }
    return out;
  }

  #reference(json: Json, reference: string, depth: number): string[] {
    const fragment = this.#reader.fragment(reference);
    const siblings: string[] = [];
    for (const key of Object.keys(json)) if (key !== '$ref') this.#leaf(siblings, key, json, depth);
    const target = this.#reader.expand(fragment);
    const short = depth >= this.#rules.everything && isComposite(target);
    if (short || isSmall(target)) {
      const { $ref: _, ...said } = json;
      return this.#members({ ...target, ...said }, depth);
    }
    if (!this.references.has(fragment)) this.references.set(fragment, depth);
    this.size += reference.length + 10;
    return [`"$ref":"${reference}"`, ...siblings];
  }

  #typeOnly(json: Json, depth: number): string[] {
    const out: string[] = [];
    const { type, anyOf } = typeOnly(json, this.#reader);
    if (type !== undefined) out.push(`"type":"${String(type)}"`);
    if (type === 'array') out.push('"items":{}');
    if (anyOf !== undefined) out.push(`"anyOf":${JSON.stringify(anyOf)}`);
    if (depth < 2 && json['description'] !== undefined) this.#leaf(out, 'description', json, depth);
    this.size += out.length * 16;
    return out;
  }

  #map(map: Json, depth: number): string {
    const out: string[] = [];
    for (const name of Object.keys(map)) {
      if (this.size > this.#limit) break;
      this.size += name.length + 4;
      out.push(`${JSON.stringify(name)}:${this.schema(map[name] as Json, depth)}`);
    }
    return `{${out.join()}}`;
  }

  /** Below the depth at which optional properties go. Nothing may then say that others are wrong. */
  #requiredOnly(out: string[], json: Json, key: string, depth: number): void {
    if (key !== 'properties') return;
    const required = json['required'];
    if (!Array.isArray(required)) return;
    const properties = json['properties'] as Json;
    const kept: Json = {};
    for (const name of required as string[]) if (Object.hasOwn(properties, name)) put(kept, name, properties[name]);
    out.push(`"properties":${this.#map(kept, depth + 1)}`);
  }

  #single(out: string[], key: string, value: unknown, depth: number, bare: boolean): void {
    // `not` and `if` of a shortened schema would be narrower than the document's.
    const narrowing = key !== 'items' && key !== 'additionalProperties';
    if (narrowing && this.#rules.optional !== Infinity) return;
    if (bare && key === 'additionalProperties') return;
    this.size += key.length + 4;
    out.push(`"${key}":${typeof value === 'boolean' ? String(value) : this.schema(value as Json, depth)}`);
  }

  #leaf(out: string[], key: string, json: Json, depth: number): void {
    const { enums } = this.#rules;
    const value = json[key];
    if (key === 'examples') {
      this.lostExamples = true;
      return;
    }
    const list = json['enum'];
    const tooMany = Array.isArray(list) && list.length > enums;
    if (key === 'description') {
      const kept = tooMany ? undefined : this.#description(value as string, depth);
      if (kept !== undefined) this.#write(out, key, kept);
    } else if (key === 'enum' && tooMany) {
      const { description } = json;
      const first = typeof description === 'string' ? `${firstSentence(description)} ` : '';
      const names = list.slice(0, 10).map(String).join(', ');
      this.#write(out, 'description', `${first}One of ${list.length}: ${shorten(names, 300)}, …`);
    } else this.#write(out, key, value);
  }

  #description(text: string, depth: number): string | undefined {
    const { descriptions } = this.#rules;
    if (descriptions === 'all') return text;
    return descriptions === 'none' || depth > 2 ? undefined : firstSentence(text);
  }

  #write(out: string[], key: string, value: unknown): void {
    const text = `"${key}":${JSON.stringify(value)}`;
    this.size += text.length + 1;
    out.push(text);
  }
}

/** Too short to be worth a reference. */
function isSmall(json: Json): boolean {
  for (const key of Object.keys(json)) {
    if (SCHEMA_MAPS.has(key) || SCHEMA_LISTS.has(key) || SINGLE_SCHEMAS.has(key) || key === '$ref') return false;
  }
  return JSON.stringify(json).length < 150;
}

function isComposite(json: Json): boolean {
  return json['type'] === 'object' || json['type'] === 'array' || json['anyOf'] !== undefined || json['allOf'] !== undefined;
}

/** A schema that says of what types a value is and nothing else. */
export function typeOnly(json: Json, reader: SchemaReader): Json {
  const types = [...(typesIn(json, reader, 0) ?? [])];
  const schemas = types.map((type): Json => (type === 'array' ? { type, items: {} } : { type }));
  return schemas.length > 1 ? { anyOf: schemas } : (schemas[0] ?? {});
}

/** The types a value may have; undefined when it can be of any. */
function typesIn(json: Json, reader: SchemaReader, depth: number): ReadonlySet<unknown> | undefined {
  if (depth > 10) return undefined;
  if (typeof json['$ref'] === 'string') return typesIn(reader.expand(reader.fragment(json['$ref'])), reader, depth + 1);
  if (json['type'] !== undefined) return new Set([json['type']]);
  for (const part of (json['allOf'] ?? []) as Json[]) {
    const types = typesIn(part, reader, depth + 1);
    if (types !== undefined) return types;
  }
  const branches = ((json['anyOf'] ?? []) as Json[]).map((branch) => typesIn(branch, reader, depth + 1));
  if (branches.length === 0 || branches.includes(undefined)) return undefined;
  return new Set(branches.flatMap((types) => [...(types ?? [])]));
}

function firstSentence(text: string): string {
  const end = /[.!?](\s|$)|\n/.exec(text);
  return shorten(end === null ? text : text.slice(0, end.index + 1).trim(), 150);
}
