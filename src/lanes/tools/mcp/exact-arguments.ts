import { type JsonObject, isObject } from '../../../core/json.ts';
import { exactIntegers, hasLongInteger } from './exact-integers.ts';

/**
 * The arguments of the `tools/call` that is all of `body`, in which integers beyond 2^53 that lost digits are text, as OpenAPI services take them.
 * `given` itself when there are none, and in a batch.
 */
export function exactArguments(given: JsonObject, body: Buffer): JsonObject {
  if (!hasLongInteger(given)) return given;
  const message = exactIntegers(body.toString());
  const params = isObject(message) ? message['params'] : undefined;
  const exact = isObject(params) ? params['arguments'] : undefined;
  return isObject(exact) ? exact : given;
}
