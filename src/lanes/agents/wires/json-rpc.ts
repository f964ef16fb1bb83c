import type { AgentOperation } from '../../../core/agents.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { agentError, rpcStatusOf } from './agent-errors.ts';
import { checkKinds, checkParams } from './check-params.ts';
import { errorObject, notAnAnswer, readRpcError } from './error-bodies.ts';
import { plainNames, withoutStrayPush } from './field-names.ts';
import { rpcVersion, VERSION_HEADER } from './negotiate.ts';
import { readPush, writePush } from './push-bodies.ts';
import { SHAPES_1_0, type Shapes } from './shapes/shapes.ts';
import { SHAPES_0_3 } from './shapes/v03.ts';
import type { VersionName, Wire, WireCall, WireSending } from './wire.ts';

type Methods = Readonly<Partial<Record<AgentOperation, string>>>;

/** Specification 9.4. */
const METHODS_1_0: Methods = {
  'message/send': 'SendMessage',
  'message/stream': 'SendStreamingMessage',
  'tasks/get': 'GetTask',
  'tasks/list': 'ListTasks',
  'tasks/cancel': 'CancelTask',
  'tasks/resubscribe': 'SubscribeToTask',
  'tasks/pushNotificationConfig/set': 'CreateTaskPushNotificationConfig',
  'tasks/pushNotificationConfig/get': 'GetTaskPushNotificationConfig',
  'tasks/pushNotificationConfig/list': 'ListTaskPushNotificationConfigs',
  'tasks/pushNotificationConfig/delete': 'DeleteTaskPushNotificationConfig',
  'agent/card': 'GetExtendedAgentCard',
};

/** Specification 0.3, section 7. The operations of the hub have their names from there; tasks cannot be listed in it. */
const METHODS_0_3: Methods = {
  'message/send': 'message/send',
  'message/stream': 'message/stream',
  'tasks/get': 'tasks/get',
  'tasks/cancel': 'tasks/cancel',
  'tasks/resubscribe': 'tasks/resubscribe',
  'tasks/pushNotificationConfig/set': 'tasks/pushNotificationConfig/set',
  'tasks/pushNotificationConfig/get': 'tasks/pushNotificationConfig/get',
  'tasks/pushNotificationConfig/list': 'tasks/pushNotificationConfig/list',
  'tasks/pushNotificationConfig/delete': 'tasks/pushNotificationConfig/delete',
  'agent/card': 'agent/getAuthenticatedExtendedCard',
};

const JSON_TYPE = 'application/json';

/** JSON-RPC 2.0 in one version. */
export function jsonRpcWire(version: VersionName): Wire {
  const [methods, shapes] = version === '1.0' ? [METHODS_1_0, SHAPES_1_0] : [METHODS_0_3, SHAPES_0_3];
  const operations = new Map(Object.entries(methods).map(([operation, method]) => [method, operation as AgentOperation]));
  return {
    version,
    binding: 'JSONRPC',
    readRequest: ({ body }) => readRequest(body, version, operations, shapes),
    readId,
    writeReply: (operation, result, id) => ({
      status: 200,
      contentType: JSON_TYPE,
      body: { jsonrpc: '2.0', id, result: shapes.writeResult(operation, result) },
    }),
    writeEvent: (event, id) => JSON.stringify({ jsonrpc: '2.0', id, result: shapes.writeEvent(event) }),
    writeError: (error, id) => ({
      status: rpcStatusOf(error),
      contentType: JSON_TYPE,
      body: { jsonrpc: '2.0', id, error: errorObject(error, version) },
    }),
    writeStreamError: (error, id) => JSON.stringify({ jsonrpc: '2.0', id, error: errorObject(error, version) }),
    writeRequest: (operation, params) => writeRequest(operation, params, version, methods[operation], shapes),
    readReply: (operation, status, body) => readReply(operation, status, body, shapes),
    readEvent: (data) => readEvent(data, shapes),
    readPush,
    writePush: writePush(version),
  };
}

function readRequest(body: unknown, version: VersionName, operations: ReadonlyMap<string, AgentOperation>, shapes: Shapes): WireCall {
  if (!isObject(body)) throw agentError('InvalidRequest', 'A request is one JSON object; batches are not taken.');
  const { jsonrpc, method, id, params } = body;
  if (jsonrpc !== '2.0') throw agentError('InvalidRequest', 'jsonrpc: "2.0" is needed.');
  if (id !== undefined && !isId(id)) throw agentError('InvalidRequest', 'id: a string, an integer or null is needed.');
  if (typeof method !== 'string' || method === '') throw agentError('InvalidRequest', 'method: the name of a method is needed.');
  const operation = operations.get(method);
  if (operation === undefined) throw unknownMethod(method, version);
  const given = operation === 'agent/card' && (params === undefined || params === null) ? {} : params;
  if (!isObject(given)) throw agentError('InvalidParams', 'params: an object is needed.', { field: 'params' });
  const named = plainNames(operation, given, version);
  if (version === '0.3') checkKinds(named);
  const read = withoutStrayPush(operation, shapes.readParams(operation, named));
  checkParams(operation, read, version);
  return { operation, params: read, id: readId(body) };
}

function unknownMethod(method: string, version: VersionName): Error {
  const other = rpcVersion(method);
  const name = method.slice(0, 80);
  if (other === undefined || other === version) return agentError('MethodNotFound', `Method not found: ${name}`);
  const cure = `Send the header A2A-Version: ${other} for methods with such names.`;
  return agentError('MethodNotFound', `Method not found in A2A ${version}: ${name}. ${cure}`);
}

const isId = (id: unknown): id is WireCall['id'] => id === null || typeof id === 'string' || Number.isInteger(id);

function readId(body: unknown): WireCall['id'] {
  const id = isObject(body) ? body['id'] : null;
  return isId(id) ? id : null;
}

function writeRequest(
  operation: AgentOperation,
  params: JsonObject,
  version: VersionName,
  method: string | undefined,
  shapes: Shapes,
): WireSending | undefined {
  if (method === undefined) return undefined;
  const streams = operation === 'message/stream' || operation === 'tasks/resubscribe';
  // One request, one connection: the id tells nothing apart.
  const call = { jsonrpc: '2.0', id: 1, method };
  const bare = version === '0.3' && operation === 'agent/card';
  return {
    method: 'POST',
    path: '',
    headers: { 'content-type': JSON_TYPE, accept: streams ? `text/event-stream, ${JSON_TYPE}` : JSON_TYPE, [VERSION_HEADER]: version },
    body: bare ? call : { ...call, params: shapes.writeParams(operation, params) },
  };
}

function readReply(operation: AgentOperation, status: number, body: unknown, shapes: Shapes): JsonObject {
  const error = readRpcError(body, status);
  if (error !== undefined) throw error;
  if (status >= 300 || !isObject(body) || !('result' in body)) throw notAnAnswer(status, 'no answer of JSON-RPC');
  const result = shapes.readResult(operation, body['result']);
  if (result === undefined) throw notAnAnswer(status, `no result of ${operation}`);
  return result;
}

function readEvent(data: unknown, shapes: Shapes): JsonObject {
  const error = readRpcError(data, 200);
  if (error !== undefined) throw error;
  const event = isObject(data) && isObject(data['result']) ? shapes.readEvent(data['result']) : undefined;
  if (event === undefined) throw notAnAnswer(200, 'no event of A2A');
  return event;
}
