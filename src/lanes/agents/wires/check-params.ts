import { ENDED_STATES, type AgentOperation } from '../../../core/agents.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { agentError } from './agent-errors.ts';
import type { VersionName } from './wire.ts';

/** Of `tasks/list` (specification 3.1.4). */
const LARGEST_PAGE = 100;

const STATES: ReadonlySet<unknown> = new Set([
  ...ENDED_STATES,
  'TASK_STATE_UNSPECIFIED',
  'TASK_STATE_SUBMITTED',
  'TASK_STATE_WORKING',
  'TASK_STATE_INPUT_REQUIRED',
  'TASK_STATE_AUTH_REQUIRED',
]);

/** Checks what the hub and the translations rely on, in the shape of 1.0. Throws AgentError InvalidParams that names the field. */
export function checkParams(operation: AgentOperation, params: JsonObject, version: VersionName): void {
  optional(params, 'tenant', isText, 'a string');
  switch (operation) {
    case 'message/send':
    case 'message/stream':
      return checkSend(params);
    case 'tasks/get':
      optional(params, 'historyLength', isCount, 'an integer that is not negative');
      return needed(params, 'id');
    case 'tasks/cancel':
      optional(params, 'metadata', isObject, 'an object');
      return needed(params, 'id');
    case 'tasks/resubscribe':
      return needed(params, 'id');
    case 'tasks/list':
      return checkList(params);
    case 'tasks/pushNotificationConfig/set':
      needed(params, 'taskId');
      return checkPushConfig(params, '');
    case 'tasks/pushNotificationConfig/get':
    case 'tasks/pushNotificationConfig/delete':
      needed(params, 'taskId');
      // 0.3 lets a caller with only one configuration leave it out.
      if (version === '0.3' && operation === 'tasks/pushNotificationConfig/get') return optional(params, 'id', isText, 'a string');
      return needed(params, 'id');
    case 'tasks/pushNotificationConfig/list':
      optional(params, 'pageSize', isCount, 'an integer that is not negative');
      optional(params, 'pageToken', isText, 'a string');
      return needed(params, 'taskId');
    case 'agent/card':
      return undefined;
  }
}

const KINDS: ReadonlySet<unknown> = new Set(['text', 'file', 'data']);

/** Checks the one thing of a request in 0.3 that its form in 1.0 does not show: the kinds of parts. Throws AgentError InvalidParams. */
export function checkKinds({ message }: JsonObject): void {
  if (!isObject(message) || !Array.isArray(message['parts'])) return;
  for (const [at, part] of message['parts'].entries()) {
    if (isObject(part) && !KINDS.has(part['kind'])) throw wrong(`message.parts[${at}].kind`, 'text, file or data is needed');
  }
}

function checkSend(params: JsonObject): void {
  const { message, configuration } = params;
  if (!isObject(message)) throw wrong('message', 'an object is needed');
  needed(message, 'messageId', 'message.');
  if (message['role'] !== 'ROLE_USER' && message['role'] !== 'ROLE_AGENT') throw wrong('message.role', 'the role of the sender is needed');
  for (const name of ['taskId', 'contextId']) optional(message, name, isText, 'a string', 'message.');
  for (const name of ['extensions', 'referenceTaskIds']) optional(message, name, isTexts, 'a list of strings', 'message.');
  optional(message, 'metadata', isObject, 'an object', 'message.');
  const { parts } = message;
  if (!Array.isArray(parts) || parts.length === 0) throw wrong('message.parts', 'a list with one part at least is needed');
  for (const [at, part] of parts.entries()) checkPart(part, `message.parts[${at}]`);
  optional(params, 'metadata', isObject, 'an object');
  optional(params, 'configuration', isObject, 'an object');
  if (isObject(configuration)) checkConfiguration(configuration);
}

function checkPart(part: unknown, path: string): void {
  if (!isObject(part)) throw wrong(path, 'a part is an object');
  const texts = ['text', 'raw', 'url'].filter((name) => part[name] !== undefined && part[name] !== null);
  for (const name of texts) optional(part, name, isText, 'a string', `${path}.`);
  if (texts.length + (part['data'] === undefined ? 0 : 1) !== 1) throw wrong(path, 'a part has text, a file or data, and only one of them');
  optional(part, 'metadata', isObject, 'an object', `${path}.`);
}

function checkConfiguration(configuration: JsonObject): void {
  const path = 'configuration.';
  optional(configuration, 'historyLength', isCount, 'an integer that is not negative', path);
  optional(configuration, 'returnImmediately', (value) => typeof value === 'boolean', 'true or false', path);
  optional(configuration, 'acceptedOutputModes', isTexts, 'a list of strings', path);
  optional(configuration, 'taskPushNotificationConfig', isObject, 'an object', path);
  const { taskPushNotificationConfig: config } = configuration;
  if (isObject(config)) checkPushConfig(config, `${path}taskPushNotificationConfig.`);
}

function checkPushConfig(config: JsonObject, path: string): void {
  needed(config, 'url', path);
  for (const name of ['id', 'token']) optional(config, name, isText, 'a string', path);
  optional(config, 'authentication', isObject, 'an object', path);
}

function checkList(params: JsonObject): void {
  for (const name of ['contextId', 'pageToken']) optional(params, name, isText, 'a string');
  optional(params, 'status', (value) => STATES.has(value), 'the name of a task state');
  optional(params, 'pageSize', (value) => isCount(value) && value >= 1 && value <= LARGEST_PAGE, `an integer from 1 to ${LARGEST_PAGE}`);
  optional(params, 'historyLength', isCount, 'an integer that is not negative');
  optional(params, 'statusTimestampAfter', (value) => isText(value) && !Number.isNaN(Date.parse(value)), 'a time as in ISO 8601');
  optional(params, 'includeArtifacts', (value) => typeof value === 'boolean', 'true or false');
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

function needed(object: JsonObject, name: string, path = ''): void {
  const value = object[name];
  if (!isText(value) || value === '') throw wrong(`${path}${name}`, 'a string is needed');
}

/** In protobuf JSON null is a field that is not set. */
function optional(object: JsonObject, name: string, fits: (value: unknown) => boolean, what: string, path = ''): void {
  const value = object[name];
  if (value !== undefined && value !== null && !fits(value)) throw wrong(`${path}${name}`, `${what} is expected`);
}

function wrong(field: string, what: string): Error {
  return agentError('InvalidParams', `${field}: ${what}.`, { field });
}
