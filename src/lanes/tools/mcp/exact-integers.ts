type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** ECMAScript 2025 "JSON.parse source text access"; the types of the language do not know it yet. */
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;

/** JSON in which integers beyond 2^53 that lose digits are text, as OpenAPI services take them. Throws SyntaxError. */
export function exactIntegers(text: string): unknown {
  return parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source && /^-?\d{16,40}$/.test(source) ? source : value,
  );
}

/** Whether reading a parsed text again by `exactIntegers` may find other digits. */
export function hasLongInteger(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.keys(value).some((key) => hasLongInteger((value as Record<string, unknown>)[key]));
}
