import type { Findable } from '../core/contracts/semantics.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { toolFindable } from '../core/tool-findable.ts';

/** One entry of `tools`. */
export interface OfferedTool {
  /** As it came. */
  readonly entry: unknown;
  /** Absent for what always goes on. */
  readonly own?: OwnTool;
  /** The provider shows it to the model when it is searched for: it costs no tokens until then. */
  readonly deferred: boolean;
}

/** A tool that the caller carries out and describes, so that it can be found. */
export interface OwnTool {
  readonly name: string;
  /** The object that has name, description and schema. */
  readonly definition: JsonObject;
}

/**
 * The `tools` of a request in the format of OpenAI's Chat Completions or Responses, or of Anthropic's Messages. The provider's own tools, deferred ones,
 * all that is not known and those that may not be cut are there without `own`.
 */
export function readTools(tools: readonly unknown[], mayCut: (name: string) => boolean): readonly OfferedTool[] {
  return tools.map((entry) => {
    if (!isObject(entry)) return { entry, deferred: false };
    const definition = definitionOf(entry);
    const deferred = entry['defer_loading'] === true || definition?.['defer_loading'] === true;
    const name = definition?.['name'];
    if (definition === undefined || deferred || typeof name !== 'string' || name === '' || !mayCut(name)) return { entry, deferred };
    return { entry, deferred, own: { name, definition } };
  });
}

export function findableOf({ name, definition }: OwnTool): Findable {
  const { description, parameters, input_schema: schema = parameters } = definition;
  return toolFindable({
    name,
    description: typeof description === 'string' ? description : undefined,
    inputSchema: isObject(schema) ? schema : undefined,
  });
}

function definitionOf(entry: JsonObject): JsonObject | undefined {
  const { type, function: nested, custom } = entry;
  if (type === 'function') return isObject(nested) ? nested : entry;
  if (type === 'custom' && !isObject(entry['input_schema'])) return described(isObject(custom) ? custom : entry);
  // Anthropic's of the caller may have no type.
  return (type === 'custom' || type === undefined || type === null) && isObject(entry['input_schema']) ? entry : undefined;
}

/** A tool that takes free text says nothing of itself but this. */
function described(definition: JsonObject): JsonObject | undefined {
  const { description } = definition;
  return typeof description === 'string' && description !== '' ? definition : undefined;
}
