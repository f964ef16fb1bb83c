type Schema = Readonly<Record<string, unknown>>;

/** What stands at `path` of the arguments; when long digits are in it, a copy in which they are what JSON.stringify is to write. */
export type Exact = (value: unknown, ...path: readonly (string | number)[]) => unknown;

/** Digits as text that are too long for a number of JavaScript's. */
const LONG = /^-?\d{16,40}$/;
const LONG_IN_JSON = /"-?\d{16,40}"/;
/** Followed at one place: schemas refer to themselves. */
const MOST_SCHEMAS = 200;
const DEFINITIONS = '#/$defs/';

/** True for JSON in which digits as text stand, which may be meant as numbers: cheaper than a walk where the JSON is there anyway. */
export function mayHaveLongDigits(json: string): boolean {
  return LONG_IN_JSON.test(json);
}

/**
 * Beyond 2^53 a number loses digits, so it is given as text; where the schema of the arguments wants a number, it becomes one again. `schema` is
 * asked for at most once, and only when such text is among the arguments.
 */
export function exactNumbers(args: Schema, schema: () => Schema): Exact {
  let root: Schema | undefined;
  let isNeeded: boolean | undefined;
  return (value, ...path) => {
    isNeeded ??= hasLongDigits(args);
    if (!isNeeded) return value;
    root ??= schema();
    let schemas: unknown[] = [root];
    for (const step of path)
      schemas = expanded(schemas, undefined, root).map((one) => (typeof step === 'number' ? itemOf(one, step) : memberOf(one, step)));
    return exact(value, schemas, root);
  };
}

function hasLongDigits(value: unknown): boolean {
  if (typeof value === 'string') return value.length >= 16 && LONG.test(value);
  if (typeof value !== 'object' || value === null) return false;
  // Three times as fast as Object.values.
  if (Array.isArray(value)) return value.some(hasLongDigits);
  return Object.keys(value).some((key) => hasLongDigits((value as Schema)[key]));
}

function exact(value: unknown, sources: readonly unknown[], root: Schema): unknown {
  if (typeof value === 'string') return LONG.test(value) && wantsNumber(expanded(sources, value, root)) ? rawJson(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  const schemas = expanded(sources, value, root);
  if (Array.isArray(value)) return value.map((item, index) => exact(item, schemas.map((one) => itemOf(one, index)), root)); // prettier-ignore
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, exact(item, schemas.map((one) => memberOf(one, name)), root)])); // prettier-ignore
}

/** All schemas that speak of one place: behind references, in parts, and in the branches that the value can be meant by. */
function expanded(sources: readonly unknown[], value: unknown, { $defs }: Schema): Schema[] {
  const found = new Set<Schema>();
  const waiting = [...sources];
  for (const source of waiting) {
    if (found.size >= MOST_SCHEMAS) break;
    if (!isObject(source) || found.has(source) || contradicts(source, value)) continue;
    found.add(source);
    const { $ref } = source;
    if (typeof $ref === 'string' && isObject($defs)) waiting.push($defs[$ref.slice(DEFINITIONS.length)]);
    for (const key of ['allOf', 'anyOf', 'oneOf']) if (Array.isArray(source[key])) waiting.push(...(source[key] as unknown[]));
  }
  return [...found];
}

/** A branch whose constants say that another one is meant. */
function contradicts({ properties }: Schema, value: unknown): boolean {
  if (!isObject(properties) || !isObject(value)) return false;
  return Object.entries(properties).some(([name, property]) => {
    if (!isObject(property) || !Object.hasOwn(value, name)) return false;
    const allowed = Object.hasOwn(property, 'const') ? [property['const']] : property['enum'];
    return Array.isArray(allowed) && !allowed.includes(value[name]);
  });
}

function wantsNumber(schemas: readonly Schema[]): boolean {
  const types = new Set(schemas.flatMap(({ type }) => type));
  return (types.has('integer') || types.has('number')) && !types.has('string');
}

function itemOf({ items, prefixItems }: Schema, index: number): unknown {
  return (Array.isArray(prefixItems) ? (prefixItems as unknown[])[index] : undefined) ?? items;
}

function memberOf({ properties, additionalProperties }: Schema, name: string): unknown {
  return isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
}

/** JSON.stringify writes it as it is; JSON has no leading zeros. TypeScript does not know JSON.rawJSON yet. */
function rawJson(digits: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): object }).rawJSON(digits.replace(/^(-?)0+(?=\d)/, '$1'));
}
import { isObject } from '../../../../core/json.ts';
