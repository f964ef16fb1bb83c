import { createRequire } from 'node:module';
import type { ErrorObject, Options, ValidateFunction } from 'ajv';
import type { JsonObject } from '../../../core/tools.ts';
import { BoundedPattern } from './schema/patterns.ts';
import type { CompiledOperation } from './types.ts';

type AjvClass = typeof import('ajv/dist/2020.js').Ajv2020;

/** Compiled at the first call of a tool and kept with its operation. */
interface Validators {
  readonly quick: ValidateFunction;
  /** Finds every fault; made when there is one. */
  thorough: ValidateFunction | undefined;
}

const validators = new WeakMap<CompiledOperation, Validators>();
const MOST_FAULTS = 10;
let loaded: AjvClass | undefined;

/** One line per fault of the arguments of a call (at most 10), or undefined when they fit. */
export function checkArguments(operation: CompiledOperation, args: JsonObject): string[] | undefined {
  const errors = everyError(operation, args);
  if (errors === undefined) return undefined;
  const lines = new Set(faults(errors, operation.tool.definition.inputSchema));
  return lines.size === 0 ? undefined : [...lines].slice(0, MOST_FAULTS);
}

function everyError(operation: CompiledOperation, args: JsonObject): ErrorObject[] | undefined {
  let entry = validators.get(operation);
  if (entry === undefined) {
    entry = { quick: compile(operation.tool.definition.inputSchema, false), thorough: undefined };
    validators.set(operation, entry);
  }
  if (entry.quick(args) === true) return undefined;
  entry.thorough ??= compile(operation.tool.definition.inputSchema, true);
  entry.thorough(args);
  return entry.thorough.errors ?? [];
}

const outputs = new WeakMap<CompiledOperation, Validators>();

/** JSON pointers to what in `value` does not keep to the tool's output schema; the first one only unless `every`. None: it fits. */
export function outputFaults(operation: CompiledOperation, value: unknown, every: boolean): string[] {
  const { outputSchema = {} } = operation.tool.definition;
  let entry = outputs.get(operation);
  if (entry === undefined) {
    entry = { quick: compile(outputSchema, false), thorough: undefined };
    outputs.set(operation, entry);
  }
  const { quick } = entry;
  if (quick(value) === true) return [];
  if (!every) return [quick.errors?.[0]?.instancePath ?? ''];
  entry.thorough ??= compile(outputSchema, true);
  entry.thorough(value);
  return (entry.thorough.errors ?? []).map(({ instancePath }) => instancePath);
}

function compile(schema: JsonObject, allErrors: boolean): ValidateFunction {
  loaded ??= (createRequire(import.meta.url)('ajv/dist/2020.js') as { Ajv2020: AjvClass }).Ajv2020;
  const regExp = Object.assign((pattern: string, flags: string) => new BoundedPattern(pattern, flags), { code: 'new RegExp' });
  const options: Options = {
    strict: false,
    validateFormats: false,
    validateSchema: false,
    meta: false,
    allErrors,
    verbose: allErrors,
    addUsedSchema: false,
    inlineRefs: true,
    // A property called like one of Object.prototype is there only when it was sent.
    ownProperties: /"(constructor|toString|valueOf|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|toLocaleString|__\w+__)":/.test(
      JSON.stringify(schema),
    ),
    code: { regExp },
  };
  return new loaded(options).compile(schema);
}

/** Errors as lines: argument, what came, what is wanted. */
function* faults(errors: readonly ErrorObject[], schema: JsonObject): Generator<string> {
  const choices = errors.filter(({ keyword }) => keyword === 'anyOf');
  const excused = excusedErrors(errors, choices);
  for (const error of errors) {
    if (excused.has(error)) continue;
    // The branches of a choice each say what they miss; one line says it for all, and only when no branch was near.
    if (choices.some((choice) => error.schemaPath.startsWith(`${choice.schemaPath}/`) && isShallow(error, choice.instancePath))) continue;
    if (error.keyword === 'anyOf' && errors.some((other) => isDeeper(other, error))) continue;
    yield line(error, schema);
  }
}

/** Long integers, and choices of which a branch finds nothing else wrong, with all that their other branches say. */
function excusedErrors(errors: readonly ErrorObject[], choices: readonly ErrorObject[]): ReadonlySet<ErrorObject> {
  const excused = new Set(errors.filter(isLongInteger));
  if (excused.size === 0) return excused;
  // What is inside first: it makes the branch around it fit.
  for (const choice of choices.toSorted((a, b) => b.schemaPath.length - a.schemaPath.length)) {
    const inside = errors.filter((error) => error.schemaPath.startsWith(`${choice.schemaPath}/`) && isWithin(error, choice));
    const branches = [...Map.groupBy(inside, ({ schemaPath }) => schemaPath.slice(choice.schemaPath.length + 1).split('/')[0]).values()];
    if (!branches.some((branch) => branch.every((error) => excused.has(error)))) continue;
    for (const error of [choice, ...inside]) excused.add(error);
  }
  return excused;
}

function isWithin({ instancePath }: ErrorObject, outer: ErrorObject): boolean {
  return instancePath === outer.instancePath || instancePath.startsWith(`${outer.instancePath}/`);
}

/** Digits beyond 2^53 are sent as text, because JSON numbers lose them. */
function isLongInteger({ keyword, params, data, schema }: ErrorObject): boolean {
  if (typeof data !== 'string' || !/^-?\d{16,40}$/.test(data)) return false;
  if (keyword === 'type') return params['type'] === 'integer' || params['type'] === 'number';
  return (
    keyword === 'anyOf' &&
    Array.isArray(schema) &&
    schema.some((branch: JsonObject) => branch['type'] === 'integer' || branch['type'] === 'number')
  );
}

function isShallow(error: ErrorObject, instancePath: string): boolean {
  return error.instancePath === instancePath && error.keyword !== 'required';
}

function isDeeper(other: ErrorObject, choice: ErrorObject): boolean {
  return other.schemaPath.startsWith(`${choice.schemaPath}/`) && !isShallow(other, choice.instancePath);
}

function line(error: ErrorObject, schema: JsonObject): string {
  const where =
    error.instancePath === '' ? '' : error.instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  const { keyword, params, data } = error;
  const named = (name: unknown): string => (where === '' ? String(name) : `${where}.${String(name)}`);
  switch (keyword) {
    case 'required':
      return `${named(params['missingProperty'])}: nothing came; it is required.`;
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `${named(params['additionalProperty'] ?? params['unevaluatedProperty'])}: there is no such argument.${where === '' ? known(schema) : ''}`;
    case 'enum':
      return `${where}: ${shown(data)} came; wanted is one of ${listed(params['allowedValues'])}.`;
    case 'const':
      return `${where}: ${shown(data)} came; wanted is ${shown(params['allowedValue'])}.`;
    case 'anyOf':
      return `${where}: ${shown(data)} came; wanted is ${branchesOf(error.schema)}.`;
    default:
      return `${where === '' ? 'arguments' : where}: ${shown(data)} came; it ${wanted(error)}.`;
  }
}

function wanted({ keyword, params, message }: ErrorObject): string {
  if (keyword === 'type') return `must be of type ${String(params['type'])}`;
  return message ?? 'does not fit';
}

function branchesOf(schema: unknown): string {
  const types = (Array.isArray(schema) ? (schema as JsonObject[]) : []).map((branch) =>
    typeof branch['type'] === 'string' ? branch['type'] : undefined,
  );
  return types.length > 0 && types.every((type) => type !== undefined)
    ? [...new Set(types)].join(' or ')
    : 'one of the forms in the schema';
}

function known(schema: JsonObject): string {
  const names = Object.keys((schema['properties'] ?? {}) as JsonObject);
  return names.length === 0 ? ' This tool takes none.' : ` It takes ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}.`;
}

function listed(values: unknown): string {
  const list = Array.isArray(values) ? values : [];
  return list.slice(0, 20).map(shown).join(', ') + (list.length > 20 ? ', …' : '');
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
