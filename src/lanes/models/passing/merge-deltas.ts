import { isObject, type JsonObject } from '../../../core/json.ts';

export type Fields = Record<string, unknown>;

/** Texts that name something: a later one takes the place of an earlier one. All others are pieces of a text. */
const NAMES = new Set(['role', 'type', 'id', 'name', 'format', 'object', 'call_id', 'expires_at']);
/** Lists whose items come in pieces. The items of all others are whole. */
const IN_PIECES = new Set(['tool_calls', 'content', 'thinking', 'reasoning_details']);

/** Puts a delta onto what is there: texts and lists grow, objects are merged, and all else takes the place of what was there. */
export function mergeDelta(target: Fields, delta: JsonObject): void {
  for (const [key, value] of said(target, delta)) target[key] = merged(key, target[key], value);
}

/** Puts fields in the place of those that are there. */
export function takeOver(target: Fields, fields: JsonObject): void {
  for (const [key, value] of said(target, fields)) target[key] = value;
}

/** Null says nothing where something was said before. The prototype is no field. */
function said(target: Fields, fields: JsonObject): [string, unknown][] {
  return Object.entries(fields).filter(([key, value]) => key !== '__proto__' && (value !== null || !Object.hasOwn(target, key)));
}

function merged(key: string, before: unknown, value: unknown): unknown {
  if (typeof value === 'string') {
    if (NAMES.has(key)) return value === '' ? (before ?? '') : value;
    // Mistral's models think in a list and go on with a text.
    if (Array.isArray(before)) return mergedList(before, [{ type: 'text', text: value }]);
    return typeof before === 'string' ? before + value : value;
  }
  if (Array.isArray(value)) {
    const list: unknown[] = Array.isArray(before)
      ? before
      : typeof before === 'string' && before !== ''
        ? [{ type: 'text', text: before }]
        : [];
    return IN_PIECES.has(key) ? mergedList(list, value) : [...list, ...value];
  }
  if (!isObject(value)) return value;
  const target: Fields = isObject(before) ? before : {};
  mergeDelta(target, value);
  return target;
}

function mergedList(list: unknown[], items: readonly unknown[]): unknown[] {
  for (const item of items) {
    if (!isObject(item)) {
      list.push(item);
      continue;
    }
    const open = list.findLast((one): one is Fields => isObject(one) && continues(one, item));
    if (open !== undefined && (typeof item['index'] === 'number' || open === list.at(-1))) mergeDelta(open, item);
    else {
      const made: Fields = {};
      mergeDelta(made, item);
      list.push(made);
    }
  }
  return list;
}

/** A new id at the same index is a new call: some servers give every call index 0, some none at all. */
function continues(open: JsonObject, item: JsonObject): boolean {
  const same = (name: string): boolean => !item[name] || !open[name] || item[name] === open[name];
  return same('id') && same('type') && (typeof item['index'] !== 'number' || item['index'] === open['index']);
}
