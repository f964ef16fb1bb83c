import type { Payload, Segment } from '../../core/call.ts';
import { pointerToken, isObject, type JsonObject } from '../../core/json.ts';
import type { ModelsChunk, ModelsInput, ModelsReply } from '../../core/models.ts';
import { segmentCodec, type SegmentCodec } from '../../pipeline/live-call.ts';

type Origin = Segment['origin'];
type Edit = (segment: Segment) => string;

/** The texts of prompts and answers in any format of the lane, with their JSON pointers. Names, ids, signatures and binary data are left alone. */
const codec = segmentCodec(mapPayload);

export const modelSegments: SegmentCodec = {
  ...codec,
  // The whole answer on the last event has been seen event by event.
  segments: (payload) => codec.segments(isChunk(payload) ? { data: payload.data } : payload),
};

/** Fields that hold text, or parts that do. All formats together: a name means the same in each. */
const TEXT = new Set([
  'content',
  'text',
  'refusal',
  'thinking',
  'reasoning_content',
  'reasoning',
  'input',
  'instructions',
  'system',
  'output',
  'delta',
  'transcript',
  'title',
  'cited_text',
  'stdout',
  'stderr',
]);
/** Fields that hold the arguments of a tool, as JSON text or as an object. */
const ARGUMENTS = new Set(['arguments', 'partial_json']);
/** Fields below which there is text. */
const INSIDE = new Set([
  'messages',
  'choices',
  'message',
  'tool_calls',
  'function',
  'custom',
  'reasoning_details',
  'source',
  'parts',
  'part',
  'item',
  'content_block',
  'response',
  'summary',
  'audio',
  'function_call',
  'prompt',
  'prediction',
  'citations',
  'citation',
  'annotations',
  'annotation',
  'url_citation',
]);
/** Fields that hold tools: what describes them is a prompt. */
const TOOLS = new Set(['tools', 'functions']);
/** Values in the schema of a tool, which describe nothing. */
const VALUES = new Set(['enum', 'const', 'default', 'examples', 'input_examples']);
const ROLES: Readonly<Record<string, Origin>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'result',
  function: 'result',
};
/** Types of parts whose text is somebody else's than the role says. */
const TYPES: Readonly<Record<string, Origin>> = {
  tool_result: 'result',
  function_call_output: 'result',
  custom_tool_call_output: 'result',
  reasoning: 'assistant',
  web_search_tool_result: 'result',
  web_fetch_tool_result: 'result',
  mcp_tool_result: 'result',
  code_execution_tool_result: 'result',
  bash_code_execution_tool_result: 'result',
  text_editor_code_execution_tool_result: 'result',
  tool_use: 'arguments',
  server_tool_use: 'arguments',
  mcp_tool_use: 'arguments',
  custom: 'arguments',
  custom_tool_call: 'arguments',
  'response.function_call_arguments.delta': 'arguments',
  'response.custom_tool_call_input.delta': 'arguments',
  'response.custom_tool_call_input.done': 'arguments',
  input_json_delta: 'arguments',
};

/** The very payload where no text changes: what passes byte for byte goes on doing so. */
function mapPayload<T extends Payload>(payload: T, edit: Edit): T {
  if (isInput(payload)) {
    const body = mapObject(payload.body, '/body', 'user', edit);
    return body === payload.body ? payload : { ...payload, body };
  }
  return (isChunk(payload) ? mapChunk(payload, edit) : mapReply(payload as ModelsReply, '', edit)) as T;
}

function mapChunk(chunk: ModelsChunk, edit: Edit): ModelsChunk {
  const { event, data, reply } = chunk;
  const next = mapObject(data, '/data', 'assistant', edit);
  const nextReply = reply && mapReply(reply, '/reply', edit);
  if (next === data && nextReply === reply) return chunk;
  return { ...(event === undefined ? {} : { event }), data: next, ...(nextReply === undefined ? {} : { reply: nextReply }) };
}

function mapReply(reply: ModelsReply, path: string, edit: Edit): ModelsReply {
  const { body } = reply;
  const next = mapObject(body, `${path}/body`, 'assistant', edit);
  return next === body ? reply : { body: next };
}

function mapObject(object: JsonObject, path: string, outer: Origin, edit: Edit): JsonObject {
  const { role, type } = object;
  const origin = TYPES[String(type)] ?? (typeof role === 'string' ? (ROLES[role] ?? outer) : outer);
  let changed: Record<string, unknown> | undefined;
  for (const [key, value] of Object.entries(object)) {
    // The text of a plain document stands where others have base64.
    const isPlain = key === 'data' && type === 'text' && typeof value === 'string';
    const next = isPlain ? edit({ text: value, path: `${path}/data`, origin }) : mapField(key, value, `${path}/${key}`, origin, edit);
    if (next !== value) (changed ??= { ...object })[key] = next;
  }
  // The tokens of a text, and their bytes, would tell what it was.
  const { logprobs } = object;
  if (changed !== undefined && typeof logprobs === 'object') changed['logprobs'] = Array.isArray(logprobs) ? [] : null;
  return changed ?? object;
}

function mapField(key: string, value: unknown, path: string, origin: Origin, edit: Edit): unknown {
  const isArguments = ARGUMENTS.has(key) || (key === 'input' && origin === 'arguments');
  if (isArguments) return mapValues(value, path, 'arguments', edit);
  if (key === 'variables') return mapValues(value, path, origin, edit);
  if (TOOLS.has(key)) return mapDescriptions(value, path, edit);
  if (!TEXT.has(key) && !INSIDE.has(key)) return value;
  const own = key === 'system' || key === 'instructions' ? 'system' : origin;
  if (typeof value === 'string') return TEXT.has(key) ? edit({ text: value, path, origin: own }) : value;
  if (Array.isArray(value)) return mapList(value, path, own, edit);
  return isObject(value) ? mapObject(value, path, own, edit) : value;
}

function mapList(list: readonly unknown[], path: string, origin: Origin, edit: Edit): readonly unknown[] {
  const next = list.map((item, index) => {
    if (typeof item === 'string') return edit({ text: item, path: `${path}/${index}`, origin });
    return isObject(item) ? mapObject(item, `${path}/${index}`, origin, edit) : item;
  });
  return next.some((item, index) => item !== list[index]) ? next : list;
}

/** Arguments as JSON text are one segment; inside an object each text is one. Variables of a prompt are texts or parts. */
function mapValues(value: unknown, path: string, origin: Origin, edit: Edit): unknown {
  if (typeof value === 'string') return edit({ text: value, path, origin });
  if (origin !== 'arguments' && isObject(value) && typeof value['type'] === 'string') return mapObject(value, path, origin, edit);
  return mapInside(value, path, (item, at) => mapValues(item, at, origin, edit));
}

/** What is said of a tool and of the fields of its schema. */
function mapDescriptions(value: unknown, path: string, edit: Edit): unknown {
  return mapInside(value, path, (item, at, key) => {
    if (key === 'description' && typeof item === 'string') return edit({ text: item, path: at, origin: 'system' });
    return VALUES.has(key) ? item : mapDescriptions(item, at, edit);
  });
}

/** A list or an object with its items mapped; the very same where none changes. */
function mapInside(value: unknown, path: string, map: (item: unknown, path: string, key: string) => unknown): unknown {
  if (Array.isArray(value)) {
    const next = value.map((item, index) => map(item, `${path}/${index}`, ''));
    return next.some((item, index) => item !== value[index]) ? next : value;
  }
  if (!isObject(value)) return value;
  const next = Object.entries(value).map(([key, item]) => [key, map(item, `${path}/${pointerToken(key)}`, key)] as const);
  return next.some(([key, item]) => item !== value[key]) ? Object.fromEntries(next) : value;
}

function isInput(payload: Payload): payload is ModelsInput {
  return 'body' in payload && 'model' in payload && 'stream' in payload;
}

function isChunk(payload: Payload): payload is ModelsChunk {
  return 'data' in payload;
}
