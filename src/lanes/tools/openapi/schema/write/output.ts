import type { Json } from '../json.ts';
import { put, SCHEMA_LISTS, SCHEMA_MAPS } from '../json.ts';

/** The schema of a tool's structured content: only what real answers keep to. `wrapped`: the answer stands under `result`. */
export interface OutputSchema {
  readonly schema: Json;
  readonly output: 'plain' | 'wrapped';
}

/** Makes an output schema of an answer's. Clients refuse a whole list for one root that is not an object, so others are wrapped. */
export function outputSchema(answer: Json): OutputSchema {
  const { $defs, ...root } = answer;
  const definitions: Json = {};
  for (const [name, schema] of Object.entries(($defs ?? {}) as Json)) definitions[name] = loosened(schema as Json);
  const rest = $defs === undefined ? {} : { $defs: definitions };
  if (isObject(root)) return { schema: { ...loosened(root), type: 'object', ...rest }, output: 'plain' };
  return { schema: { type: 'object', properties: { result: loosened(root) }, ...rest }, output: 'wrapped' };
}

function isObject(schema: Json): boolean {
  if (schema['type'] !== undefined) return schema['type'] === 'object';
  const { allOf, anyOf } = schema;
  if (Array.isArray(allOf)) return anyOf === undefined && (allOf as Json[]).some(isObject);
  return Array.isArray(anyOf) && (anyOf as Json[]).every(isObject);
}

/** Types and structure only, and null everywhere: APIs break their own documents, and a client then throws a good answer away. */
function loosened(schema: Json): Json {
  const out: Json = {};
  for (const key of Object.keys(schema)) {
    const value = schema[key];
    if (key === 'type') out[key] = value === 'null' ? value : [...new Set([value, 'null'].flat())];
    else if (key === '$ref' || key === 'description') out[key] = value;
    else if (SCHEMA_LISTS.has(key)) out[key] = (value as Json[]).map(loosened);
    else if (SCHEMA_MAPS.has(key)) {
      const map: Json = {};
      for (const name of Object.keys(value as Json)) put(map, name, loosened((value as Json)[name] as Json));
      out[key] = map;
    } else if ((key === 'items' || key === 'additionalProperties') && typeof value === 'object') out[key] = loosened(value as Json);
  }
  return out;
}
