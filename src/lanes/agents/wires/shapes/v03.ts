import { ENDED_STATES, type AgentOperation } from '../../../../core/agents.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { cardFromV03, cardToV03 } from '../../cards/card-versions.ts';
import {
  asResult,
  defined,
  each,
  eventName,
  fields,
  schemeOf,
  schemesOf,
  unwrapData,
  within,
  wrapData,
  type EventName,
  type Shapes,
} from './shapes.ts';

/**
 * 0.3 in JSON-RPC and in push notifications: the TypeScript shapes of its specification, with `kind` and words in lower case. Where the
 * specification leaves a choice this does what the official SDKs' `compat/v0_3` do, except that unknown fields stay.
 */
export const SHAPES_0_3: Shapes = { readParams, writeParams, readResult, writeResult, readEvent, writeEvent };

const STATES: Readonly<Record<string, string>> = {
  unknown: 'TASK_STATE_UNSPECIFIED',
  submitted: 'TASK_STATE_SUBMITTED',
  working: 'TASK_STATE_WORKING',
  completed: 'TASK_STATE_COMPLETED',
  failed: 'TASK_STATE_FAILED',
  canceled: 'TASK_STATE_CANCELED',
  'input-required': 'TASK_STATE_INPUT_REQUIRED',
  rejected: 'TASK_STATE_REJECTED',
  'auth-required': 'TASK_STATE_AUTH_REQUIRED',
};
const WORDS: ReadonlyMap<unknown, string> = new Map(Object.entries(STATES).map(([word, state]) => [state, word]));

const readState = (word: unknown): unknown =>
  typeof word === 'string' && Object.hasOwn(STATES, word) ? STATES[word] : 'TASK_STATE_UNSPECIFIED';

/** What is no role stays for the checks to find. */
function readRole(role: unknown): unknown {
  if (role === 'user') return 'ROLE_USER';
  return role === 'agent' ? 'ROLE_AGENT' : role;
}

/** A part of a kind that 0.3 does not know stays. */
function readPart(part: JsonObject): JsonObject {
  const { kind, ...content } = part;
  if (kind === 'text') return content;
  const { file, data, metadata, ...rest } = content;
  if (kind === 'data') return { ...unwrapData({ data, metadata }), ...rest };
  if (kind !== 'file' || !isObject(file)) return part;
  const { bytes, uri, mimeType, name } = file;
  return defined({ raw: bytes, url: bytes === undefined ? uri : undefined, mediaType: mimeType, filename: name, metadata, ...rest });
}

function writePart(part: JsonObject): JsonObject {
  const { text, raw, url, data, mediaType, filename, metadata, ...rest } = part;
  if (typeof text === 'string') return { kind: 'text', ...part };
  if (typeof raw === 'string' || typeof url === 'string') {
    const content = typeof raw === 'string' ? { bytes: raw } : { uri: url };
    return defined({ kind: 'file', file: defined({ ...content, mimeType: mediaType, name: filename }), metadata, ...rest });
  }
  return data === undefined ? part : { kind: 'data', ...part, ...wrapData(part) };
}

function readMessage({ kind: _kind, ...message }: JsonObject): JsonObject {
  return { ...message, ...fields(message, { role: readRole, parts: (parts) => each(parts, readPart) }) };
}

function writeMessage(message: JsonObject): JsonObject {
  const parts = Array.isArray(message['parts']) ? message['parts'] : [];
  return { kind: 'message', ...message, role: message['role'] === 'ROLE_USER' ? 'user' : 'agent', parts: each(parts, writePart) };
}

function readStatus(status: unknown): JsonObject {
  if (!isObject(status)) return { state: 'TASK_STATE_UNSPECIFIED' };
  return { ...status, state: readState(status['state']), ...fields(status, { message: (message) => within(message, readMessage) }) };
}

function writeStatus(status: unknown): JsonObject {
  if (!isObject(status)) return { state: 'unknown' };
  const state = WORDS.get(status['state']) ?? 'unknown';
  return { ...status, state, ...fields(status, { message: (message) => within(message, writeMessage) }) };
}

const readArtifact = (artifact: JsonObject): JsonObject => ({
  ...artifact,
  ...fields(artifact, { parts: (parts) => each(parts, readPart) }),
});
const writeArtifact = (artifact: JsonObject): JsonObject => ({
  ...artifact,
  parts: each(Array.isArray(artifact['parts']) ? artifact['parts'] : [], writePart),
});

function readTask({ kind: _kind, ...task }: JsonObject): JsonObject {
  const lists = fields(task, { history: (history) => each(history, readMessage), artifacts: (list) => each(list, readArtifact) });
  return { ...task, status: readStatus(task['status']), ...lists };
}

function writeTask(task: JsonObject): JsonObject {
  const lists = fields(task, { history: (history) => each(history, writeMessage), artifacts: (list) => each(list, writeArtifact) });
  return { kind: 'task', ...task, contextId: task['contextId'] ?? '', status: writeStatus(task['status']), ...lists };
}

function readStatusUpdate({ kind: _kind, final: _final, ...update }: JsonObject): JsonObject {
  return { ...update, status: readStatus(update['status']) };
}

/** `final` is true of states that a task never leaves: a task that waits for input or for authentication may go on in the same stream. */
function writeStatusUpdate(update: JsonObject): JsonObject {
  const { status } = update;
  const final = isObject(status) && ENDED_STATES.has(String(status['state']));
  return { kind: 'status-update', ...update, contextId: update['contextId'] ?? '', status: writeStatus(status), final };
}

function readArtifactUpdate({ kind: _kind, ...update }: JsonObject): JsonObject {
  return { ...update, ...fields(update, { artifact: (artifact) => within(artifact, readArtifact) }) };
}

function writeArtifactUpdate(update: JsonObject): JsonObject {
  const artifact = fields(update, { artifact: (artifact) => within(artifact, writeArtifact) });
  return { kind: 'artifact-update', ...update, contextId: update['contextId'] ?? '', ...artifact };
}

const KINDS: Readonly<Record<string, readonly [EventName, (event: JsonObject) => JsonObject]>> = {
  task: ['task', readTask],
  message: ['message', readMessage],
  'status-update': ['statusUpdate', readStatusUpdate],
  'artifact-update': ['artifactUpdate', readArtifactUpdate],
};

const WRITERS: Readonly<Record<EventName, (event: JsonObject) => JsonObject>> = {
  task: writeTask,
  message: writeMessage,
  statusUpdate: writeStatusUpdate,
  artifactUpdate: writeArtifactUpdate,
};

function readEvent(event: JsonObject): JsonObject | undefined {
  const kind = String(event['kind']);
  if (!Object.hasOwn(KINDS, kind)) return undefined;
  const [name, read] = KINDS[kind]!;
  return { [name]: read(event) };
}

function writeEvent(event: JsonObject): JsonObject {
  const name = eventName(event);
  return name === undefined ? event : WRITERS[name](event[name] as JsonObject);
}

function readConfiguration({ blocking, pushNotificationConfig, ...rest }: JsonObject): JsonObject {
  const taskPushNotificationConfig = within(pushNotificationConfig, readPushConfig);
  return defined({ ...rest, returnImmediately: blocking === false ? true : undefined, taskPushNotificationConfig });
}

function writeConfiguration({ returnImmediately, taskPushNotificationConfig, ...rest }: JsonObject): JsonObject {
  const pushNotificationConfig = within(taskPushNotificationConfig, writePushConfig);
  // Servers of 0.3 differ in what they take an absent `blocking` for.
  return defined({ ...rest, blocking: returnImmediately !== true, pushNotificationConfig });
}

const readPushConfig = (config: JsonObject): JsonObject => ({
  ...config,
  ...fields(config, { authentication: (authentication) => within(authentication, schemeOf) }),
});

function writePushConfig({ taskId: _taskId, tenant: _tenant, ...config }: JsonObject): JsonObject {
  return { ...config, ...fields(config, { authentication: (authentication) => within(authentication, schemesOf) }) };
}

function readTaskConfig({ pushNotificationConfig, ...rest }: JsonObject): JsonObject {
  return { ...(isObject(pushNotificationConfig) ? readPushConfig(pushNotificationConfig) : {}), ...rest };
}

const writeTaskConfig = (config: JsonObject): JsonObject => ({
  taskId: config['taskId'],
  pushNotificationConfig: writePushConfig(config),
});

/** 0.3 has no tenants: a field of that name is none, and means nothing to the agent either. */
function readParams(operation: AgentOperation, { tenant: _tenant, ...params }: JsonObject): JsonObject {
  switch (operation) {
    case 'message/send':
    case 'message/stream':
      return {
        ...params,
        ...fields(params, {
          message: (message) => within(message, readMessage),
          configuration: (configuration) => within(configuration, readConfiguration),
        }),
      };
    case 'tasks/pushNotificationConfig/set':
      return readTaskConfig(params);
    case 'tasks/pushNotificationConfig/get':
    case 'tasks/pushNotificationConfig/delete': {
      const { id: taskId, pushNotificationConfigId: id, ...rest } = params;
      return defined({ ...rest, taskId, id });
    }
    case 'tasks/pushNotificationConfig/list': {
      const { id: taskId, ...rest } = params;
      return defined({ ...rest, taskId });
    }
    default:
      return params;
  }
}

function writeParams(operation: AgentOperation, { tenant: _tenant, ...params }: JsonObject): JsonObject {
  switch (operation) {
    case 'message/send':
    case 'message/stream':
      return {
        ...params,
        ...fields(params, {
          message: (message) => within(message, writeMessage),
          configuration: (configuration) => within(configuration, writeConfiguration),
        }),
      };
    case 'tasks/pushNotificationConfig/set':
      return writeTaskConfig(params);
    case 'tasks/pushNotificationConfig/get':
    case 'tasks/pushNotificationConfig/delete': {
      const { taskId, id, ...rest } = params;
      return defined({ ...rest, id: taskId, pushNotificationConfigId: id });
    }
    case 'tasks/pushNotificationConfig/list': {
      const { taskId, ...rest } = params;
      return { ...rest, id: taskId };
    }
    default:
      return params;
  }
}

function readResult(operation: AgentOperation, result: unknown): JsonObject | undefined {
  switch (operation) {
    case 'tasks/pushNotificationConfig/delete':
      return {};
    case 'tasks/pushNotificationConfig/list':
      return Array.isArray(result) ? { configs: each(result, readTaskConfig), nextPageToken: '' } : undefined;
    case 'message/send': {
      const read = isObject(result) ? readEvent(result) : undefined;
      return asResult(operation, read);
    }
    case 'tasks/get':
    case 'tasks/cancel':
      return isObject(result) ? asResult(operation, readTask(result)) : undefined;
    case 'tasks/pushNotificationConfig/set':
    case 'tasks/pushNotificationConfig/get':
      return isObject(result) ? readTaskConfig(result) : undefined;
    case 'agent/card':
      return isObject(result) ? cardFromV03(result) : undefined;
    default:
      return isObject(result) ? result : undefined;
  }
}

function writeResult(operation: AgentOperation, result: JsonObject): unknown {
  switch (operation) {
    case 'tasks/pushNotificationConfig/delete':
      return null;
    case 'tasks/pushNotificationConfig/list':
      return each(result['configs'] ?? [], writeTaskConfig);
    case 'message/send':
      return writeEvent(result);
    case 'tasks/get':
    case 'tasks/cancel':
      return writeTask(result);
    case 'tasks/pushNotificationConfig/set':
    case 'tasks/pushNotificationConfig/get':
      return writeTaskConfig(result);
    case 'agent/card':
      return cardToV03(result);
    default:
      return result;
  }
}
