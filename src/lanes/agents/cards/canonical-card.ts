import { isObject, type JsonObject } from '../../../core/json.ts';
import { CARD, type Field, type Shape } from './card-shape.ts';

/**
 * The texts that a signature on a card may be over, each once: those of `writtenForms`, and the card as plain JSON with its unknown fields, which is how
 * one of 0.3 is signed.
 */
export function canonicalForms(card: JsonObject): readonly string[] {
  const { signatures: _, ...whole } = card;
  return [...new Set([...writtenForms(card), jcs(withoutEmpty(whole) ?? {}), jcs(whole)])];
}

/**
 * The canonical forms that readers of a card of 1.0 make of it, each once. The specification (8.4.1) leaves required fields in even when they are empty.
 * The official libraries take out all that is empty, so that an empty list of scopes takes its requirement with it; and that of JavaScript (1.3.0) loses
 * the security schemes besides, since it reads a card a second time which it has read before. None has fields that the specification has not.
 */
export function writtenForms(card: JsonObject): readonly string[] {
  const { signatures: _, ...rest } = card;
  const known = knownOf(rest, CARD) as JsonObject;
  const { securitySchemes: __, ...reread } = known;
  return [...new Set([jcs(known), ...[known, reread].map((form) => jcs(withoutEmpty(form) ?? {}))])];
}

function knownOf(value: unknown, shape: Shape): unknown {
  if (typeof shape === 'string') return value;
  if ('list' in shape) return Array.isArray(value) ? value.map((item) => knownOf(item, shape.list)) : [];
  if (!isObject(value)) return {};
  if ('map' in shape) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, knownOf(item, shape.map)]));
  return Object.fromEntries(
    Object.entries(shape.fields).flatMap(([name, field]) => {
      const item = Object.hasOwn(value, name) ? value[name] : undefined;
      if (item === undefined || item === null) return [];
      const known = knownOf(item, field.shape);
      return isLeftOut(known, field) ? [] : [[name, known]];
    }),
  );
}

function isLeftOut(value: unknown, { presence, shape }: Field): boolean {
  if (presence !== 'implicit') return false;
  if (value === '' || value === false) return true;
  return typeof shape === 'object' && !('fields' in shape) && Object.keys(value as object).length === 0;
}

/** Undefined for what is empty. */
function withoutEmpty(value: unknown): unknown {
  if (value === '' || value === null) return undefined;
  if (Array.isArray(value)) {
    const left = value.map(withoutEmpty).filter((item) => item !== undefined);
    return left.length > 0 ? left : undefined;
  }
  if (!isObject(value)) return value;
  const left = Object.entries(value).flatMap(([key, item]) => {
    const inner = withoutEmpty(item);
    return inner === undefined ? [] : [[key, inner] as const];
  });
  return left.length > 0 ? Object.fromEntries(left) : undefined;
}

/** RFC 8785: JSON as ECMAScript writes it, keys in the order of their UTF-16 code units. */
function jcs(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${jcs(value[key])}`).join(',')}}`;
}
