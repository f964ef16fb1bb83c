import type { JsonObject } from '../../../core/tools.ts';
import { isObject } from './message.ts';

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** ECMAScript 2025 "JSON.parse source text access"; the types of the language do not know it yet. */
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;

/**
 * The arguments of the `tools/call` that is all of `body`, in which integers beyond 2^53 that lost digits are text, as OpenAPI services take them.
 * `given` itself when there are none, and in a batch.
 */
export function exactArguments(given: JsonObject, body: Buffer): JsonObject {
  if (!hasLongInteger(given)) return given;
  const message = parse(body.toString(), digitsKept);
  const params = isObject(message) ? message['params'] : undefined;
  const exact = isObject(params) ? params['arguments'] : undefined;
  return isObject(exact) ? exact : given;
}

function hasLongInteger(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasLongInteger);
}

function digitsKept(_: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && source !== undefined && String(value) !== source && /^-?\d{16,40}$/.test(source) ? source : value;
}
