import type { JsonObject } from '../../../core/json.ts';
import type { ErrorObject } from 'ajv';
import type { CompiledOperation } from './types.ts';
import { faultLines } from './validation/faults.ts';
import { compileValidator } from './validation/validator.ts';
import type { Validator } from './validation/validator.ts';

/** Compiled at the first call of a tool and kept with its operation. */
interface Validators {
  readonly quick: Validator;
  /** Finds every fault; made when there is one. */
  thorough: Validator | undefined;
}

const inputs = new WeakMap<CompiledOperation, Validators>();
const outputs = new WeakMap<CompiledOperation, Validators>();

/** Of arguments with more values than this, only the first fault is looked for: each costs memory, and behind references the square of their number. */
const MOST_VALUES = 1000;

/** One line per fault of the arguments of a call (at most 10), or undefined when they fit. */
export function checkArguments(operation: CompiledOperation, args: JsonObject): string[] | undefined {
  let entry = inputs.get(operation);
  if (entry === undefined) {
    entry = { quick: compileValidator(operation.tool.definition.inputSchema, { every: false, digits: true }), thorough: undefined };
    inputs.set(operation, entry);
  }
  const first = entry.quick(args);
  return first === undefined
    ? undefined
    : faultLines(everyError(operation, entry, args) ?? first, args, operation.tool.definition.inputSchema);
}

/** Undefined when they would be too many; or none, as the patterns looked at first may use up what the one that failed took. */
function everyError(operation: CompiledOperation, entry: Validators, args: JsonObject): readonly ErrorObject[] | undefined {
  if (hasMoreValues(args, MOST_VALUES)) return undefined;
  entry.thorough ??= compileValidator(operation.tool.definition.inputSchema, { every: true, digits: true });
  return entry.thorough(args);
}

/** JSON pointers to what in `value` does not keep to the tool's output schema; the first one only unless `every`. None: it fits. */
export function outputFaults(operation: CompiledOperation, value: unknown, every: boolean): string[] {
  const { outputSchema = {} } = operation.tool.definition;
  let entry = outputs.get(operation);
  if (entry === undefined) {
    entry = { quick: compileValidator(outputSchema, { every: false, digits: false }), thorough: undefined };
    outputs.set(operation, entry);
  }
  const first = entry.quick(value);
  if (first === undefined) return [];
  if (!every) return [first[0]?.instancePath ?? ''];
  entry.thorough ??= compileValidator(outputSchema, { every: true, digits: false });
  return (entry.thorough(value) ?? first).map(({ instancePath }) => instancePath);
}

function hasMoreValues(value: JsonObject, limit: number): boolean {
  const found: unknown[] = [value];
  for (const part of found) {
    if (typeof part !== 'object' || part === null) continue;
    const parts: unknown[] = Array.isArray(part) ? part : Object.values(part);
    if (found.length + parts.length > limit) return true;
    found.push(...parts);
  }
  return false;
}
