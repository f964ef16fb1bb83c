import type { OutputFormat, ToolChoice, ToolSpec } from '../../../../../core/chat.ts';
import type { JsonObject } from '../../../../../core/json.ts';
import { flag, list, object, optional, text, wrong } from '../../_read.ts';

/** Of a function tool; all else asks for something that other formats have no word for. */
const TOOL_FIELDS = ['type', 'name', 'description', 'parameters', 'strict'];

export function readTools(value: unknown, unread: string[]): ToolSpec[] {
  return list(value ?? [], 'tools').map((item, index) => {
    const place = `tools[${index}]`;
    const tool = object(item, place);
    const type = text(tool['type'], `${place}.type`);
    if (type !== 'function') {
      throw wrong(`${place}.type`, `a tool of type ${type} runs at OpenAI only, and this model is spoken to in another format.`);
    }
    // False and null are what these fields are when they are absent.
    for (const [field, given] of Object.entries(tool)) if (given && !TOOL_FIELDS.includes(field)) unread.push(`${place}.${field}`);
    const description = optional(tool['description'], `${place}.description`, text);
    const parameters = optional(tool['parameters'], `${place}.parameters`, object);
    const strict = optional(tool['strict'], `${place}.strict`, flag);
    return {
      name: text(tool['name'], `${place}.name`),
      ...(description !== undefined && { description }),
      ...(parameters && { parameters }),
      ...(strict !== undefined && { strict }),
    };
  });
}

export function writeTool(tool: ToolSpec): JsonObject {
  return {
    type: 'function',
    name: tool.name,
    ...(tool.description !== undefined && { description: tool.description }),
    parameters: tool.parameters ?? { type: 'object', properties: {} },
    // Absent means true here, and would rewrite schemas that were never meant to be strict.
    strict: tool.strict ?? false,
  };
}

export function readToolChoice(value: unknown): ToolChoice {
  if (value === 'auto' || value === 'none' || value === 'required') return { type: value };
  const choice = object(value, 'tool_choice');
  const type = text(choice['type'], 'tool_choice.type');
  if (type === 'function') return { type: 'tool', name: text(choice['name'], 'tool_choice.name') };
  if (type !== 'allowed_tools') throw wrong('tool_choice.type', `${type} names a tool that runs at OpenAI only.`);
  const { mode } = choice;
  if (mode !== 'auto' && mode !== 'required') throw wrong('tool_choice.mode', 'must be auto or required.');
  const names = list(choice['tools'], 'tool_choice.tools').map((item, index) => {
    const place = `tool_choice.tools[${index}]`;
    const tool = object(item, place);
    if (tool['type'] !== 'function') throw wrong(`${place}.type`, 'must be function.');
    return text(tool['name'], `${place}.name`);
  });
  return { type: 'allowed', names, required: mode === 'required' };
}

export function writeToolChoice(choice: ToolChoice): unknown {
  if (choice.type === 'tool') return { type: 'function', name: choice.name };
  if (choice.type !== 'allowed') return choice.type;
  return {
    type: 'allowed_tools',
    mode: choice.required ? 'required' : 'auto',
    tools: choice.names.map((name) => ({ type: 'function', name })),
  };
}

/** `text.format`. */
export function readFormat(value: unknown): OutputFormat {
  const place = 'text.format';
  const format = object(value, place);
  if (format['type'] === 'text') return { type: 'text' };
  if (format['type'] === 'json_object') return { type: 'json' };
  if (format['type'] !== 'json_schema') throw wrong(`${place}.type`, 'must be text, json_object or json_schema.');
  const name = optional(format['name'], `${place}.name`, text);
  const description = optional(format['description'], `${place}.description`, text);
  const strict = optional(format['strict'], `${place}.strict`, flag);
  return {
    type: 'schema',
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    schema: object(format['schema'], `${place}.schema`),
    ...(strict !== undefined && { strict }),
  };
}

export function writeFormat(output: OutputFormat): JsonObject {
  if (output.type === 'text') return { type: 'text' };
  if (output.type === 'json') return { type: 'json_object' };
  return {
    type: 'json_schema',
    name: output.name ?? 'answer',
    ...(output.description !== undefined && { description: output.description }),
    schema: output.schema,
    ...(output.strict !== undefined && { strict: output.strict }),
  };
}
