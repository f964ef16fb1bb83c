import { isObject, type JsonObject } from '../../../../core/json.ts';

/** Arguments of a call as the object that this format has. Empty text stands for `{}`; undefined for what is no JSON object. */
export function parseInput(text: string): JsonObject | undefined {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
