import { pointerToken, type JsonObject } from '../../core/json.ts';
import type { Payload, Segment } from '../../core/call.ts';
import type { ContentBlock, ToolsChunk, ToolsInput, ToolsReply } from '../../core/tools.ts';
import type { LaneReplies } from '../../pipeline/run.ts';
import { segmentCodec } from '../../pipeline/live-call.ts';

type Origin = Segment['origin'];
type Edit = (segment: Segment) => string;

/** The texts of tool arguments, results and notifications: every string value, with its JSON pointer. Keys, names and binary data are left alone. */
export const toolSegments = segmentCodec(mapPayload);

/** How a streamed tool answer completes: its last chunk is the result. Questions to the client cannot be held back. */
export const toolReplies: LaneReplies<'tools'> = {
  failed: (reply) => reply.isError === true,
  completed: (chunk) => (chunk.type === 'result' ? chunk.result : undefined),
  replay: (result, held) => [...held, { type: 'result', result }],
  urgent: (chunk) => chunk.type === 'request',
};

function mapPayload<T extends Payload>(payload: T, edit: Edit): T {
  if (isInput(payload)) return { ...payload, arguments: mapValue(payload.arguments, '/arguments', 'arguments', edit) };
  if (isChunk(payload)) {
    if (payload.type === 'result') return { ...payload, result: mapReply(payload.result, '/result', edit) };
    if (payload.type === 'request') return { ...payload, params: mapValue(payload.params, '/params', 'tool', edit) };
    return { ...payload, params: mapSaid(payload.params, edit) };
  }
  return mapReply(payload as ToolsReply, '', edit) as T;
}

/** A log message carries its text in `data`, progress in `message`; the rest of a notification is for programs. */
function mapSaid(params: JsonObject, edit: Edit): JsonObject {
  const said = ['data', 'message'].filter((key) => Object.hasOwn(params, key));
  return { ...params, ...Object.fromEntries(said.map((key) => [key, mapValue(params[key], `/params/${key}`, 'tool', edit)])) };
}

function mapReply(reply: ToolsReply, path: string, edit: Edit): ToolsReply {
  const changed: Record<string, unknown> = { ...reply };
  if (reply.content !== undefined)
    changed['content'] = reply.content.map((block, index) => mapBlock(block, `${path}/content/${index}`, edit));
  for (const key of ['structuredContent', 'messages', 'contents']) {
    if (Object.hasOwn(reply, key)) changed[key] = mapValue(reply[key], `${path}/${key}`, 'result', edit);
  }
  return changed;
}

function mapBlock(block: ContentBlock, path: string, edit: Edit): ContentBlock {
  if (block.type === 'text') return { ...block, text: edit({ text: block.text, path: `${path}/text`, origin: 'result' }) };
  if (block.type !== 'resource' || typeof block.resource['text'] !== 'string') return block;
  const text = edit({ text: block.resource['text'], path: `${path}/resource/text`, origin: 'result' });
  return { ...block, resource: { ...block.resource, text } };
}

/** Binary fields of MCP content: base64 is no text. */
const BINARY = new Set(['data', 'blob', 'uri', 'mimeType', 'type', 'role']);

function mapValue<T>(value: T, path: string, origin: Origin, edit: Edit): T {
  if (typeof value === 'string') return edit({ text: value, path, origin }) as T;
  if (Array.isArray(value)) return value.map((item, index) => mapValue(item, `${path}/${index}`, origin, edit)) as T;
  if (value === null || typeof value !== 'object') return value;
  const keep = origin === 'arguments' ? undefined : BINARY;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      keep?.has(key) === true ? item : mapValue(item, `${path}/${pointerToken(key)}`, origin, edit),
    ]),
  ) as T;
}

function isInput(payload: Payload): payload is ToolsInput {
  return 'arguments' in payload && 'params' in payload && 'name' in payload;
}

function isChunk(payload: Payload): payload is ToolsChunk {
  return 'type' in payload && (payload.type === 'notification' || payload.type === 'request' || payload.type === 'result');
}
