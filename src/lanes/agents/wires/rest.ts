import type { AgentError, AgentOperation } from '../../../core/agents.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { agentError } from './agent-errors.ts';
import { checkParams } from './check-params.ts';
import { notAnAnswer, readRestError, restError } from './error-bodies.ts';
import { plainNames, withoutStrayPush } from './field-names.ts';
import { VERSION_HEADER } from './negotiate.ts';
import { readPush, writePush } from './push-bodies.ts';
import { readQuery, readRoute, writeRoute } from './rest-routes.ts';
import { SHAPES_1_0, type Shapes } from './shapes/shapes.ts';
import { SHAPES_0_3_PROTO } from './shapes/v03-proto.ts';
import type { VersionName, Wire, WireAnswer, WireCall, WireRequest, WireSending } from './wire.ts';

/** What each version sends (specification 11.1); both are taken in either. */
const TYPES = { '1.0': 'application/a2a+json', '0.3': 'application/json' } as const;

/** HTTP+JSON in one version. */
export function restWire(version: VersionName): Wire {
  const shapes = version === '1.0' ? SHAPES_1_0 : SHAPES_0_3_PROTO;
  return {
    version,
    binding: 'HTTP+JSON',
    readRequest: (request) => readRequest(request, version, shapes),
    readId: () => null,
    writeReply: (operation, result) => writeReply(operation, result, version, shapes),
    writeEvent: (event) => JSON.stringify(shapes.writeEvent(event)),
    writeError: (error) => ({ ...restError(error, version), contentType: TYPES[version] }),
    writeStreamError: (error: AgentError) => JSON.stringify(restError(error, version).body),
    writeRequest: (operation, params) => writeRequest(operation, params, version, shapes),
    readReply: (operation, status, body) => readReply(operation, status, body, shapes),
    readEvent: (data) => readEvent(data, shapes),
    readPush,
    writePush: writePush(version),
  };
}

function readRequest({ method, path, query, body }: WireRequest, version: VersionName, shapes: Shapes): WireCall {
  const route = readRoute(method, path, version);
  if (route === undefined) throw agentError('MethodNotFound', `There is no ${method} at this address in A2A ${version}.`);
  const { operation, bound } = route;
  const sends = operation === 'message/send' || operation === 'message/stream' || operation === 'tasks/pushNotificationConfig/set';
  if (sends && !isObject(body)) throw agentError('InvalidParams', 'The body must be a JSON object.');
  // Clients of 0.3 send `null` for an empty body.
  const given = method === 'POST' && isObject(body) ? plainNames(operation, body, version) : readQuery(query);
  const { tenant } = readQuery(query);
  const more = { ...(tenant === undefined ? {} : { tenant }), ...bound };
  const read = shapes.readParams(operation, Object.keys(more).length === 0 ? given : { ...given, ...more });
  const params = withoutStrayPush(operation, read);
  checkParams(operation, params, version);
  return { operation, params, id: null };
}

function writeReply(operation: AgentOperation, result: JsonObject, version: VersionName, shapes: Shapes): WireAnswer {
  const contentType = TYPES[version];
  if (operation === 'tasks/pushNotificationConfig/delete') return { status: 204, contentType, body: undefined };
  // As the official SDK answers.
  const created = operation === 'tasks/pushNotificationConfig/set' || (version === '0.3' && operation === 'message/send');
  return { status: created ? 201 : 200, contentType, body: shapes.writeResult(operation, result) as JsonObject };
}

function writeRequest(operation: AgentOperation, params: JsonObject, version: VersionName, shapes: Shapes): WireSending | undefined {
  if (version === '0.3' && operation === 'tasks/list') return undefined;
  const { method, path, body } = writeRoute(operation, shapes.writeParams(operation, params), version);
  const streams = operation === 'message/stream' || operation === 'tasks/resubscribe';
  const types = version === '1.0' ? `${TYPES['1.0']}, ${TYPES['0.3']}` : TYPES['0.3'];
  const headers = {
    // Servers of 1.0.0 take nothing else, those of 1.0.1 take it too.
    ...(body === undefined ? {} : { 'content-type': TYPES['0.3'] }),
    accept: streams ? `text/event-stream, ${types}` : types,
    [VERSION_HEADER]: version,
  };
  return { method, path, headers, body };
}

function readReply(operation: AgentOperation, status: number, body: unknown, shapes: Shapes): JsonObject {
  if (status >= 300) throw readRestError(body, status) ?? notAnAnswer(status, 'no error of A2A');
  const result = shapes.readResult(operation, body);
  if (result === undefined) throw notAnAnswer(status, `no result of ${operation}`);
  return result;
}

function readEvent(data: unknown, shapes: Shapes): JsonObject {
  const event = isObject(data) ? shapes.readEvent(data) : undefined;
  if (event === undefined) throw readRestError(data, statusIn(data)) ?? notAnAnswer(200, 'no event of A2A');
  return event;
}

/** The status in an error that came as an event; that of HTTP says 200. */
function statusIn(data: unknown): number {
  const error = isObject(data) && isObject(data['error']) ? data['error'] : {};
  return typeof error['code'] === 'number' ? error['code'] : 500;
}
