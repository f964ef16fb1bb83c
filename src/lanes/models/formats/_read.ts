import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';

/** Reading what a caller sent: each names the place of what is wrong. `place` is a path such as `messages[2].content`. */
export function wrong(place: string, what: string): GatewayError {
  return new GatewayError('bad_request', `${place}: ${what}`);
}

export function object(value: unknown, place: string): JsonObject {
  if (!isObject(value)) throw wrong(place, 'must be an object.');
  return value;
}

export function list(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(place, 'must be a list.');
  return value;
}

export function text(value: unknown, place: string): string {
  if (typeof value !== 'string') throw wrong(place, 'must be a text.');
  return value;
}

/** Absent and null are alike. */
export function optional<T>(value: unknown, place: string, read: (value: unknown, place: string) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value, place);
}

export function number(value: unknown, place: string): number {
  if (typeof value !== 'number') throw wrong(place, 'must be a number.');
  return value;
}

export function flag(value: unknown, place: string): boolean {
  if (typeof value !== 'boolean') throw wrong(place, 'must be true or false.');
  return value;
}

/** Reading what a vendor sent: nothing is sure, and nothing is thrown for what is merely odd. */
export const maybe = {
  object: (value: unknown): JsonObject => (isObject(value) ? value : {}),
  list: (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []),
  text: (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined),
  number: (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined),
};

/** The JSON of one frame of a vendor's stream. Throws GatewayError `upstream_failed`. */
export function frameJson(data: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch (cause) {
    throw new GatewayError('upstream_failed', 'The provider sent an event that is not JSON.', { cause });
  }
  if (!isObject(value)) throw new GatewayError('upstream_failed', 'The provider sent an event that is no JSON object.');
  return value;
}
