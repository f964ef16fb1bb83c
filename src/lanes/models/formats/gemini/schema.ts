import { isObject, type JsonObject } from '../../../../core/json.ts';

/** Keywords whose value is data, and keywords that hold schemas by name. */
const DATA = new Set(['enum', 'const', 'default', 'examples']);
const BY_NAME = new Set(['properties', 'patternProperties', 'dependentSchemas']);
/** A node `$schema` says nothing about values, and Gemini does not know it. */
const LEFT_OUT = new Set(['$schema', '$defs', 'definitions']);
/** Schemas copied in place of references: definitions that use each other twice grow by doubling. */
const MOST_COPIED = 5_000;

/**
 * A JSON Schema with its local references replaced by what they name. Gemini takes `$ref` only alone in its node and only to `$defs`, and tools of
 * MCP servers keep neither rule. Recursive references stay, alone, with the definitions they need: Gemini unrolls them.
 */
export function inlineReferences(schema: JsonObject): JsonObject {
  const inliner = new Inliner(schema);
  const body = inliner.walk(schema, ['#']) as JsonObject;
  if (!inliner.left) return body;
  const kept = ['$defs', 'definitions'].filter((key) => isObject(schema[key]));
  return { ...body, ...Object.fromEntries(kept.map((key) => [key, inliner.walkNamed(schema[key] as JsonObject, [])])) };
}

class Inliner {
  readonly #root: JsonObject;
  #copied = 0;
  /** A reference stayed. */
  left = false;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** `open`: the references whose targets are being walked. */
  walk(node: unknown, open: readonly string[]): unknown {
    if (Array.isArray(node)) return node.map((one) => this.walk(one, open));
    if (!isObject(node)) return node;
    if (open.length > 1) this.#copied++;
    const { $ref: ref, ...rest } = node;
    if (typeof ref !== 'string') return this.#walkFields(node, open);
    const target = open.includes(ref) || this.#copied > MOST_COPIED ? undefined : this.#find(ref);
    if (isObject(target)) return { ...(this.walk(target, [...open, ref]) as JsonObject), ...this.#walkFields(rest, open) };
    this.left = true;
    return { $ref: ref };
  }

  walkNamed(schemas: JsonObject, open: readonly string[]): JsonObject {
    return Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, this.walk(one, open)]));
  }

  #walkFields(node: JsonObject, open: readonly string[]): JsonObject {
    const fields = Object.entries(node).filter(([key]) => !LEFT_OUT.has(key));
    return Object.fromEntries(
      fields.map(([key, value]) => {
        if (DATA.has(key)) return [key, value];
        return [key, BY_NAME.has(key) && isObject(value) ? this.walkNamed(value, open) : this.walk(value, open)];
      }),
    );
  }

  /** A JSON Pointer into the schema (RFC 6901, 6). */
  #find(ref: string): unknown {
    if (!ref.startsWith('#/')) return undefined;
    let at: unknown = this.#root;
    for (const part of ref.slice(2).split('/')) {
      const key = unescape(part);
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
      at = (at as JsonObject)[key];
    }
    return at;
  }
}

function unescape(part: string): string {
  const text = part.replaceAll('~1', '/').replaceAll('~0', '~');
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
