import { type JsonObject, isObject } from '../../../core/json.ts';
import { exactIntegers, hasLongInteger } from './exact-integers.ts';

/**
 * The arguments of the `tools/call` that is all of `body`, in which integers beyond 2^53 that lost digits are text, as OpenAPI services take them.
 * `given` itself when there are none, and in a batch. `inside` are the keys below `params` that lead to them.
 */
export function exactArguments(given: JsonObject, body: Buffer, inside: readonly string[] = ['arguments']): JsonObject {
  if (!hasLongInteger(given)) return given;
  const message = exactIntegers(body.toString());
  const exact = ['params', ...inside].reduce((at: unknown, key) => (isObject(at) ? at[key] : undefined), message);
  return isObject(exact) ? exact : given;
}
