import { WORDS } from '../config/schema/parts.ts';

/** Words of the configuration's schemas that mean nothing outside; formats are its own too. */
const OWN: ReadonlySet<string> = new Set([...WORDS, 'format']);
const KEPT_SECRET = {
  type: 'object',
  properties: { set: { const: true } },
  required: ['set'],
  additionalProperties: false,
  description: 'Keeps the secret that is stored.',
};

type Schema = Readonly<Record<string, unknown>>;

/** A schema of the configuration in plain JSON Schema, as a PUT takes it: secrets are literal, or `{ set: true }`. */
export function plainSchema(schema: object, { without = [] }: { readonly without?: readonly string[] } = {}): object {
  const { properties, required, ...rest } = plain(schema as Schema);
  const kept = Object.entries((properties ?? {}) as Schema).filter(([name]) => !without.includes(name));
  const needed = ((required ?? []) as readonly string[]).filter((name) => !without.includes(name));
  return { ...rest, properties: Object.fromEntries(kept), ...(needed.length === 0 ? {} : { required: needed }) };
}

function plain(schema: Schema): Schema {
  const entries = Object.entries(schema)
    .filter(([word]) => !OWN.has(word))
    .map(([word, value]): [string, unknown] => [word, part(word, value)]);
  const bare = Object.fromEntries(entries);
  if (schema['secret'] === undefined) return bare;
  const { description, ...value } = bare;
  return { description, anyOf: [value, KEPT_SECRET] };
}

function part(word: string, value: unknown): unknown {
  if (word === 'properties')
    return Object.fromEntries(Object.entries(value as Schema).map(([name, item]) => [name, plain(item as Schema)]));
  const nested = word === 'items' || word === 'additionalProperties' || word === 'propertyNames';
  return nested && typeof value === 'object' && value !== null ? plain(value as Schema) : value;
}
