/** A JSON Schema 2020-12 under construction. */
export type Json = { [key: string]: unknown };

/** Sets an own property, whatever the key is called. */
export function put(target: Json, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/** What says something about a schema and does not narrow it. */
export const ANNOTATIONS: ReadonlySet<string> = new Set(['description', 'default', 'deprecated', 'examples', 'title']);

/** The keywords whose values are schemas, by how they hold them. */
export const SCHEMA_MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'dependentSchemas']);
export const SCHEMA_LISTS: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'prefixItems']);
export const SINGLE_SCHEMAS: ReadonlySet<string> = new Set([
  'items',
  'additionalProperties',
  'not',
  'if',
  'then',
  'else',
  'contains',
  'propertyNames',
  'unevaluatedProperties',
  'unevaluatedItems',
]);

const LINK = /!?\[([^\][]{0,300})\]\([^()\s]{0,2000}\)/g;
/** A sentence that only sends the reader to other pages. */
const ELSEWHERE =
  /(?<=^|[\s>])For (?:more|further|additional) (?:information|info|details)\b(?:[^.\n[]{0,100}\[[^\][]{0,300}\]\([^()\s]{0,2000}\)){1,4}[^.\n[]{0,40}(?:\.["”]?|$)[ \t]*/gm;

/** Text for a model: no links, no sentences about them alone, no runs of blanks, at most `limit` characters, cut between words. */
export function tidy(text: string, limit: number): string {
  let result = text.includes('](') ? (text.replace(ELSEWHERE, '').trim() || text).replace(LINK, '$1') : text;
  if (result.includes('\n')) result = result.replace(/[ \t]*\n\s*/g, '\n');
  return shorten(result.trim(), limit);
}

/** Cuts between words and shows that it did. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit - 1);
  const blank = Math.max(cut.lastIndexOf(' '), cut.lastIndexOf('\n'));
  return `${cut.slice(0, blank > limit / 2 ? blank : limit - 1).trimEnd()}…`;
}
