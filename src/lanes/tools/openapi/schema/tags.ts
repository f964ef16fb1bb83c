import type { Node, Tree } from '../document/tree.ts';
import { isNode, isText, own } from '../document/tree.ts';
import type { Json } from './json.ts';
import { put } from './json.ts';

/** What tells one branch of a choice from the others: a property and the values it has there. */
export interface Tag {
  readonly property: string;
  readonly values: readonly string[];
}

/** The values that the discriminator of `node` maps to `branch`; undefined when its mapping does not speak of it. */
export function tagOf(tree: Tree, node: Node, branch: unknown): Tag | undefined {
  const { discriminator } = node;
  if (!isNode(discriminator) || !isNode(branch) || !isText(branch['$ref'])) return undefined;
  const { propertyName, mapping } = discriminator;
  if (!isText(propertyName) || !isNode(mapping)) return undefined;
  const target = tree.target(branch['$ref']);
  const values = Object.keys(mapping).filter((value) => leadsTo(tree, mapping[value], branch['$ref'], target));
  return values.length === 0 ? undefined : { property: propertyName, values };
}

/** A mapping names a schema by reference or by its name under components. */
function leadsTo(tree: Tree, mapped: unknown, reference: unknown, target: unknown): boolean {
  if (!isText(mapped) || target === undefined) return false;
  if (mapped === reference) return true;
  if (mapped.startsWith('#')) return tree.target(mapped) === target;
  const { components } = tree.root;
  const schemas = isNode(components) ? components['schemas'] : undefined;
  return isNode(schemas) && own(schemas, mapped) === target;
}

/** `json` with the values of the tag on its property; as it is when the document says something else there. `expand` reads references. */
export function tagged(json: Json, { property, values }: Tag, expand: (reference: string) => Json): Json {
  if (json['type'] !== undefined && json['type'] !== 'object') return json;
  const properties = (json['properties'] ?? {}) as Json;
  const declared = Object.hasOwn(properties, property) ? (properties[property] as Json) : {};
  const said = typeof declared['$ref'] === 'string' ? { ...expand(declared['$ref']), ...declared } : declared;
  const allowed = Array.isArray(said['enum']) ? values.filter((value) => (said['enum'] as unknown[]).includes(value)) : values;
  if (allowed.length === 0 || said['const'] !== undefined || (said['type'] !== undefined && said['type'] !== 'string')) return json;
  const { description } = said;
  const tag: Json = { type: 'string', ...(allowed.length === 1 ? { const: allowed[0] } : { enum: allowed }) };
  const all = { ...properties };
  put(all, property, description === undefined ? tag : { ...tag, description });
  return { ...json, properties: all };
}
