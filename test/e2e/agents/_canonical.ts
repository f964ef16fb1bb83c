import type { JsonObject } from '../../../src/core/json.ts';

/** RFC 8785 for what has no numbers but whole ones; A2A takes what is empty away (specification 8.4.1). */
export function canonicalCard(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalCard).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([key]) => !UNSET.has(key) || !isEmpty((value as JsonObject)[key]))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalCard(item)}`).join(',')}}`;
}
const UNSET = new Set(['extensions', 'examples', 'inputModes', 'outputModes', 'list']);
const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
