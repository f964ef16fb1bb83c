import type { JsonObject } from '../../../../core/json.ts';
import type { ErrorObject } from 'ajv';
import { NUMBER } from './keywords.ts';

const MOST_FAULTS = 10;
/** Branches of a choice often say the same: so many errors are read for different lines. */
const MOST_READ = 1000;

/** One line per fault of `args`, at most 10: argument, what came, what is wanted. At least one when there are errors. */
export function faultLines(errors: readonly ErrorObject[], args: JsonObject, schema: JsonObject): string[] {
  const lines = new Set<string>();
  const values = new Map<string, string>();
  const came = ({ instancePath, propertyName }: ErrorObject): string => {
    if (propertyName !== undefined) return shown(propertyName);
    const text = values.get(instancePath) ?? shown(valueAt(args, instancePath));
    values.set(instancePath, text);
    return text;
  };
  let read = 0;
  for (const error of telling(errors, 0, errors.length)) {
    lines.add(line(error, came, schema));
    read += 1;
    if (lines.size === MOST_FAULTS || read === MOST_READ) break;
  }
  return [...lines];
}

/**
 * The errors from `start` to `end` that say what is wrong. The branches of a choice each say what they miss: of a branch that was near this is told,
 * else one error stands for all.
 */
function* telling(errors: readonly ErrorObject[], start: number, end: number): Generator<ErrorObject> {
  const outermost: number[] = [];
  for (let at = end - 1; at >= start; at -= 1 + insideOf(errors[at])) outermost.push(at);
  for (const at of outermost.toReversed()) {
    const error = errors[at] as ErrorObject;
    const first = at - insideOf(error);
    let isNear = false;
    for (const part of first < at ? telling(errors, first, at) : []) {
      if (isShallow(part, error.instancePath)) continue;
      isNear = true;
      yield part;
    }
    if (!isNear) yield first < at ? choiceOf(error, errors.slice(first, at)) : error;
  }
}

/** How many of the errors before this one are those of its branches. */
function insideOf(error: ErrorObject | undefined): number {
  return error?.keyword === 'anyOf' ? (error.params['inside'] as number) : 0;
}

function isShallow(error: ErrorObject, instancePath: string): boolean {
  return error.instancePath === instancePath && error.keyword !== 'required';
}

/** A choice none of whose branches was near: the error of the only one that says more than a type, or the types. */
function choiceOf(choice: ErrorObject, inside: readonly ErrorObject[]): ErrorObject {
  const [more, another] = inside.filter((error) => !isTypeError(error) && error.keyword !== 'anyOf');
  if (more !== undefined) return another === undefined ? more : choice;
  const types = inside.filter(isTypeError).map(({ params }) => String(params['type']));
  return { ...choice, params: { types: [...new Set(types)] } };
}

function isTypeError({ keyword }: ErrorObject): boolean {
  return keyword === 'type' || keyword === NUMBER;
}

function line(error: ErrorObject, came: (error: ErrorObject) => string, schema: JsonObject): string {
  const where = pathOf(error).join('.');
  const { keyword, params } = error;
  const named = (name: unknown): string => (where === '' ? String(name) : `${where}.${String(name)}`);
  switch (keyword) {
    case 'required':
      return `${named(params['missingProperty'])}: nothing came; it is required.`;
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `${named(params['additionalProperty'] ?? params['unevaluatedProperty'])}: there is no such argument.${where === '' ? known(schema) : ''}`;
    case 'enum':
      return `${where}: ${came(error)} came; wanted is one of ${listed(params['allowedValues'])}.`;
    case 'const':
      return `${where}: ${came(error)} came; wanted is ${shown(params['allowedValue'])}.`;
    case 'anyOf':
      return `${where}: ${came(error)} came; wanted is ${(params['types'] as string[] | undefined)?.join(' or ') ?? 'one of the forms in the schema'}.`;
    default:
      return `${where === '' ? 'arguments' : where}: ${came(error)} came; it ${wanted(error)}.`;
  }
}

function wanted(error: ErrorObject): string {
  if (isTypeError(error)) return `must be of type ${String(error.params['type'])}`;
  return error.message ?? 'does not fit';
}

function pathOf({ instancePath }: { readonly instancePath: string }): string[] {
  return instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueAt(args: JsonObject, instancePath: string): unknown {
  return pathOf({ instancePath }).reduce<unknown>((value, step) => (value as JsonObject)[step], args);
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
