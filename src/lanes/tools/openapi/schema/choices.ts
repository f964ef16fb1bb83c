import { listOf } from '../document/tree.ts';
import type { Json } from './json.ts';
import { ANNOTATIONS } from './json.ts';

/** Adds a choice; a second one stands beside the first. */
export function alternatives(out: Json, choice: readonly Json[]): void {
  if (out['anyOf'] === undefined) out['anyOf'] = choice;
  else out['allOf'] = [...listOf(out['allOf']), { anyOf: choice }];
}

/** `allOf` or `anyOf` of one schema, with nothing beside it but annotations, is that schema. */
export function unwrapped(out: Json): Json {
  for (const keyword of ['allOf', 'anyOf']) {
    const list = out[keyword];
    if (!Array.isArray(list) || list.length !== 1) continue;
    const { [keyword]: _, ...rest } = out;
    if (Object.keys(rest).every((key) => ANNOTATIONS.has(key))) return { ...(list[0] as Json), ...rest };
  }
  return out;
}

/** Null as a branch of its own: lists of types and nulls among enum values make clients cut or refuse a schema. */
export function withNull(schema: Json): Json {
  const outer: Json = {};
  const inner: Json = {};
  for (const key of Object.keys(schema)) (ANNOTATIONS.has(key) ? outer : inner)[key] = schema[key];
  if (Object.keys(inner).length === 0) return outer;
  const choice = Object.keys(inner).length === 1 && Array.isArray(inner['anyOf']) ? (inner['anyOf'] as Json[]) : [inner];
  return { ...outer, anyOf: [...choice, { type: 'null' }] };
}
