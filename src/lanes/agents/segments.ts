import type { AgentsChunk, AgentsInput, AgentsReply } from '../../core/agents.ts';
import type { Payload, Segment } from '../../core/call.ts';
import { isObject, pointerToken, type JsonObject } from '../../core/json.ts';
import { segmentCodec } from '../../pipeline/live-call.ts';
import type { LaneReplies } from '../../pipeline/run.ts';

type Edit = (segment: Segment) => string;

/** The texts of messages, artifacts and statuses: text parts, and every text in data parts. Files, names and metadata are left alone. */
export const agentSegments = segmentCodec(mapPayload);

/** Of a search for agents: the query. */
export const searchSegments = segmentCodec((payload, edit) => {
  if (!('agent' in payload)) return payload;
  const { params } = payload as AgentsInput;
  const query = edit({ text: String(params['query']), path: '/params/query', origin: 'arguments' });
  return { ...payload, params: { ...params, query } };
});

/** How a streamed answer completes: its last chunk carries the task or message that all of it has come to. */
export const agentReplies: LaneReplies<'agents'> = {
  failed: ({ result }) => FAILED.has(stateOf(result)),
  completed: (chunk) => chunk.reply,
  replay: (reply) => [{ event: reply.result, reply }],
  urgent: () => false,
};

/** The agent reports a failure of its own. */
const FAILED: ReadonlySet<string> = new Set(['TASK_STATE_FAILED', 'TASK_STATE_REJECTED']);

function stateOf(result: JsonObject): string {
  const task = isObject(result['task']) ? result['task'] : result;
  return isObject(task['status']) && typeof task['status']['state'] === 'string' ? task['status']['state'] : '';
}

function mapPayload<T extends Payload>(payload: T, edit: Edit): T {
  if ('agent' in payload) return { ...payload, params: mapHolder((payload as AgentsInput).params, '/params', edit) };
  if ('event' in payload) {
    const { event, reply } = payload as AgentsChunk;
    const mapped = { ...payload, event: mapHolder(event, '/event', edit) };
    // The same texts stand in the whole: nobody who reads one finds the other unread.
    return reply === undefined ? mapped : { ...mapped, reply: { result: mapHolder(reply.result, '/reply/result', edit) } };
  }
  return { ...payload, result: mapHolder((payload as AgentsReply).result, '/result', edit) };
}

/** What has parts somewhere below it: a message, a task, an event, a list of tasks. */
const HOLDERS = ['message', 'task', 'status', 'statusUpdate', 'artifactUpdate', 'artifact', 'artifacts', 'history', 'tasks', 'update'];

function mapHolder(value: JsonObject, path: string, edit: Edit): JsonObject {
  let changed: Record<string, unknown> | undefined;
  const put = (key: string, mapped: unknown): void => {
    changed ??= { ...value };
    changed[key] = mapped;
  };
  for (const key of HOLDERS) {
    const inner = value[key];
    if (isObject(inner)) put(key, mapHolder(inner, `${path}/${key}`, edit));
    else if (Array.isArray(inner))
      put(
        key,
        inner.map((one: unknown, index) => (isObject(one) ? mapHolder(one, `${path}/${key}/${index}`, edit) : one)),
      );
  }
  const { parts, role } = value;
  if (Array.isArray(parts)) {
    const origin = role === 'ROLE_USER' ? 'user' : 'assistant';
    put(
      'parts',
      parts.map((part: unknown, index) => (isObject(part) ? mapPart(part, `${path}/parts/${index}`, origin, edit) : part)),
    );
  }
  return changed ?? value;
}

function mapPart(part: JsonObject, path: string, origin: Segment['origin'], edit: Edit): JsonObject {
  if (typeof part['text'] === 'string') return { ...part, text: edit({ text: part['text'], path: `${path}/text`, origin }) };
  if (!Object.hasOwn(part, 'data')) return part;
  return { ...part, data: mapData(part['data'], `${path}/data`, origin === 'user' ? 'arguments' : 'result', edit) };
}

function mapData(value: unknown, path: string, origin: Segment['origin'], edit: Edit): unknown {
  if (typeof value === 'string') return edit({ text: value, path, origin });
  if (Array.isArray(value)) return value.map((item, index) => mapData(item, `${path}/${index}`, origin, edit));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapData(item, `${path}/${pointerToken(key)}`, origin, edit)]));
}
