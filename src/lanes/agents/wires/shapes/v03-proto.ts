import { ENDED_STATES, type AgentOperation } from '../../../../core/agents.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { cardFromV03, cardToV03 } from '../../cards/card-versions.ts';
import {
  asEvent,
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
  type Shapes,
} from './shapes.ts';

/**
 * 0.3 in HTTP+JSON: the protobuf JSON of its a2a.proto, as the official SDK's `compat/v0_3` reads and writes it: the words of 1.0, but `content` in
 * messages, `file` and `data` wrapped, and resource names in push configurations. Parsers of protobuf JSON may refuse fields they do not know (that of
 * a2a-python 0.3 does), so what 1.0 added to it stays out. Names may come in snake case: a2a-python sends them so.
 */
export const SHAPES_0_3_PROTO: Shapes = { readParams, writeParams, readResult, writeResult, readEvent, writeEvent };

/** The fields of a message by their JSON names. */
function camel(object: JsonObject): JsonObject {
  if (!Object.keys(object).some((key) => key.includes('_'))) return object;
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key.replaceAll(/(?!^)_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}

function readPart(raw: JsonObject): JsonObject {
  const { file, data: wrapped, metadata, ...rest } = raw;
  if (isObject(file)) {
    const { fileWithUri, fileWithBytes, mimeType, name } = camel(file);
    const url = fileWithBytes === undefined ? fileWithUri : undefined;
    return defined({ raw: fileWithBytes, url, mediaType: known(mimeType), filename: known(name), metadata, ...rest });
  }
  if (isObject(wrapped)) return { ...unwrapData({ data: wrapped['data'] ?? {}, metadata }), ...rest };
  return raw;
}

function writePart(part: JsonObject): JsonObject {
  const { text, raw, url, data, mediaType, filename, metadata, ...rest } = part;
  if (typeof text === 'string') return defined({ text, metadata, ...rest });
  if (typeof raw === 'string' || typeof url === 'string') {
    const content = typeof raw === 'string' ? { fileWithBytes: raw } : { fileWithUri: url };
    return defined({ file: defined({ ...content, mimeType: known(mediaType), name: known(filename) }), metadata, ...rest });
  }
  if (data === undefined) return part;
  const { data: value, metadata: about } = wrapData({ data, metadata });
  return defined({ data: { data: value }, metadata: about, ...rest });
}

/** Protobuf has the empty string for a field that is not set. */
const known = (value: unknown): unknown => (value === '' ? undefined : value);

function readMessage(raw: JsonObject): JsonObject {
  const { content, parts = content, ...message } = camel(raw);
  return defined({ ...message, parts: each(parts, readPart) });
}

function writeMessage({ parts, referenceTaskIds: _references, ...message }: JsonObject): JsonObject {
  return { ...message, content: each(parts ?? [], writePart) };
}

function readStatus(raw: unknown): unknown {
  return within(raw, (object) => {
    const { update, message = update, ...status } = camel(object);
    const state = status['state'] === 'TASK_STATE_CANCELLED' ? 'TASK_STATE_CANCELED' : (status['state'] ?? 'TASK_STATE_UNSPECIFIED');
    return defined({ ...status, state, message: within(message, readMessage) });
  });
}

function writeStatus(status: unknown): JsonObject {
  if (!isObject(status)) return {};
  const state = status['state'] === 'TASK_STATE_CANCELED' ? 'TASK_STATE_CANCELLED' : status['state'];
  return defined({ ...status, state, ...fields(status, { message: (message) => within(message, writeMessage) }) });
}

function readArtifact(raw: JsonObject): JsonObject {
  const artifact = camel(raw);
  return { ...artifact, ...fields(artifact, { parts: (parts) => each(parts, readPart) }) };
}

const writeArtifact = (artifact: JsonObject): JsonObject => ({
  ...artifact,
  ...fields(artifact, { parts: (parts) => each(parts, writePart) }),
});

function readTask(raw: JsonObject): JsonObject {
  const task = camel(raw);
  const status = readStatus(task['status'] ?? {});
  return {
    ...task,
    status,
    ...fields(task, { history: (list) => each(list, readMessage), artifacts: (list) => each(list, readArtifact) }),
  };
}

const writeTask = (task: JsonObject): JsonObject => ({
  ...task,
  status: writeStatus(task['status']),
  ...fields(task, { history: (list) => each(list, writeMessage), artifacts: (list) => each(list, writeArtifact) }),
});

function readStatusUpdate(raw: JsonObject): JsonObject {
  const { final: _final, ...update } = camel(raw);
  return { ...update, status: readStatus(update['status'] ?? {}) };
}

/** Protobuf JSON leaves out what is false. */
function writeStatusUpdate(update: JsonObject): JsonObject {
  const { status } = update;
  const final = isObject(status) && ENDED_STATES.has(String(status['state']));
  return { ...update, status: writeStatus(status), ...(final ? { final } : {}) };
}

function readArtifactUpdate(raw: JsonObject): JsonObject {
  const update = camel(raw);
  return { ...update, ...fields(update, { artifact: (artifact) => within(artifact, readArtifact) }) };
}

const writeArtifactUpdate = (update: JsonObject): JsonObject => ({
  ...update,
  ...fields(update, { artifact: (artifact) => within(artifact, writeArtifact) }),
});

/** A StreamResponse or a SendMessageResponse: what they hold has the names of 1.0, but for `msg`. */
function readEvent(raw: JsonObject): JsonObject | undefined {
  const { msg, message = msg, ...event } = camel(raw);
  return asEvent(
    fields(defined({ ...event, message }), {
      task: (task) => within(task, readTask),
      message: (value) => within(value, readMessage),
      statusUpdate: (update) => within(update, readStatusUpdate),
      artifactUpdate: (update) => within(update, readArtifactUpdate),
    }),
  );
}

const WRITERS = { task: writeTask, message: writeMessage, statusUpdate: writeStatusUpdate, artifactUpdate: writeArtifactUpdate };

function writeEvent(event: JsonObject): JsonObject {
  const name = eventName(event);
  return name === undefined ? event : { [name]: WRITERS[name](event[name] as JsonObject) };
}

/** Protobuf leaves out what is false, and here that means: do not wait. One that says no more than what 1.0 does by itself is none. */
function readConfiguration(raw: JsonObject): JsonObject | undefined {
  const { blocking, pushNotification, pushNotificationConfig = pushNotification, ...rest } = camel(raw);
  const taskPushNotificationConfig = within(pushNotificationConfig, readPushConfig);
  const read = defined({ ...rest, returnImmediately: blocking === true ? undefined : true, taskPushNotificationConfig });
  return Object.keys(read).length === 0 ? undefined : read;
}

function writeConfiguration({ returnImmediately, taskPushNotificationConfig, ...rest }: JsonObject): JsonObject {
  const pushNotification = within(taskPushNotificationConfig, writePushConfig);
  return defined({ ...rest, blocking: returnImmediately === true ? undefined : true, pushNotification });
}

function readPushConfig(raw: JsonObject): JsonObject {
  const config = camel(raw);
  const read = { ...config, ...fields(config, { authentication: (authentication) => within(authentication, schemeOf) }) };
  return defined({ ...read, id: known(config['id']) });
}

function writePushConfig({ taskId: _taskId, tenant: _tenant, ...config }: JsonObject): JsonObject {
  return { ...config, ...fields(config, { authentication: (authentication) => within(authentication, schemesOf) }) };
}

/** `{ name: "tasks/T/pushNotificationConfigs/C", pushNotificationConfig }`, or the whole request that a2a-python sends, with that in `config`. */
function readTaskConfig(raw: JsonObject): JsonObject {
  const { parent, config, configId, ...whole } = camel(raw);
  const { name, pushNotificationConfig } = isObject(config) ? camel(config) : whole;
  const [, task, id] = /^tasks\/(.+?)(?:\/pushNotificationConfigs\/(.*))?$/.exec(String(name ?? parent)) ?? [];
  const read = isObject(pushNotificationConfig) ? readPushConfig(pushNotificationConfig) : {};
  return defined({ taskId: task, ...read, id: read['id'] ?? known(configId) ?? known(id) });
}

const writeTaskConfig = (config: JsonObject): JsonObject => ({
  name: `tasks/${String(config['taskId'])}/pushNotificationConfigs/${String(config['id'] ?? '')}`,
  pushNotificationConfig: writePushConfig(config),
});

/** Like `readParams` of the other 0.3: there are no tenants. */
function readParams(operation: AgentOperation, { tenant: _tenant, ...raw }: JsonObject): JsonObject {
  switch (operation) {
    case 'message/send':
    case 'message/stream': {
      const { request, message = request, configuration, ...rest } = camel(raw);
      const read = isObject(configuration) ? readConfiguration(configuration) : configuration;
      return defined({ message: within(message, readMessage), configuration: read, ...rest });
    }
    case 'tasks/pushNotificationConfig/set': {
      // The path says which task it is; in the body it may be missing.
      const { taskId, ...body } = raw;
      return { ...readTaskConfig(body), taskId };
    }
    default:
      return raw;
  }
}

function writeParams(operation: AgentOperation, { tenant: _tenant, ...params }: JsonObject): JsonObject {
  switch (operation) {
    case 'message/send':
    case 'message/stream': {
      // The other name of `message` here: nothing that the hub has read.
      const { configuration = {}, request: _request, ...rest } = params;
      const message = within(params['message'], writeMessage);
      return { ...rest, message, configuration: within(configuration, writeConfiguration) };
    }
    case 'tasks/pushNotificationConfig/set':
      return { ...writeTaskConfig(params), taskId: params['taskId'] };
    case 'tasks/cancel': {
      // Says here which task it is: the path does.
      const { name: _name, ...rest } = params;
      return rest;
    }
    default:
      return params;
  }
}

function readResult(operation: AgentOperation, result: unknown): JsonObject | undefined {
  if (operation === 'tasks/pushNotificationConfig/delete') return {};
  if (!isObject(result)) return undefined;
  switch (operation) {
    case 'message/send':
      return asResult(operation, readEvent(result));
    case 'tasks/get':
    case 'tasks/cancel':
      return asResult(operation, readTask(result));
    case 'tasks/pushNotificationConfig/set':
    case 'tasks/pushNotificationConfig/get':
      return readTaskConfig(result);
    case 'tasks/pushNotificationConfig/list': {
      const { configs = [], nextPageToken = '', ...rest } = camel(result);
      return { configs: each(configs, readTaskConfig), nextPageToken, ...rest };
    }
    case 'agent/card':
      return readCard(result);
    default:
      return result;
  }
}

function writeResult(operation: AgentOperation, result: JsonObject): unknown {
  switch (operation) {
    case 'message/send':
      return writeEvent(result);
    case 'tasks/get':
    case 'tasks/cancel':
      return writeTask(result);
    case 'tasks/pushNotificationConfig/set':
    case 'tasks/pushNotificationConfig/get':
      return writeTaskConfig(result);
    case 'tasks/pushNotificationConfig/list':
      return { configs: each(result['configs'] ?? [], writeTaskConfig) };
    case 'agent/card':
      return writeCard(result);
    default:
      return result;
  }
}

/** Security is written as in 1.0, all else as in the cards of 0.3. a2a-python sends a card of 0.3 as it is. */
function readCard(raw: JsonObject): JsonObject {
  const { securitySchemes, security, ...rest } = raw;
  const schemes = Object.values(isObject(securitySchemes) ? securitySchemes : {});
  if (schemes.some((scheme) => isObject(scheme) && typeof scheme['type'] === 'string')) return cardFromV03(raw);
  const skills = each(raw['skills'], ({ security: own, ...skill }) => defined({ ...skill, securityRequirements: own }));
  return defined({ ...cardFromV03(defined({ ...rest, skills: undefined })), skills, securitySchemes, securityRequirements: security });
}

function writeCard(card: JsonObject): JsonObject {
  const { securitySchemes, securityRequirements, ...rest } = card;
  const skills = each(card['skills'], ({ securityRequirements: own, ...skill }) => defined({ ...skill, security: own }));
  return defined({ ...cardToV03(defined({ ...rest, skills: undefined })), skills, securitySchemes, security: securityRequirements });
}
