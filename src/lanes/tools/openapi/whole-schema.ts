import type { JsonObject } from '../../../core/json.ts';
import { OperationFault } from './document/tree.ts';
import type { Json } from './schema/json.ts';
import type { SchemaReader } from './schema/reader.ts';
import type { CompiledService } from './types.ts';

const DEFINITIONS = '#/$defs/';
/** Bytes of one schema; what is farthest from its root is left out beyond. */
const LARGEST = 512 * 1024;

/** All that the whole forms of operations refer to, as JSON: it is seldom asked for, and text is cheap to hand on and to keep. */
export function definitionsOf(wholes: readonly JsonObject[], reader: SchemaReader): ReadonlyMap<string, string> {
  const definitions = new Map<string, string>();
  const expand = (name: string): Json => {
    try {
      return reader.expand(reader.fragment(DEFINITIONS + name));
    } catch (error) {
      // It refers to another file, and so was left out of the short form too.
      if (!(error instanceof OperationFault)) throw error;
      return {};
    }
  };
  const waiting = new Set<string>();
  for (const whole of wholes) collect(whole, waiting);
  // A set is walked to what is added on the way.
  for (const name of waiting) {
    const schema = expand(name);
    definitions.set(name, JSON.stringify(schema));
    collect(schema, waiting);
  }
  return definitions;
}

/** The input schema of an operation with everything it refers to under `$defs`, up to 512 kB. */
export function wholeSchema(root: JsonObject, definitions: CompiledService['definitions']): JsonObject {
  const names = new Set<string>();
  const $defs: Json = {};
  let size = JSON.stringify(root).length;
  collect(root, names);
  for (const name of names) {
    const definition = size < LARGEST ? read(name, definitions) : undefined;
    $defs[name] = definition?.schema ?? {};
    size += definition?.size ?? 2;
    for (const other of definition?.names ?? []) names.add(other);
  }
  return names.size === 0 ? root : { ...root, $defs };
}

interface Definition {
  readonly schema: Json;
  readonly size: number;
  /** What it refers to. */
  readonly names: ReadonlySet<string>;
}

const readBefore = new WeakMap<object, Map<string, Definition>>();

/** What was read once is shared by all operations: a list of whole tools would else hold it many times over. */
function read(name: string, definitions: CompiledService['definitions']): Definition | undefined {
  let known = readBefore.get(definitions);
  if (known === undefined) readBefore.set(definitions, (known = new Map()));
  const found = known.get(name);
  const text = definitions.get(name);
  if (found !== undefined || text === undefined) return found;
  const names = new Set<string>();
  const schema = JSON.parse(text) as Json;
  collect(schema, names);
  const definition = { schema, size: text.length, names };
  known.set(name, definition);
  return definition;
}

/** Adds the names that a schema refers to. */
function collect(value: unknown, names: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value) as [string, unknown][]) {
    if (key === '$ref' && typeof item === 'string' && item.startsWith(DEFINITIONS)) names.add(item.slice(DEFINITIONS.length));
    else collect(item, names);
  }
}
