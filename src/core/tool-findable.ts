import type { Findable } from './contracts/semantics.ts';
import { isObject, type JsonObject } from './json.ts';

/** What is read of a schema at most: deeper or longer ones say nothing more of what a tool is for. */
const DEEPEST = 4;
const MOST_WORDS = 4000;
/** Characters of a description that are read: what comes after is examples and small print. */
const LONGEST_DESCRIPTION = 2000;

interface DescribedTool {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly inputSchema?: JsonObject | undefined;
}

/** A tool as search knows it. `path` and `tags` are those of the operation that it was made from. */
export function toolFindable(
  tool: DescribedTool,
  place: { readonly path?: string | undefined; readonly tags?: readonly string[] | undefined } = {},
): Findable {
  const words: string[] = [];
  addParameters(tool.inputSchema, words, { left: MOST_WORDS }, DEEPEST);
  if (place.path !== undefined) words.push(place.path);
  if (Array.isArray(place.tags)) words.push(...(place.tags as readonly string[]));
  return { name: tool.name, description: described(tool), words };
}

/** The title stands first unless the description begins with it, as descriptions made from OpenAPI do. Extensions give what they like: only texts are read. */
function described(tool: DescribedTool): string {
  const title = typeof tool.title === 'string' ? cut(tool.title, LONGEST_DESCRIPTION) : '';
  const description = typeof tool.description === 'string' ? cut(tool.description, LONGEST_DESCRIPTION) : '';
  if (title === '' || description.toLowerCase().startsWith(title.toLowerCase())) return description;
  return description === '' ? title : cut(`${title}. ${description}`, LONGEST_DESCRIPTION);
}

/** A copy: a slice would keep the whole text in memory for as long as it is there itself. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : Buffer.from(text.slice(0, length)).toString();
}

/** Names and descriptions of parameters, in the order of the schema. */
function addParameters(schema: unknown, into: string[], budget: { left: number }, depth: number): void {
  if (!isObject(schema) || depth === 0 || budget.left <= 0) return;
  if (isObject(schema['properties'])) {
    for (const [whole, property] of Object.entries(schema['properties'])) {
      if (budget.left <= 0) return;
      const name = cut(whole, budget.left);
      const description =
        isObject(property) && typeof property['description'] === 'string' ? cut(property['description'], budget.left) : '';
      budget.left -= name.length + description.length;
      into.push(name);
      if (description !== '') into.push(description);
      addParameters(property, into, budget, depth - 1);
    }
  }
  addParameters(schema['items'], into, budget, depth - 1);
  for (const key of ['allOf', 'anyOf', 'oneOf']) {
    const parts = schema[key];
    if (Array.isArray(parts)) for (const part of parts) addParameters(part, into, budget, depth - 1);
  }
}
