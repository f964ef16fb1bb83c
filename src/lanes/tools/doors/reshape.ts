import { type JsonObject, isObject } from '../../../core/json.ts';
import type { ArgumentOverrideConfig, ToolOverride } from '../../../config/types.ts';
import type { SourceTool, ToolDefinition, ToolsReply, WholeTool } from '../../../core/tools.ts';
import { isExact, parseExact } from '../openapi/wire/json-text.ts';

/** What an override changes on the way in and on the way out; absent parts change nothing. */
export interface Reshape {
  /** From the arguments that the model gave to those that the source takes. */
  readonly input?: (args: JsonObject) => JsonObject;
  /** Keeps the selected parts of a JSON answer. */
  readonly output?: (reply: ToolsReply) => ToolsReply;
}

export interface Reshaped extends Reshape {
  readonly tool: SourceTool;
  /** Arguments that the override names and the tool does not have. */
  readonly unknownArguments: readonly string[];
}

/** Applies one override to one tool: what the model sees, and how its arguments and answers are translated. */
export function reshape(tool: SourceTool, override: ToolOverride): Reshaped {
  const changes = Object.entries(override.arguments ?? {});
  const properties = isObject(tool.definition.inputSchema['properties']) ? tool.definition.inputSchema['properties'] : {};
  const known = changes.filter(([name]) => Object.hasOwn(properties, name));
  const { name, title, description, icons, annotations } = override;
  const definition: ToolDefinition = {
    ...(override.select === undefined ? tool.definition : unpromised(tool)),
    ...(name === undefined ? {} : { name }),
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(icons === undefined ? {} : { icons: icons as readonly JsonObject[] }),
    ...(annotations === undefined ? {} : { annotations: { ...tool.definition.annotations, ...annotations } }),
    ...(known.length === 0 ? {} : narrowed(tool.definition, new Map(known))),
  };
  return {
    tool: { ...tool, definition, risk: override.risk ?? tool.risk, ...reshapedWhole(tool, description, known) },
    unknownArguments: changes.filter(([argument]) => !Object.hasOwn(properties, argument)).map(([argument]) => argument),
    ...(known.length === 0 ? {} : { input: translator(known) }),
    ...(override.select === undefined ? {} : { output: selector(override.select, tool.wrapped === true) }),
  };
}

/** Clients refuse results that lack what an output schema requires; those of documents require nothing, others may require what is not selected. */
function unpromised({ definition, operation }: SourceTool): ToolDefinition {
  if (operation !== undefined) return definition;
  const { outputSchema: _, ...rest } = definition;
  return rest as ToolDefinition;
}

/** What is left out of the definition has the same changes: a hidden argument is hidden everywhere. */
function reshapedWhole(
  { whole, definition }: SourceTool,
  description: string | undefined,
  known: readonly (readonly [string, ArgumentOverrideConfig])[],
): Pick<SourceTool, 'whole'> {
  if (whole === undefined) return {};
  return {
    whole: (): WholeTool => {
      const found = whole();
      const { inputSchema } = known.length === 0 ? found : { ...found, ...narrowed({ ...definition, ...found }, new Map(known)) };
      return { ...found, inputSchema, ...(description === undefined ? {} : { description }) };
    },
  };
}

const taken = (change: ArgumentOverrideConfig): boolean => change.hide === true || Object.hasOwn(change, 'value');

/** Schema and shown bindings without what the model may not see, under the new names. */
function narrowed(definition: ToolDefinition, changes: ReadonlyMap<string, ArgumentOverrideConfig>): Partial<ToolDefinition> {
  const schema = definition.inputSchema;
  const properties: [string, unknown][] = [];
  for (const [name, property] of Object.entries(schema['properties'] as JsonObject)) {
    const change = changes.get(name);
    if (change === undefined) properties.push([name, property]);
    else if (!taken(change)) properties.push([change.name ?? name, described(property, change)]);
  }
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
  const stillRequired = required.flatMap((name) => {
    const change = changes.get(name);
    if (change === undefined) return [name];
    return taken(change) || Object.hasOwn(change, 'default') ? [] : [change.name ?? name];
  });
  const { required: _, ...rest } = schema;
  const inputSchema = {
    ...rest,
    properties: Object.fromEntries(properties),
    ...(stillRequired.length === 0 ? {} : { required: stillRequired }),
  };
  return { inputSchema, ...narrowedMeta(definition, changes) };
}

function described(property: unknown, change: ArgumentOverrideConfig): unknown {
  if (!isObject(property)) return property;
  return {
    ...property,
    ...(change.description === undefined ? {} : { description: change.description }),
    ...(Object.hasOwn(change, 'default') ? { default: change.default } : {}),
  };
}

function narrowedMeta(definition: ToolDefinition, changes: ReadonlyMap<string, ArgumentOverrideConfig>): Partial<ToolDefinition> {
  const operation = definition._meta?.['hubgate/operation'];
  if (!isObject(operation) || !isObject(operation['bindings'])) return {};
  const bindings = Object.entries(operation['bindings']).flatMap(([name, place]): [string, unknown][] => {
    const change = changes.get(name);
    if (change === undefined) return [[name, place]];
    return taken(change) ? [] : [[change.name ?? name, place]];
  });
  return { _meta: { ...definition._meta, 'hubgate/operation': { ...operation, bindings: Object.fromEntries(bindings) } } };
}

function translator(changes: readonly (readonly [string, ArgumentOverrideConfig])[]): (args: JsonObject) => JsonObject {
  return (args) => {
    // A name that was hidden or given away reaches the source only through its override.
    const rest = new Map(Object.entries(args));
    const set: [string, unknown][] = [];
    for (const [name, change] of changes) {
      const shown = change.name ?? name;
      const given = !taken(change) && Object.hasOwn(args, shown);
      if (Object.hasOwn(change, 'value')) set.push([name, change.value]);
      else if (given) set.push([name, args[shown]]);
      else if (Object.hasOwn(change, 'default')) set.push([name, change.default]);
      rest.delete(name);
      if (!taken(change)) rest.delete(shown);
    }
    return Object.fromEntries([...rest, ...set]);
  };
}

/**
 * Keeps the parts of a JSON text and of structured content that the paths name; other answers, and failures, stay whole. Paths begin at the answer,
 * which structured content has under `result` when it is `wrapped`.
 */
function selector(paths: readonly string[], wrapped: boolean): (reply: ToolsReply) => ToolsReply {
  const split = paths.map((path) => path.split('.'));
  const inside = wrapped ? split.map((path) => ['result', ...path]) : split;
  return (reply) => {
    if (reply.isError === true) return reply;
    const content = reply.content?.map((block) => {
      if (block.type !== 'text') return block;
      const value = parsed(block.text);
      return value === undefined ? block : { ...block, text: JSON.stringify(pick(value, split) ?? null) };
    });
    return {
      ...reply,
      ...(content === undefined ? {} : { content }),
      ...(reply.structuredContent === undefined ? {} : { structuredContent: pick(reply.structuredContent, inside) ?? {} }),
    };
  };
}

/** An object or a list, whose numbers keep their digits. */
function parsed(text: string): unknown {
  try {
    const value = parseExact(text);
    return typeof value === 'object' && value !== null && !isExact(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The value with only the members on one of the paths; a path goes through every element of an array. */
function pick(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.some((path) => path.length === 0)) return value;
  if (Array.isArray(value)) return value.map((item) => pick(item, paths)).filter((item) => item !== undefined);
  if (!isObject(value) || isExact(value)) return undefined;
  const kept: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const below = paths.filter((path) => path[0] === key).map((path) => path.slice(1));
    const picked = below.length === 0 ? undefined : pick(member, below);
    if (picked !== undefined) kept.push([key, picked]);
  }
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
