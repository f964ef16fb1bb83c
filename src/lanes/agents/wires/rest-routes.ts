import type { AgentOperation } from '../../../core/agents.ts';
import type { JsonObject } from '../../../core/json.ts';
import { agentError } from './agent-errors.ts';
import type { VersionName } from './wire.ts';

/** What method and path of a request say. `bound` are the fields of the request that stand in the path, by their names in 1.0. */
export interface Route {
  readonly operation: AgentOperation;
  readonly bound: Readonly<Record<string, string>>;
}

/** First segments of 1.0; anything else before them is a tenant. */
const STARTS: ReadonlySet<string> = new Set(['message:send', 'message:stream', 'tasks', 'extendedAgentCard']);
const CONFIGS = 'pushNotificationConfigs';

/** Undefined for a path, or a method on it, that A2A has not (specification 11.3; of 0.3 its a2a.proto). Throws AgentError InvalidParams. */
export function readRoute(method: string, path: string, version: VersionName): Route | undefined {
  const segments = path.replace(/^\//, '').split('/');
  if (version === '0.3') return segments.shift() === 'v1' ? match(method, segments, 'card', false) : undefined;
  if (STARTS.has(segments[0]!) || segments.length === 1) return match(method, segments, 'extendedAgentCard', true);
  const tenant = decoded(segments.shift()!);
  const route = match(method, segments, 'extendedAgentCard', true);
  return route === undefined ? undefined : { ...route, bound: { ...route.bound, tenant } };
}

function match(method: string, segments: readonly string[], card: string, lists: boolean): Route | undefined {
  const [first, second, third, fourth, ...more] = segments;
  const bare = second === undefined;
  const to = (operation: AgentOperation, bound: Route['bound'] = {}): Route => ({ operation, bound });
  if (more.length > 0) return undefined;
  if (bare && method === 'POST' && first === 'message:send') return to('message/send');
  if (bare && method === 'POST' && first === 'message:stream') return to('message/stream');
  if (bare && method === 'GET' && first === card) return to('agent/card');
  if (first !== 'tasks' || second === '') return undefined;
  if (bare) return method === 'GET' && lists ? to('tasks/list') : undefined;
  if (third === undefined) return matchTask(method, second);
  if (third !== CONFIGS || fourth === '') return undefined;
  const taskId = decoded(second);
  if (fourth !== undefined) {
    const bound = { taskId, id: decoded(fourth) };
    if (method === 'GET') return to('tasks/pushNotificationConfig/get', bound);
    return method === 'DELETE' ? to('tasks/pushNotificationConfig/delete', bound) : undefined;
  }
  if (method === 'GET') return to('tasks/pushNotificationConfig/list', { taskId });
  return method === 'POST' ? to('tasks/pushNotificationConfig/set', { taskId }) : undefined;
}

/** A colon that belongs to the id comes encoded, or is followed by none of the verbs. */
function matchTask(method: string, segment: string): Route | undefined {
  const [, id = segment, verb] = /^(.+):(cancel|subscribe)$/.exec(segment) ?? [];
  const bound = { id: decoded(id) };
  if (verb === 'cancel') return method === 'POST' ? { operation: 'tasks/cancel', bound } : undefined;
  // The proto has GET, the text of the specification and the official clients POST.
  if (verb === 'subscribe') return method === 'GET' || method === 'POST' ? { operation: 'tasks/resubscribe', bound } : undefined;
  return method === 'GET' ? { operation: 'tasks/get', bound } : undefined;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw agentError('InvalidParams', 'A segment of the path is not well encoded.', { field: 'path' });
  }
}

/** Fields that come in the query, by what they are. */
const NUMBERS: ReadonlySet<string> = new Set(['historyLength', 'pageSize']);
const FLAGS: ReadonlySet<string> = new Set(['includeArtifacts']);
const TEXTS: ReadonlySet<string> = new Set(['contextId', 'status', 'pageToken', 'statusTimestampAfter', 'tenant']);
/** Operations whose request is in path and query alone. */
const QUERIED: ReadonlySet<AgentOperation> = new Set<AgentOperation>([
  'tasks/get',
  'tasks/list',
  'tasks/resubscribe',
  'agent/card',
  'tasks/pushNotificationConfig/get',
  'tasks/pushNotificationConfig/list',
  'tasks/pushNotificationConfig/delete',
]);

/** Fields of the request in the query; a number that is none stays text for the checks to find, an empty one is not set. */
export function readQuery(query: URLSearchParams): JsonObject {
  const read: Record<string, unknown> = {};
  for (const [key, value] of query) {
    const name = key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (value === '') continue;
    if (NUMBERS.has(name)) read[name] = /^\d+$/.test(value) ? Number(value) : value;
    else if (FLAGS.has(name)) read[name] = value === 'true' || (value === 'false' ? false : value);
    else if (TEXTS.has(name)) read[name] = value;
  }
  return read;
}

/** Method, path and query of a request; `body` is what is left for it, undefined for nothing. */
export interface Written {
  readonly method: string;
  readonly path: string;
  readonly body: JsonObject | undefined;
}

/** `params` as the version writes them, with the names of 1.0 for what goes into the path. Throws AgentError InvalidParams for what cannot stand there. */
export function writeRoute(operation: AgentOperation, params: JsonObject, version: VersionName): Written {
  const { tenant } = params;
  const tenanted = typeof tenant === 'string' && tenant !== '' ? `/${segmentOf(params, 'tenant')}` : '';
  const base = version === '0.3' ? '/v1' : tenanted;
  const [method, tail] = placeOf(operation, params, version);
  const path = `${base}${tail}`;
  if (QUERIED.has(operation)) return { method, path: `${path}${queryOf(params)}`, body: undefined };
  if (operation === 'tasks/cancel') {
    const { id: _id, tenant: _tenant, ...rest } = params;
    return { method, path, body: Object.keys(rest).length === 0 ? undefined : rest };
  }
  const { taskId: _taskId, ...unbound } = params;
  const bound = version === '0.3' && operation === 'tasks/pushNotificationConfig/set';
  return { method, path, body: bound ? unbound : params };
}

function placeOf(operation: AgentOperation, params: JsonObject, version: VersionName): readonly [method: string, path: string] {
  const segment = (name: string): string => segmentOf(params, name);
  switch (operation) {
    case 'message/send':
      return ['POST', '/message:send'];
    case 'message/stream':
      return ['POST', '/message:stream'];
    case 'tasks/get':
      return ['GET', `/tasks/${segment('id')}`];
    case 'tasks/list':
      return ['GET', '/tasks'];
    case 'tasks/cancel':
      return ['POST', `/tasks/${segment('id')}:cancel`];
    case 'tasks/resubscribe':
      return ['GET', `/tasks/${segment('id')}:subscribe`];
    case 'tasks/pushNotificationConfig/set':
      return ['POST', `/tasks/${segment('taskId')}/${CONFIGS}`];
    case 'tasks/pushNotificationConfig/list':
      return ['GET', `/tasks/${segment('taskId')}/${CONFIGS}`];
    case 'tasks/pushNotificationConfig/get':
      return ['GET', `/tasks/${segment('taskId')}/${CONFIGS}/${segment('id')}`];
    case 'tasks/pushNotificationConfig/delete':
      return ['DELETE', `/tasks/${segment('taskId')}/${CONFIGS}/${segment('id')}`];
    case 'agent/card':
      return ['GET', version === '1.0' ? '/extendedAgentCard' : '/card'];
  }
}

/** A segment of dots, encoded or not, would lead to another address (RFC 3986, 5.2.4), and an empty one to another operation. */
function segmentOf(params: JsonObject, name: string): string {
  const value = params[name];
  if (typeof value !== 'string' || value === '' || value === '.' || value === '..') {
    throw agentError('InvalidParams', `${name}: this cannot stand in an address of HTTP+JSON.`, { field: name });
  }
  return encodeURIComponent(value);
}

function queryOf(params: JsonObject): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (name === 'tenant' || value === null || !(NUMBERS.has(name) || FLAGS.has(name) || TEXTS.has(name))) continue;
    query.set(name, String(value));
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}
