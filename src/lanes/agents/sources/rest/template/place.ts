import { isObject } from '../../../../../core/json.ts';

/**
 * What stands at a place of a JSON value; undefined when there is nothing. The place is a dotted path (`choices.0.message.content`), a JSON pointer
 * (RFC 6901), or `.` for the whole value.
 */
export function valueAt(value: unknown, place: string): unknown {
  let found = value;
  for (const step of stepsOf(place)) found = below(found, step);
  return found;
}

/** The text at a place; undefined where no place is given, or nothing but an empty text or null stands there. */
export function textAt(value: unknown, place: string | undefined): string | undefined {
  if (place === undefined) return undefined;
  const text = asText(valueAt(value, place));
  return text === '' ? undefined : text;
}

/** A JSON value as a person reads it in the middle of a text. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

function stepsOf(place: string): readonly string[] {
  if (place === '.' || place === '') return [];
  if (!place.startsWith('/')) return place.split('.');
  return place
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** One step: never into a prototype. */
export function below(value: unknown, step: string): unknown {
  if (Array.isArray(value)) return /^(?:0|[1-9]\d{0,8})$/.test(step) ? value[Number(step)] : undefined;
  return isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}
