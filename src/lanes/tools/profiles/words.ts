import type { Json } from '../openapi/schema/json.ts';
import { shorten } from '../openapi/schema/json.ts';
import type { Dialect } from './dialects.ts';

/** Constraints as a person would say them, for clients that drop or refuse the keywords. Values are shown as JSON. */
const SAID: readonly (readonly [string, (value: string) => string])[] = [
  ['format', (value) => `Format: ${value}.`],
  ['contentEncoding', (value) => `Encoded as ${value}.`],
  ['minimum', (value) => `At least ${value}.`],
  ['maximum', (value) => `At most ${value}.`],
  ['exclusiveMinimum', (value) => `More than ${value}.`],
  ['exclusiveMaximum', (value) => `Less than ${value}.`],
  ['multipleOf', (value) => `A multiple of ${value}.`],
  ['minLength', (value) => `At least ${value} characters.`],
  ['maxLength', (value) => `At most ${value} characters.`],
  ['pattern', (value) => `Pattern: ${value}`],
  ['minItems', (value) => `At least ${value} items.`],
  ['maxItems', (value) => `At most ${value} items.`],
  ['default', (value) => `Default: ${value}.`],
];
const LONGEST = 120;

/** The description of a schema with its constraints behind it; empty when there is nothing to say. */
export function wordsOf(schema: Json, { formats }: Dialect, description: string): string {
  const said = [description];
  for (const [key, say] of SAID) {
    const value = schema[key];
    if (value === undefined || (key === 'format' && formats.has(`${String(schema['type'])}:${String(value)}`))) continue;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (text.length <= LONGEST) said.push(say(text));
  }
  return said.filter((one) => one !== '').join(' ');
}

/** The first sentence, for schemas that have to be short. */
export function firstSentence(text: string): string {
  const end = /[.!?](\s|$)|\n/.exec(text);
  return shorten(end === null ? text : text.slice(0, end.index + 1).trim(), 150);
}
