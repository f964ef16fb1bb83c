import { type JsonObject, isObject } from '../../../core/json.ts';
import { put, SCHEMA_LISTS, SCHEMA_MAPS, SINGLE_SCHEMAS, type Json } from '../openapi/schema/json.ts';

/** Deeper schemas are the source's business. */
const DEEPEST = 50;

/**
 * The input schema of a tool that was not made here, with a schema as the items of every array: VS Code throws where there is none, beside
 * `prefixItems` and for `items: false` too. The same object when nothing had to change.
 */
export function houseForm(schema: JsonObject): JsonObject {
  return withItems(schema, 0);
}

function withItems(schema: JsonObject, depth: number): JsonObject {
  if (depth > DEEPEST) return schema;
  let changed: Json | undefined;
  const set = (key: string, value: unknown): void => {
    if (value === schema[key]) return;
    changed ??= { ...schema };
    changed[key] = value;
  };
  for (const [key, value] of Object.entries(schema)) {
    if (SINGLE_SCHEMAS.has(key) && isObject(value)) set(key, withItems(value, depth + 1));
    else if ((SCHEMA_LISTS.has(key) || key === 'oneOf') && Array.isArray(value)) set(key, eachOf(value, depth));
    else if ((SCHEMA_MAPS.has(key) || key === '$defs' || key === 'definitions') && isObject(value)) set(key, eachIn(value, depth));
  }
  const { type, items, prefixItems, maxItems } = schema;
  if (type === 'array' && (items === undefined || typeof items === 'boolean')) {
    set('items', {});
    // None but those of prefixItems: said by their number.
    const most = Array.isArray(prefixItems) ? prefixItems.length : 0;
    if (items === false) set('maxItems', typeof maxItems === 'number' ? Math.min(maxItems, most) : most);
  }
  return changed ?? schema;
}

function eachOf(list: readonly unknown[], depth: number): readonly unknown[] {
  const mapped = list.map((item) => (isObject(item) ? withItems(item, depth + 1) : item));
  return mapped.some((item, index) => item !== list[index]) ? mapped : list;
}

function eachIn(map: JsonObject, depth: number): JsonObject {
  const mapped: Json = {};
  for (const [name, item] of Object.entries(map)) put(mapped, name, isObject(item) ? withItems(item, depth + 1) : item);
  return Object.keys(map).some((name) => mapped[name] !== map[name]) ? mapped : map;
}
