import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../json.ts';
import { ANNOTATIONS, put } from '../json.ts';

const OBJECT_KEYS: ReadonlySet<string> = new Set(['type', 'properties', 'required', 'minProperties']);

/**
 * A schema whose allOf is written as one object, where that says exactly the same: all parts are objects with properties and nothing that speaks about
 * the others' properties, and none is declared twice in different ways. Else the schema as it is.
 */
export function mergeParts(schema: Json): Json {
  const { allOf, ...own } = schema;
  const parts = [...(allOf as Json[]), own];
  if (!parts.some((part) => part['properties'] !== undefined) || !parts.every(isPlainObject)) return schema;
  const merged: Json = {};
  for (const part of parts) {
    for (const key of Object.keys(part)) {
      if (key === 'properties') {
        const properties = joined((merged[key] ?? {}) as Json, part[key] as Json);
        if (properties === undefined) return schema;
        merged[key] = properties;
      } else if (key === 'required') merged[key] = [...new Set([...((merged[key] ?? []) as string[]), ...(part[key] as string[])])];
      else if (key === 'minProperties') merged[key] = Math.max(Number(merged[key] ?? 0), Number(part[key]));
      // What the schema says of itself counts more than what its last part says, and that more than the first.
      else merged[key] = part[key];
    }
  }
  return { ...merged, type: 'object' };
}

function isPlainObject(part: Json): boolean {
  if (part['type'] !== undefined && part['type'] !== 'object') return false;
  return Object.keys(part).every((key) => OBJECT_KEYS.has(key) || ANNOTATIONS.has(key));
}

function joined(some: Json, more: Json): Json | undefined {
  const out = { ...some };
  for (const name of Object.keys(more)) {
    if (Object.hasOwn(out, name) && !isDeepStrictEqual(out[name], more[name])) return undefined;
    put(out, name, more[name]);
  }
  return out;
}
