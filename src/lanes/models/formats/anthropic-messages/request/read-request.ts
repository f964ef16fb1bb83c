import type { ChatRequest, OutputFormat, Part, ToolChoice, ToolSpec, Turn } from '../../../../../core/chat.ts';
import type { JsonObject } from '../../../../../core/json.ts';
import { flag, list, number, object, optional, text, wrong } from '../../_read.ts';
import { readCache } from './cache-marks.ts';
import { readContent, readTexts, type Reading } from './read-blocks.ts';
import { readReasoning } from './reasoning.ts';

const READ = new Set(
  `model max_tokens stream system messages tools tool_choice temperature top_p top_k stop_sequences thinking output_config output_format metadata
   service_tier speed cache_control`.split(/\s+/),
);

/** A body of `/v1/messages`. Throws GatewayError `bad_request` that names the field. */
export function readRequest(body: JsonObject): ChatRequest {
  const reading: Reading = { unread: new Set(), calls: new Map() };
  for (const name of Object.keys(body)) if (!READ.has(name) && body[name] !== null) reading.unread.add(name);
  const reasoning = readReasoning(body);
  const output = readOutput(body, reading);
  const user = optional(optional(body['metadata'], 'metadata', object)?.['user_id'], 'metadata.user_id', text);
  const stop = optional(body['stop_sequences'], 'stop_sequences', list)?.map((value, index) => text(value, `stop_sequences[${index}]`));
  if (body['max_tokens'] === undefined || body['max_tokens'] === null) throw wrong('max_tokens', 'is required.');
  const temperature = optional(body['temperature'], 'temperature', number);
  const topP = optional(body['top_p'], 'top_p', number);
  const topK = optional(body['top_k'], 'top_k', number);
  return {
    model: text(body['model'], 'model'),
    stream: optional(body['stream'], 'stream', flag) ?? false,
    system: body['system'] === undefined || body['system'] === null ? [] : readTexts(body['system'], 'system', reading),
    turns: readTurns(body, reading),
    tools: (optional(body['tools'], 'tools', list) ?? []).map((tool, index) => readTool(tool, `tools[${index}]`, reading)),
    ...readToolChoice(body),
    maxTokens: number(body['max_tokens'], 'max_tokens'),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
    ...(stop && { stop }),
    ...(output && { output }),
    ...(reasoning && { reasoning }),
    ...(user !== undefined && { user }),
    ...readTier(body, reading),
    unread: [...reading.unread],
  };
}

function readTurns(body: JsonObject, reading: Reading): readonly Turn[] {
  const turns = list(body['messages'], 'messages').map((value, index): Turn => {
    const place = `messages[${index}]`;
    const message = object(value, place);
    const role = text(message['role'], `${place}.role`);
    if (role !== 'user' && role !== 'assistant' && role !== 'system') throw wrong(`${place}.role`, 'must be user, assistant or system.');
    const read = role === 'system' ? readTexts : readContent;
    return { role, parts: read(message['content'], `${place}.content`, reading) };
  });
  // At the top of a request it stands for a mark on the last block that can carry one.
  const { cache } = readCache(body['cache_control'], 'cache_control');
  if (!cache) return turns;
  const last = turns.findLastIndex((turn) => turn.parts.some(carriesMark));
  return turns.map((turn, index) => (index === last ? { ...turn, parts: markLast(turn.parts, cache) } : turn));
}

function carriesMark(part: Part): boolean {
  return part.type === 'text' || part.type === 'image' || part.type === 'document' || part.type === 'call' || part.type === 'result';
}

function markLast(parts: readonly Part[], cache: NonNullable<ToolSpec['cache']>): readonly Part[] {
  const last = parts.findLastIndex(carriesMark);
  return parts.map((part, index) => (index === last ? { cache, ...part } : part));
}

/** Fields of a tool that steer Anthropic's own machinery. */
const TOOL_EXTRAS = ['defer_loading', 'allowed_callers', 'input_examples', 'eager_input_streaming'];

function readTool(value: unknown, place: string, { unread }: Reading): ToolSpec {
  const tool = object(value, place);
  const type = optional(tool['type'], `${place}.type`, text) ?? 'custom';
  const name = optional(tool['name'], `${place}.name`, text);
  if (type !== 'custom') {
    if (type === 'function') throw wrong(place, "this is OpenAI's shape of a tool; here it is { name, description, input_schema }.");
    throw wrong(place, `the tool "${name ?? type}" of type "${type}" is Anthropic's own, and the model of this call does not have it.`);
  }
  if (name === undefined) throw wrong(`${place}.name`, 'is required.');
  for (const extra of TOOL_EXTRAS) if (tool[extra] !== undefined && tool[extra] !== null) unread.add(`tools[].${extra}`);
  const description = optional(tool['description'], `${place}.description`, text);
  const strict = optional(tool['strict'], `${place}.strict`, flag);
  return {
    name,
    ...(description !== undefined && { description }),
    parameters: object(tool['input_schema'], `${place}.input_schema`),
    ...(strict !== undefined && { strict }),
    ...readCache(tool['cache_control'], `${place}.cache_control`),
  };
}

function readToolChoice(body: JsonObject): { readonly toolChoice?: ToolChoice; readonly parallelTools?: boolean } {
  const choice = optional(body['tool_choice'], 'tool_choice', object);
  if (!choice) return {};
  const single = optional(choice['disable_parallel_tool_use'], 'tool_choice.disable_parallel_tool_use', flag);
  return { toolChoice: readChoice(choice), ...(single === true && { parallelTools: false }) };
}

function readChoice(choice: JsonObject): ToolChoice {
  switch (choice['type']) {
    case 'auto':
    case 'none':
      return { type: choice['type'] };
    case 'any':
      return { type: 'required' };
    case 'tool':
      return { type: 'tool', name: text(choice['name'], 'tool_choice.name') };
    default:
      throw wrong('tool_choice.type', 'must be auto, any, tool or none.');
  }
}

/** `output_format` is what `output_config.format` was called before. */
function readOutput(body: JsonObject, { unread }: Reading): OutputFormat | undefined {
  const config = optional(body['output_config'], 'output_config', object) ?? {};
  for (const name of Object.keys(config)) if (name !== 'effort' && name !== 'format') unread.add(`output_config.${name}`);
  const inConfig = config['format'] !== undefined && config['format'] !== null;
  const place = inConfig ? 'output_config.format' : 'output_format';
  const format = optional(inConfig ? config['format'] : body['output_format'], place, object);
  if (!format) return undefined;
  if (format['type'] !== 'json_schema') throw wrong(`${place}.type`, 'must be json_schema.');
  return { type: 'schema', schema: object(format['schema'], `${place}.schema`) };
}

/** `speed: fast` is what other formats have as a tier. */
function readTier(body: JsonObject, { unread }: Reading): { readonly serviceTier?: string } {
  const tier = optional(body['service_tier'], 'service_tier', text);
  if (optional(body['speed'], 'speed', text) !== 'fast') return tier === undefined ? {} : { serviceTier: tier };
  if (tier !== undefined) unread.add('service_tier');
  return { serviceTier: 'fast' };
}
