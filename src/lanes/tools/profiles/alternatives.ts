import { type JsonObject, isObject } from '../../../core/json.ts';
import { put, type Json } from '../openapi/schema/json.ts';

/** One form that a schema takes: at most one type, no combinators, no reference at its root. */
export interface Alternative {
  readonly schema: Json;
  /** The references that lead here, so that a schema inside itself is seen. */
  readonly open: ReadonlySet<unknown>;
  /** It is the schema that we are in: only its type is known. */
  readonly recurs?: true;
}

/** The schema that references point into, and how many more schemas may be looked at: choices of choices can be without end. */
export interface Scope {
  readonly root: JsonObject;
  left: number;
  /** Some forms were left out. */
  narrowed: boolean;
}

/** More than this and the choices of a part are left out: the form is then wider than the schema, and the source checks. */
const MOST = 12;
/** Forms of one choice. */
const MOST_BRANCHES = 40;
const TYPES: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);
const COMBINED = new Set(['$ref', 'allOf', 'anyOf', 'oneOf', 'type', 'const', '$defs', 'definitions']);

/** The forms that a JSON schema (2020-12, draft 7) takes together. */
export function alternativesOf(schema: unknown, scope: Scope, open: ReadonlySet<unknown>): Alternative[] {
  scope.left -= 1;
  if (!isObject(schema) || scope.left < 0) return [{ schema: {}, open }];
  let found = ownForms(schema, open);
  if (typeof schema['$ref'] === 'string') found = both(found, referred(schema['$ref'], scope, open), false);
  for (const part of listOf(schema['allOf'])) found = both(found, alternativesOf(part, scope, open), false);
  for (const key of ['anyOf', 'oneOf']) {
    const branches = branchesOf(listOf(schema[key]), scope, open);
    // Branches that only say what is required do not change what can be given.
    if (branches.some(saysSomething)) found = both(found, branches, true);
  }
  return found;
}

function branchesOf(choice: readonly unknown[], scope: Scope, open: ReadonlySet<unknown>): Alternative[] {
  const found: Alternative[] = [];
  for (const branch of choice) {
    if (found.length >= MOST_BRANCHES) {
      scope.narrowed = true;
      break;
    }
    found.push(...alternativesOf(branch, scope, open));
  }
  return found;
}

function ownForms(schema: JsonObject, open: ReadonlySet<unknown>): Alternative[] {
  const own: Json = {};
  for (const key of Object.keys(schema)) if (!COMBINED.has(key)) own[key] = schema[key];
  if (schema['const'] !== undefined) own['enum'] = [schema['const']];
  const values = Array.isArray(own['enum']) ? (own['enum'] as unknown[]) : undefined;
  const types = typesOf(schema, own, values);
  if (types.length === 0) return [{ schema: own, open }];
  if (types.length === 1 && values === undefined) return [{ schema: { type: types[0], ...own }, open }];
  return types.flatMap((type): Alternative[] => {
    if (values === undefined) return [{ schema: { type, ...own }, open }];
    const fitting = values.filter((value) => isOf(value, type));
    return fitting.length === 0 ? [] : [{ schema: { type, ...own, enum: fitting }, open }];
  });
}

function typesOf({ type }: JsonObject, own: Json, values: readonly unknown[] | undefined): string[] {
  // What is no type says nothing.
  const named = [type].flat().filter((one): one is string => TYPES.has(one));
  // A type beside values of another one says less than they do.
  if (named.length > 0 && (values === undefined || values.some((value) => named.some((one) => isOf(value, one))))) return named;
  if (values !== undefined) return [...new Set(values.map(typeName))];
  if (own['properties'] !== undefined) return ['object'];
  return own['items'] !== undefined ? ['array'] : [];
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function isOf(value: unknown, type: string): boolean {
  return typeName(value) === type || (type === 'number' && typeof value === 'number');
}

function referred(reference: string, scope: Scope, open: ReadonlySet<unknown>): Alternative[] {
  const target = targetOf(reference, scope.root);
  if (!isObject(target)) return [{ schema: {}, open }];
  if (!open.has(target)) return alternativesOf(target, scope, new Set([...open, target]));
  const { type } = target;
  return [{ schema: TYPES.has(type) ? { type } : {}, open, recurs: true }];
}

/** What a reference inside the schema (`#`, or a JSON pointer behind it) points at. */
function targetOf(reference: string, root: JsonObject): unknown {
  if (!reference.startsWith('#')) return undefined;
  let place: unknown = root;
  for (const token of reference.slice(1).split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    place = typeof place === 'object' && place !== null && Object.hasOwn(place, key) ? (place as JsonObject)[key] : undefined;
  }
  return place;
}

/** Every form of one with every form of the other. `inner`: the others describe themselves better. */
function both(some: readonly Alternative[], others: readonly Alternative[], inner: boolean): Alternative[] {
  if (some.length * others.length > MOST && some.length > 1) return [...some];
  const found = some.flatMap((one) =>
    others.flatMap((other): Alternative[] => {
      const schema = inner ? merged(other.schema, one.schema) : merged(one.schema, other.schema);
      if (schema === undefined) return [];
      const recurs = one.recurs === true || other.recurs === true;
      return [{ schema, open: one.open.union(other.open), ...(recurs ? { recurs: true as const } : {}) }];
    }),
  );
  return found.length === 0 ? [...some] : found;
}

/** Undefined when nothing can be both. */
function merged(a: Json, b: Json): Json | undefined {
  const types = [a['type'], b['type']].filter((type) => type !== undefined);
  const whole = types.includes('integer') && types.includes('number');
  if (types.length === 2 && types[0] !== types[1] && !whole) return undefined;
  const out: Json = { ...b, ...a };
  if (types.length > 0) out['type'] = whole ? 'integer' : types[0];
  if (Array.isArray(a['enum']) && Array.isArray(b['enum'])) {
    const texts = new Set(b['enum'].map((value) => JSON.stringify(value)));
    const common = a['enum'].filter((value) => texts.has(JSON.stringify(value)));
    if (common.length === 0) return undefined;
    out['enum'] = common;
  }
  if (isObject(a['properties']) && isObject(b['properties'])) out['properties'] = mergedProperties(a['properties'], b['properties']);
  if (Array.isArray(a['required']) && Array.isArray(b['required'])) out['required'] = [...new Set([...a['required'], ...b['required']])];
  if (isObject(a['items']) && isObject(b['items'])) out['items'] = { allOf: [a['items'], b['items']] };
  return out;
}

function mergedProperties(a: JsonObject, b: JsonObject): Json {
  const out: Json = {};
  for (const name of Object.keys(a)) put(out, name, Object.hasOwn(b, name) ? joined(a[name], b[name]) : a[name]);
  for (const name of Object.keys(b)) if (!Object.hasOwn(a, name)) put(out, name, b[name]);
  return out;
}

function joined(a: unknown, b: unknown): unknown {
  return JSON.stringify(a) === JSON.stringify(b) ? a : { allOf: [a, b] };
}

function saysSomething({ schema, recurs }: Alternative): boolean {
  return recurs === true || ['type', 'properties', 'items', 'enum'].some((key) => schema[key] !== undefined);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
