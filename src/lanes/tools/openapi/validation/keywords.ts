import type { CodeKeywordDefinition, KeywordCxt } from 'ajv';
import type { AddedKeywordDefinition } from 'ajv/dist/types/index.js';
import type { Json } from '../schema/json.ts';

export type Ajv2020Module = typeof import('ajv/dist/2020.js');

/** Takes the place of `type: integer` and `type: number`, as whose error it is told. */
export const NUMBER = 'numberOrDigits';

/** Digits beyond 2^53 are sent as text, because JSON numbers lose them. */
const DIGITS = /^-?\d{16,40}$/;

/** A number, or its digits when they are many. */
export function numberOrDigits({ _ }: Ajv2020Module): CodeKeywordDefinition {
  return {
    keyword: NUMBER,
    schemaType: 'string',
    error: { message: 'must be a number', params: ({ schemaValue }) => _`{type: ${schemaValue}}` },
    code(context: KeywordCxt) {
      const { data, gen } = context;
      const isNumber = context.schema === 'integer' ? _`isFinite(${data}) && ${data} % 1 === 0` : _`isFinite(${data})`;
      const digits = gen.scopeValue('pattern', { key: 'digits', ref: DIGITS });
      context.pass(_`typeof ${data} == "number" ? ${isNumber} : typeof ${data} == "string" && ${digits}.test(${data})`);
    },
  };
}

/** In linear time; Ajv compares every item with every other one. */
export function uniqueItems({ _, str }: Ajv2020Module): CodeKeywordDefinition {
  return {
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: {
      message: ({ params: { twins } }) =>
        str`must NOT have duplicate items (items ## ${_`${twins}[0]`} and ${_`${twins}[1]`} are identical)`,
      params: ({ params: { twins } }) => _`{i: ${twins}[0], j: ${twins}[1]}`,
    },
    code(context: KeywordCxt) {
      const { data, gen, schema } = context;
      if (schema !== true) return;
      const find = gen.scopeValue('func', { key: twinsIn, ref: twinsIn });
      const twins = gen.const('twins', _`${data}.length < 2 ? undefined : ${find}(${data})`);
      context.setParams({ twins });
      context.pass(_`${twins} === undefined`);
    },
  };
}

/** Each choice that nothing fits says how many of the errors before its own are those of its branches. */
export function choices({ _ }: Ajv2020Module, anyOf: AddedKeywordDefinition | boolean): CodeKeywordDefinition {
  return {
    ...(anyOf as AddedKeywordDefinition & CodeKeywordDefinition),
    before: 'oneOf',
    error: { message: 'must match a schema in anyOf', params: ({ errsCount }) => _`{inside: errors - ${errsCount}}` },
  };
}

/** So few texts and numbers are compared one by one. */
const FEW = 16;

/** The places of two equal items. */
function twinsIn(items: readonly unknown[]): readonly [number, number] | undefined {
  let scalars: Map<unknown, number> | undefined;
  let others: Map<unknown, number> | undefined;
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    const isScalar = typeof item !== 'object' || item === null;
    if (isScalar && items.length <= FEW) {
      const first = items.indexOf(item);
      if (first < index) return [first, index];
      continue;
    }
    const seen = isScalar ? (scalars ??= new Map<unknown, number>()) : (others ??= new Map<unknown, number>());
    const key = isScalar ? item : canonicalJson(item);
    const twin = seen.get(key);
    if (twin !== undefined) return [twin, index];
    seen.set(key, index);
  }
  return undefined;
}

/** The same text for the same value. */
function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  const fields = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonicalJson((value as Json)[key])}`); // prettier-ignore
  return `{${fields.join()}}`;
}
