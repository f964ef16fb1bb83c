import type { ChatRequest, Effort, OutputFormat, ToolChoice, ToolSpec } from '../../../../core/chat.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { flag, list, number, object, optional, text, wrong } from '../_read.ts';
import { given } from '../_given.ts';
import { readCache } from './parts.ts';
import { readMessages } from './read-messages.ts';

/** What callers call the fields of ChatRequest. */
export const FIELD_NAMES = {
  model: 'model',
  stream: 'stream',
  turns: 'messages',
  system: 'messages',
  tools: 'tools',
  toolChoice: 'tool_choice',
  parallelTools: 'parallel_tool_calls',
  maxTokens: 'max_completion_tokens',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  stop: 'stop',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  output: 'response_format',
  reasoning: 'reasoning_effort',
  user: 'safety_identifier',
  serviceTier: 'service_tier',
} as const satisfies Partial<Record<keyof ChatRequest, string>>;

const READ: ReadonlySet<string> = new Set([...Object.values(FIELD_NAMES), 'max_tokens', 'user', 'stream_options']);

/** A body of `/v1/chat/completions` for a target of another format. Throws GatewayError `bad_request` that names the field. */
export function readRequest(body: JsonObject): ChatRequest {
  for (const field of ['functions', 'function_call']) {
    if (body[field] !== undefined && body[field] !== null) throw wrong(field, 'functions are not taken; use tools and tool_choice.');
  }
  if ((optional(body['n'], 'n', number) ?? 1) > 1) throw wrong('n', 'this target gives one answer; ask again for more.');
  const { system, turns, unread } = readMessages(body['messages']);
  const tools = readTools(body['tools']);
  const choice = readToolChoice(body['tool_choice']);
  const effort = readEffort(body['reasoning_effort']);
  return given({
    model: text(body['model'], 'model'),
    stream: optional(body['stream'], 'stream', flag) ?? false,
    system,
    turns,
    tools: tools.specs,
    toolChoice: choice.read,
    parallelTools: optional(body['parallel_tool_calls'], 'parallel_tool_calls', flag),
    maxTokens:
      optional(body['max_completion_tokens'], 'max_completion_tokens', number) ?? optional(body['max_tokens'], 'max_tokens', number),
    temperature: optional(body['temperature'], 'temperature', number),
    topP: optional(body['top_p'], 'top_p', number),
    topK: optional(body['top_k'], 'top_k', number),
    stop: optional(body['stop'], 'stop', readStop),
    seed: optional(body['seed'], 'seed', number),
    frequencyPenalty: optional(body['frequency_penalty'], 'frequency_penalty', number),
    presencePenalty: optional(body['presence_penalty'], 'presence_penalty', number),
    output: optional(body['response_format'], 'response_format', readOutput),
    reasoning: effort === undefined ? undefined : { effort },
    user: optional(body['safety_identifier'], 'safety_identifier', text) ?? optional(body['user'], 'user', text),
    serviceTier: optional(body['service_tier'], 'service_tier', text),
    unread: [...unreadFields(body), ...unread, ...tools.unread, ...choice.unread],
  });
}

/** `store: false` and `n: 1` ask for nothing. */
function unreadFields(body: JsonObject): string[] {
  return Object.entries(body)
    .filter(([field, value]) => !READ.has(field) && value !== null && value !== undefined)
    .filter(([field, value]) => !(field === 'store' && value === false) && field !== 'n')
    .map(([field]) => field);
}

function readTools(value: unknown): { specs: ToolSpec[]; unread: string[] } {
  const specs: ToolSpec[] = [];
  const unread: string[] = [];
  for (const [at, entry] of (optional(value, 'tools', list) ?? []).entries()) {
    const place = `tools[${at}]`;
    const tool = object(entry, place);
    const type = text(tool['type'], `${place}.type`);
    if (type !== 'function') {
      unread.push(`${place} (${type})`);
      continue;
    }
    const spec = object(tool['function'], `${place}.function`);
    specs.push(
      given({
        name: text(spec['name'], `${place}.function.name`),
        description: optional(spec['description'], `${place}.function.description`, text),
        parameters: optional(spec['parameters'], `${place}.function.parameters`, object),
        strict: optional(spec['strict'], `${place}.function.strict`, flag),
        cache: readCache(tool),
      }),
    );
  }
  return { specs, unread };
}

function readToolChoice(value: unknown): { read?: ToolChoice; unread: string[] } {
  if (value === undefined || value === null) return { unread: [] };
  if (value === 'auto' || value === 'none' || value === 'required') return { read: { type: value }, unread: [] };
  const choice = object(value, 'tool_choice');
  if (choice['type'] === 'function') {
    const named = object(choice['function'], 'tool_choice.function');
    return { read: { type: 'tool', name: text(named['name'], 'tool_choice.function.name') }, unread: [] };
  }
  if (choice['type'] === 'allowed_tools') return { read: readAllowed(choice['allowed_tools']), unread: [] };
  if (choice['type'] === 'custom') return { unread: ['tool_choice (custom)'] };
  throw wrong('tool_choice', 'must be none, auto, required, or name a function or allowed_tools.');
}

function readAllowed(value: unknown): ToolChoice {
  const allowed = object(value, 'tool_choice.allowed_tools');
  const names = list(allowed['tools'], 'tool_choice.allowed_tools.tools').map((entry, at) => {
    const place = `tool_choice.allowed_tools.tools[${at}].function`;
    return text(object(object(entry, place)['function'], place)['name'], `${place}.name`);
  });
  return { type: 'allowed', names, required: allowed['mode'] === 'required' };
}

function readStop(value: unknown, place: string): string[] {
  return typeof value === 'string' ? [value] : list(value, place).map((stop, at) => text(stop, `${place}[${at}]`));
}

function readOutput(value: unknown, place: string): OutputFormat {
  const format = object(value, place);
  if (format['type'] === 'text') return { type: 'text' };
  if (format['type'] === 'json_object') return { type: 'json' };
  if (format['type'] !== 'json_schema') throw wrong(`${place}.type`, 'must be text, json_object or json_schema.');
  const asked = object(format['json_schema'], `${place}.json_schema`);
  return given({
    type: 'schema',
    name: optional(asked['name'], `${place}.json_schema.name`, text),
    description: optional(asked['description'], `${place}.json_schema.description`, text),
    schema: object(asked['schema'], `${place}.json_schema.schema`),
    strict: optional(asked['strict'], `${place}.json_schema.strict`, flag),
  });
}

const EFFORTS: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

function readEffort(value: unknown): Effort | undefined {
  if (value === undefined || value === null) return undefined;
  const effort = EFFORTS.find((one) => one === value);
  if (effort === undefined) throw wrong('reasoning_effort', `must be one of ${EFFORTS.join(', ')}.`);
  return effort;
}
