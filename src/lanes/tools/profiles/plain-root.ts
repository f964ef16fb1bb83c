import { type JsonObject, isObject } from '../../../core/json.ts';
import { put, type Json } from '../openapi/schema/json.ts';

/** At the root these make Anthropic's API refuse the whole request and clients drop the tool (client-limits.md). */
const NOT_AT_ROOT = ['anyOf', 'oneOf', 'allOf', 'not', 'if', 'then', 'else', 'enum', 'const'];

/**
 * The input schema as an object without combinators at its root, which is all that clients before 2026-07-28 have to take; that revision lets the
 * root be any schema (SEP-2106). The same object when nothing had to change.
 */
export function plainRoot(schema: JsonObject): JsonObject {
  const wrong = NOT_AT_ROOT.filter((key) => schema[key] !== undefined);
  if (wrong.length === 0 && schema['type'] === 'object') return schema;
  const parts = wrong.flatMap((key) => (Array.isArray(schema[key]) ? (schema[key] as unknown[]) : []));
  const properties: Json = {};
  for (const part of [schema, ...parts]) {
    if (!isObject(part) || !isObject(part['properties'])) continue;
    for (const [name, property] of Object.entries(part['properties']))
      if (!Object.hasOwn(properties, name)) put(properties, name, property);
  }
  const together = Array.isArray(schema['allOf']) ? (schema['allOf'] as unknown[]) : [];
  const required = [schema, ...together].flatMap((part) =>
    isObject(part) && Array.isArray(part['required']) ? (part['required'] as string[]) : [],
  );
  const rest = Object.fromEntries(Object.entries(schema).filter(([key]) => !NOT_AT_ROOT.includes(key)));
  return { ...rest, type: 'object', properties, ...(required.length === 0 ? {} : { required: [...new Set(required)] }) };
}
