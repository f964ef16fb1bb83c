import type { Json } from '../json.ts';
import { put, SCHEMA_LISTS, SCHEMA_MAPS, SINGLE_SCHEMAS } from '../json.ts';
import { mergeParts } from './merge.ts';
import type { Fragment } from '../fragments.ts';
import type { SchemaReader } from '../reader.ts';
import { findRecursion } from './recursion.ts';

/**
 * `root` with every reference written out but those that recur, which stand under `$defs`; undefined when that is clearly more than `limit`
 * characters. What is the same is the same object, in all that one reader's schemas become.
 */
export function writeOut(root: Json, reader: SchemaReader, limit: number): Json | undefined {
  const writer = new Writer(reader);
  let size = JSON.stringify(root).length;
  for (const fragment of writer.references(root)) if (fragment.recursive === false) size += fragment.size - fragment.name.length;
  if (size > limit) return undefined;
  const schema = { ...writer.out(root) };
  const definitions: Json = {};
  for (const fragment of writer.recursions) {
    size += fragment.size + fragment.name.length;
    if (size > limit) return undefined;
    definitions[fragment.name] = writer.fragment(fragment);
  }
  return writer.recursions.size === 0 ? schema : { ...schema, $defs: definitions };
}

class Writer {
  readonly recursions = new Set<Fragment>();
  readonly #reader: SchemaReader;

  constructor(reader: SchemaReader) {
    this.#reader = reader;
  }

  /** What the arguments of `root` refer to, with `recursive` and `size` known. */
  references(root: Json): Fragment[] {
    const found: Fragment[] = [];
    const look = (json: Json): void => {
      if (typeof json['$ref'] === 'string') {
        const fragment = this.#reader.fragment(json['$ref']);
        if (fragment.recursive === undefined) findRecursion(fragment, (one) => void this.#reader.expand(one));
        found.push(fragment);
        return;
      }
      for (const key of Object.keys(json)) eachSchema(key, json[key], look);
    };
    look(root);
    return found;
  }

  fragment(fragment: Fragment): Json {
    if (fragment.written === undefined) {
      const json = this.#reader.expand(fragment);
      const outer = new Set(this.recursions);
      this.recursions.clear();
      const schema = fragment.references.length === 0 ? json : this.out(json);
      fragment.written = { schema, recursions: [...this.recursions] };
      for (const one of outer) this.recursions.add(one);
    } else for (const one of fragment.written.recursions) this.recursions.add(one);
    return fragment.written.schema;
  }

  /** The same object when nothing in it changes. */
  out(json: Json): Json {
    const reference = json['$ref'];
    if (typeof reference === 'string') return this.#reference(json, this.#reader.fragment(reference));
    let out = json;
    for (const key of Object.keys(json)) {
      const value = json[key];
      const written = SCHEMA_MAPS.has(key)
        ? this.#map(value as Json)
        : SCHEMA_LISTS.has(key)
          ? this.#list(value as Json[])
          : SINGLE_SCHEMAS.has(key) && typeof value === 'object'
            ? this.out(value as Json)
            : value;
      if (written === value) continue;
      if (out === json) out = { ...json };
      out[key] = written;
    }
    return out['allOf'] === undefined ? out : mergeParts(out);
  }

  #reference(json: Json, fragment: Fragment): Json {
    if (fragment.recursive === true) {
      this.recursions.add(fragment);
      return json;
    }
    const schema = this.fragment(fragment);
    if (Object.keys(json).length === 1) return schema;
    const { $ref: _, ...siblings } = json;
    return { ...schema, ...siblings };
  }

  #map(map: Json): Json {
    let out = map;
    for (const name of Object.keys(map)) {
      const written = this.out(map[name] as Json);
      if (written === map[name]) continue;
      if (out === map) out = { ...map };
      put(out, name, written);
    }
    return out;
  }

  #list(list: Json[]): Json[] {
    let out = list;
    for (const [index, item] of list.entries()) {
      const written = this.out(item);
      if (written === item) continue;
      if (out === list) out = [...list];
      out[index] = written;
    }
    return out;
  }
}

/** Calls `look` with every schema that a keyword holds. */
function eachSchema(key: string, value: unknown, look: (json: Json) => void): void {
  if (SCHEMA_MAPS.has(key)) for (const name of Object.keys(value as Json)) look((value as Json)[name] as Json);
  else if (SCHEMA_LISTS.has(key)) for (const item of value as Json[]) look(item);
  else if (SINGLE_SCHEMAS.has(key) && typeof value === 'object') look(value as Json);
}
