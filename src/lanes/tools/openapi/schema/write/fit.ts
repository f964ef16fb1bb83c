import type { Json } from '../json.ts';
import { put, SCHEMA_LISTS, SCHEMA_MAPS, SINGLE_SCHEMAS } from '../json.ts';
import type { SchemaReader } from '../reader.ts';
import type { Rules } from './shorten.ts';
import { shortening, typeOnly } from './shorten.ts';
import { writeOut } from './write-out.ts';

/** Bytes of JSON that a token stands for, rather too few than too many. */
export const BYTES_PER_TOKEN = 3.5;

const FULL: Rules = { descriptions: 'all', optional: Infinity, everything: Infinity, enums: Infinity };

/** What is tried to come within the budget, from most to least; the order in which things go is openapi.md's. */
const WITHIN_BUDGET: readonly Rules[] = [
  FULL,
  { ...FULL, descriptions: 'short' },
  { ...FULL, descriptions: 'short', optional: 4 },
  { ...FULL, descriptions: 'short', optional: 4, enums: 50 },
  { ...FULL, descriptions: 'short', optional: 3, enums: 50 },
];

/** A schema that has lost all that openapi.md lets go may be larger than the budget, up to twice; then more of what is deep goes. */
const WITHIN_TWICE: readonly Rules[] = [
  WITHIN_BUDGET[4]!,
  { descriptions: 'short', optional: 2, everything: 4, enums: 20 },
  { descriptions: 'short', optional: 2, everything: 3, enums: 20 },
];

/** What has many properties near its root is allowed the hard limit. */
const WITHIN_LIMIT: readonly Rules[] = [
  WITHIN_TWICE[2]!,
  { descriptions: 'short', optional: 2, everything: 2, enums: 10 },
  { descriptions: 'none', optional: 2, everything: 2, enums: 10 },
  { descriptions: 'none', optional: 2, everything: 1, enums: 10 },
];

export interface Fitted {
  /** The schema as JSON. */
  readonly text: string;
  /** The same, when it was made on the way. */
  readonly schema: Json | undefined;
  /** What is left out of it, in words; empty when it is whole. Whatever fits the whole schema fits this one too. */
  readonly cuts: readonly string[];
}

/**
 * Writes out the references of `root` (an object schema with the arguments as properties) so that the JSON stays within `budget` bytes. What
 * cannot be brought there is given in its shortest form when that stays within `hard`, else undefined. Parts of the result are shared with others
 * of the same reader: it is not to be changed.
 */
export function fitSchema(root: Json, references: boolean, reader: SchemaReader, budget: number, hard: number): Fitted | undefined {
  // A little more than the budget is written too: without examples it may fit.
  const whole = references ? writeOut(root, reader, budget * 1.2) : root;
  if (whole !== undefined) {
    const text = JSON.stringify(whole);
    if (Buffer.byteLength(text) <= budget) return { schema: whole, text, cuts: [] };
    const schema = withoutExamples(whole);
    const less = JSON.stringify(schema);
    if (Buffer.byteLength(less) <= budget) return { schema, text: less, cuts: cutsOf(FULL, true) };
  }
  const attempt = (rules: Rules, limit: number): Fitted | undefined => {
    const short = shortening(reader, rules).whole(root, limit);
    if (short === undefined || Buffer.byteLength(short.text) > limit) return undefined;
    return { text: short.text, schema: undefined, cuts: cutsOf(rules, short.lostExamples) };
  };
  // Each level is smaller than the one before it. Most schemas that do not fit the first do not fit the last either.
  const last = WITHIN_BUDGET.length - 1;
  let best = attempt(WITHIN_BUDGET[last]!, budget);
  for (let low = 0, high = last - 1; best !== undefined && low <= high;) {
    const middle = (low + high) >> 1;
    const fitted = attempt(WITHIN_BUDGET[middle]!, budget);
    if (fitted === undefined) low = middle + 1;
    else {
      best = fitted;
      high = middle - 1;
    }
  }
  if (best !== undefined) return best;
  for (const [levels, limit] of [
    [WITHIN_TWICE, Math.min(budget * 2, hard)],
    [WITHIN_LIMIT, hard],
  ] as const) {
    for (const rules of levels) {
      const fitted = attempt(rules, limit);
      if (fitted !== undefined) return fitted;
    }
  }
  return undefined;
}

/** What rules leave out of whatever has so much. */
function cutsOf({ descriptions, optional, everything, enums }: Rules, lostExamples: boolean): string[] {
  return [
    ...(lostExamples ? ['examples'] : []),
    ...(descriptions === 'all' ? [] : [descriptions === 'short' ? 'descriptions after their first sentence' : 'descriptions']),
    ...(Number.isFinite(optional) ? [`optional properties from level ${optional} on`] : []),
    ...(Number.isFinite(everything) ? [`what is in objects and arrays from level ${everything} on`] : []),
    ...(Number.isFinite(enums) ? [`values of an enum after the first ${enums}`] : []),
  ];
}

function withoutExamples(schema: Json): Json {
  const out: Json = {};
  for (const key of Object.keys(schema)) {
    const value = schema[key];
    if (key === 'examples') continue;
    if (SCHEMA_MAPS.has(key) || key === '$defs') out[key] = mapped(value as Json);
    else if (SCHEMA_LISTS.has(key)) out[key] = (value as Json[]).map(withoutExamples);
    else out[key] = SINGLE_SCHEMAS.has(key) && typeof value === 'object' ? withoutExamples(value as Json) : value;
  }
  return out;
}

function mapped(map: Json): Json {
  const out: Json = {};
  for (const name of Object.keys(map)) put(out, name, withoutExamples(map[name] as Json));
  return out;
}

/** What a skeleton leaves out. */
export const SKELETON_CUTS: readonly string[] = ['everything about the arguments but their types'];

/** For a tool that no shortening brings within the limit: each argument with its type. */
export function skeleton(root: Json, reader: SchemaReader): Json {
  const properties: Json = {};
  for (const [name, schema] of Object.entries(root['properties'] as Json)) put(properties, name, typeOnly(schema as Json, reader));
  return { ...root, properties };
}
