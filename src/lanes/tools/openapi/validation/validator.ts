import type { JsonObject } from '../../../../core/json.ts';
import { createRequire } from 'node:module';
import type { ErrorObject, Options } from 'ajv';
import { SCHEMA_LISTS, SCHEMA_MAPS, SINGLE_SCHEMAS, type Json } from '../schema/json.ts';
import { BoundedPattern, PatternBudget } from '../schema/patterns.ts';
import { choices, NUMBER, numberOrDigits, uniqueItems } from './keywords.ts';
import type { Ajv2020Module } from './keywords.ts';

/** Every error, or those of the first fault; at least one when the value does not fit, else undefined. */
export type Validator = (value: unknown) => readonly ErrorObject[] | undefined;

export interface ValidatorOptions {
  /** Look for every fault: each costs memory. */
  readonly every: boolean;
  /** Numbers may come as digits: JSON numbers beyond 2^53 lose some. */
  readonly digits: boolean;
}

let loaded: Ajv2020Module | undefined;

/** Without `every`, the time grows with the value and not faster, patterns and unique items included. */
export function compileValidator(schema: JsonObject, { every, digits }: ValidatorOptions): Validator {
  loaded ??= createRequire(import.meta.url)('ajv/dist/2020.js') as Ajv2020Module;
  const text = JSON.stringify(schema);
  const budget = new PatternBudget();
  const regExp = Object.assign((pattern: string, flags: string) => new BoundedPattern(pattern, flags, budget), { code: 'new RegExp' });
  const options: Options = {
    strict: false,
    validateFormats: false,
    validateSchema: false,
    meta: false,
    allErrors: every,
    addUsedSchema: false,
    inlineRefs: true,
    // A property called like one of Object.prototype is there only when it was sent.
    ownProperties: /"(constructor|toString|valueOf|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|toLocaleString|__\w+__)":/.test(text),
    code: { regExp },
  };
  const ajv = new loaded.Ajv2020(options);
  const anyOf = ajv.getKeyword('anyOf');
  ajv.removeKeyword('uniqueItems').removeKeyword('anyOf');
  ajv.addKeyword(uniqueItems(loaded)).addKeyword(numberOrDigits(loaded)).addKeyword(choices(loaded, anyOf));
  const validate = ajv.compile(digits ? (withDigits(JSON.parse(text)) as JsonObject) : schema);
  return (value) => {
    budget.renew();
    return validate(value) ? undefined : (validate.errors ?? []);
  };
}

/** The schema, changed in place, with numbers that may be digits. In conditions a string stays a string. */
function withDigits(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  const json = schema as Json;
  for (const [key, value] of Object.entries(json)) {
    if (key === 'not' || key === 'if') continue;
    if (SINGLE_SCHEMAS.has(key)) withDigits(value);
    else if (SCHEMA_LISTS.has(key) || SCHEMA_MAPS.has(key) || key === '$defs') Object.values(value as object).forEach(withDigits);
  }
  const { type } = json;
  if (type === 'integer' || type === 'number') {
    delete json['type'];
    json[NUMBER] = type;
  }
  return json;
}
