import { type JsonObject, isObject } from '../../../core/json.ts';
import { parseJson } from '../../../http/body.ts';
import { exactIntegers, hasLongInteger } from '../mcp/exact-integers.ts';

/** The way back from a presented form to the tool's own; undefined where both are the same. */
export type Back =
  /** A text that holds JSON. `composite`: only an object or an array is meant, any other text is itself. */
  | { readonly kind: 'json'; readonly composite: boolean }
  | { readonly kind: 'enum'; readonly values: ReadonlyMap<string, unknown> }
  | { readonly kind: 'array'; readonly items: Back }
  | { readonly kind: 'object'; readonly properties: ReadonlyMap<string, BackProperty>; readonly closed: boolean }
  | { readonly kind: 'choice'; readonly forms: readonly { readonly schema: JsonObject; readonly back: Back | undefined }[] };

export interface BackProperty {
  /** Its own key. */
  readonly name: string;
  readonly back: Back | undefined;
  readonly optional: boolean;
  /** Its own form takes null too. */
  readonly takesNull: boolean;
}

/**
 * Arguments of the presented form as the tool takes them. Whatever already has the tool's own form stays as it is. `exact`: integers beyond 2^53 in
 * texts of JSON become text, as OpenAPI services take them.
 */
export function restore(value: unknown, back: Back | undefined, exact: boolean): unknown {
  if (back === undefined) return value;
  switch (back.kind) {
    case 'json':
      return typeof value === 'string' ? parsed(value, back.composite, exact) : value;
    case 'enum':
      return typeof value === 'string' && back.values.has(value) ? back.values.get(value) : value;
    case 'array':
      return Array.isArray(value) ? value.map((item) => restore(item, back.items, exact)) : value;
    case 'object':
      return isObject(value) ? restoreObject(value, back, exact) : value;
    default:
      return restore(value, formOf(value, back.forms), exact);
  }
}

function restoreObject(value: JsonObject, { properties, closed }: Extract<Back, { kind: 'object' }>, exact: boolean): JsonObject {
  // Where every key is required, what was made from that form has them all; else null may be meant as null.
  const made = closed && [...properties.keys()].every((key) => Object.hasOwn(value, key));
  const restored: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    const property = properties.get(key);
    if (property === undefined) restored.push([key, item]);
    else if (property.name !== key && Object.hasOwn(value, property.name)) continue;
    else if (closed && item === null && property.optional && (made || !property.takesNull)) continue;
    else restored.push([property.name, restore(item, property.back, exact)]);
  }
  return Object.fromEntries(restored);
}

function parsed(text: string, composite: boolean, exact: boolean): unknown {
  try {
    // As deep as the body of a request may be, for it would else get in by the back door.
    const value = parseJson(Buffer.from(text));
    if (composite && (typeof value !== 'object' || value === null)) return text;
    return exact && hasLongInteger(value) ? exactIntegers(text) : value;
  } catch {
    return text;
  }
}

function formOf(value: unknown, forms: Extract<Back, { kind: 'choice' }>['forms']): Back | undefined {
  const fitting = forms.filter(({ schema }) => fits(value, schema));
  if (!isObject(value)) return fitting[0]?.back;
  const keys = Object.keys(value);
  const unknown = ({ schema }: { schema: JsonObject }): number =>
    keys.filter((key) => !Object.hasOwn((schema['properties'] ?? {}) as JsonObject, key)).length;
  return fitting.toSorted((a, b) => unknown(a) - unknown(b))[0]?.back;
}

function fits(value: unknown, { type, enum: values }: JsonObject): boolean {
  if (Array.isArray(values) && !values.includes(value)) return false;
  if (Array.isArray(value)) return type === 'array';
  if (value === null) return type === 'null';
  if (typeof value === 'number') return type === 'number' || type === 'integer';
  return type === typeof value;
}
