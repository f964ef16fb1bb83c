/** What is nested deeper is no request that a model or a tool takes, and would take the stack. */
const DEEPEST = 200;

/**
 * A JSON value as the one text that all its spellings have in common: without spaces, the keys of objects in order. Undefined when another reader
 * could read it otherwise than the hub did: integers beyond 2^53 have lost digits.
 */
export function canonicalJson(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'number') return isExact(value) ? JSON.stringify(value) : undefined;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (depth === DEEPEST) return undefined;
  return Array.isArray(value) ? listText(value, depth + 1) : objectText(value as Record<string, unknown>, depth + 1);
}

/** False for integers that are another number in a reader with more digits. */
export function isExact(value: number): boolean {
  return !Number.isInteger(value) || Number.isSafeInteger(value);
}

function listText(list: readonly unknown[], depth: number): string | undefined {
  let all = '[';
  for (const item of list) {
    const text = canonicalJson(item, depth);
    if (text === undefined) return undefined;
    all += all.length === 1 ? text : `,${text}`;
  }
  return `${all}]`;
}

function objectText(object: Readonly<Record<string, unknown>>, depth: number): string | undefined {
  let all = '{';
  for (const key of Object.keys(object).sort()) {
    const value = object[key];
    // As JSON has it: what is undefined is not there.
    if (value === undefined) continue;
    const text = canonicalJson(value, depth);
    if (text === undefined) return undefined;
    all += `${all.length === 1 ? '' : ','}${JSON.stringify(key)}:${text}`;
  }
  return `${all}}`;
}
