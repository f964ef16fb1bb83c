import { below } from './yaml-file.ts';

/** A JSON Schema of the configuration, with the words of schema/parts.ts. */
export interface ConfigSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, ConfigSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | ConfigSchema;
  readonly items?: ConfigSchema;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly title?: string;
  readonly secret?: true | 'named';
  readonly convert?: 'duration' | 'size' | 'rate' | 'search' | 'policy';
  readonly unbuilt?: string;
  readonly hint?: string;
}

/** One place of a value, with what the schema says about it; no schema where anything may stand. */
export interface Spot {
  readonly schema: ConfigSchema | undefined;
  readonly pointer: string;
  /** The last key on the way here. */
  readonly key: string;
}

/** The schema of a key below a schema. */
export function schemaOf(schema: ConfigSchema | undefined, key: string): ConfigSchema | undefined {
  if (schema?.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/**
 * A copy of a value in which `visit` gave every part, the inner ones first. Objects whose keys the user chooses get no prototype. Works on values
 * that do not fit the schema too.
 */
export function rewrite(value: unknown, spot: Spot, visit: (value: unknown, spot: Spot) => unknown): unknown {
  return visit(children(value, spot, visit), spot);
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function children(value: unknown, { schema, pointer, key }: Spot, visit: (value: unknown, spot: Spot) => unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => rewrite(item, { schema: schema?.items, pointer: below(pointer, index), key }, visit));
  }
  if (!isPlain(value)) return value;
  const entries = Object.entries(value).map(
    ([name, item]) => [name, rewrite(item, { schema: schemaOf(schema, name), pointer: below(pointer, name), key: name }, visit)] as const,
  );
  const free = typeof schema?.additionalProperties === 'object' && schema.properties === undefined;
  return free ? Object.assign(Object.create(null) as object, Object.fromEntries(entries)) : Object.fromEntries(entries);
}

/** The spot at which a walk starts. */
export function start(schema: object, pointer = ''): Spot {
  return { schema: schema as ConfigSchema, pointer, key: '' };
}
