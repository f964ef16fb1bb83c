import { type JsonObject, isObject } from '../../../core/json.ts';
import type { Profile, SourceTool, ToolDefinition } from '../../../core/tools.ts';
import { shorten } from '../openapi/schema/json.ts';
import { DIALECTS, type Dialect } from './dialects.ts';
import { houseForm } from './house-form.ts';
import { legalName } from './legal-key.ts';
import { plainRoot } from './plain-root.ts';
import { restore } from './restore.ts';
import { writeArguments } from './write-arguments.ts';

/** A tool in the form of one profile. */
export interface ToolForm {
  /** As lists show it. */
  readonly definition: ToolDefinition;
  /** What the form leaves out, in words; empty when it says all that the tool says. */
  readonly cuts: readonly string[];
  /** From arguments of this form, or of the tool's own, to those that the tool takes; absent when that is the same. */
  readonly input?: (args: JsonObject) => JsonObject;
}

/** Claude Code cuts at 2 kB. */
const LONGEST_DESCRIPTION = 2000;

const known = new WeakMap<ToolDefinition, Map<Profile, ToolForm>>();

/** The form that a profile gives a tool; made once for each definition. Pure: it depends on the tool and the profile alone. */
export function toolForm(tool: SourceTool, profile: Profile): ToolForm {
  let forms = known.get(tool.definition);
  if (forms === undefined) known.set(tool.definition, (forms = new Map()));
  let presented = forms.get(profile);
  if (presented === undefined) forms.set(profile, (presented = present(tool, profile)));
  return presented;
}

function present(tool: SourceTool, profile: Profile): ToolForm {
  const cuts = tool.whole === undefined ? [] : (tool.cuts ?? ['parts of it']);
  switch (profile) {
    case 'raw':
      return { definition: tool.whole === undefined ? tool.definition : { ...tool.definition, ...tool.whole() }, cuts: [] };
    case 'default':
      return presentDefault(tool, cuts);
    default:
      return presentFor(tool, DIALECTS[profile], cuts);
  }
}

/** What is made from a document has the default form already. */
function presentDefault({ definition, operation }: SourceTool, cuts: readonly string[]): ToolForm {
  const { description, inputSchema } = definition;
  const schema = operation === undefined ? houseForm(inputSchema) : inputSchema;
  const isLong = (description?.length ?? 0) > LONGEST_DESCRIPTION;
  // Lists of older revisions show such a root plainly (serve/era2025).
  const isPlain = operation !== undefined || plainRoot(inputSchema) === inputSchema;
  const left = [
    ...cuts,
    ...(isPlain ? [] : ['choices between sets of arguments, before 2026-07-28']),
    ...(isLong ? ['the end of the description'] : []),
  ];
  if (schema === inputSchema && !isLong) return { definition, cuts: left };
  const shown = { ...definition, inputSchema: schema, ...(isLong && { description: shorten(description!, LONGEST_DESCRIPTION) }) };
  return { definition: shown, cuts: left };
}

function presentFor({ definition, operation }: SourceTool, dialect: Dialect, known: readonly string[]): ToolForm {
  const { name, title, inputSchema, outputSchema, _meta, ...rest } = definition;
  // An empty description is refused by some (VS Code fills it).
  const whole = definition.description?.trim() || (title ?? name);
  const description = shorten(whole, dialect.description);
  const { schema, back, cuts } = writeArguments(inputSchema, dialect, Buffer.byteLength(description));
  const shown: ToolDefinition = {
    name: legalName(name, dialect),
    ...(title === undefined ? {} : { title }),
    ...rest,
    description,
    inputSchema: schema,
    ...(outputSchema === undefined || !dialect.outputSchema ? {} : { outputSchema }),
    ...(_meta === undefined ? {} : { _meta: renamedBindings(_meta, back?.kind === 'object' ? back.properties : undefined) }),
  };
  return {
    definition: shown,
    cuts: [...known, ...cuts, ...(description.length < whole.length ? ['the end of the description'] : [])],
    ...(back === undefined ? {} : { input: (args) => restore(args, back, operation !== undefined) as JsonObject }),
  };
}

/** Bindings name arguments by the keys that the form shows. */
function renamedBindings(meta: JsonObject, properties: ReadonlyMap<string, { readonly name: string }> | undefined): JsonObject {
  const operation = meta['hubgate/operation'];
  if (properties === undefined || !isObject(operation) || !isObject(operation['bindings'])) return meta;
  const keys = new Map([...properties].map(([key, { name }]) => [name, key]));
  const bindings = Object.entries(operation['bindings']).map(([name, place]): [string, unknown] => [keys.get(name) ?? name, place]);
  return { ...meta, 'hubgate/operation': { ...operation, bindings: Object.fromEntries(bindings) } };
}
