import type { AgentOperation } from '../../../core/agents.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { agentError } from './agent-errors.ts';
import type { VersionName } from './wire.ts';

/** The fields that the specification names in one object, and those of them that hold objects, or lists of them, with names of their own. */
interface Names {
  readonly exact: ReadonlySet<string>;
  /** By their spelling without case and underscores. */
  readonly known: ReadonlyMap<string, string>;
  readonly inner: ReadonlyMap<string, Names>;
}

/** Of the caller's error message. */
const LONGEST_KEY = 80;

/**
 * The spelling without what parsers pass over: those of protobuf JSON take `task_id` for `taskId`, so do the official SDKs, and those of Go and .NET
 * take any case, with the signs that Unicode folds to a letter.
 */
const bare = (key: string): string =>
  key
    .replaceAll(/(?!^)_/g, '')
    .toUpperCase()
    .toLowerCase();

function names(list: string, inner: Readonly<Record<string, Names>> = {}): Names {
  const all = [...list.split(' '), ...Object.keys(inner)].filter((name) => name !== '');
  return { exact: new Set(all), known: new Map(all.map((name) => [bare(name), name])), inner: new Map(Object.entries(inner)) };
}

const PUSH = names('id taskId tenant url token', { authentication: names('scheme schemes credentials') });
const CONFIGURATION = 'acceptedOutputModes historyLength returnImmediately';
const PART = 'text raw url data metadata filename mediaType';
const MESSAGE = 'messageId contextId taskId role metadata extensions referenceTaskIds';
const FILE_0_3 = names('bytes uri mimeType name fileWithBytes fileWithUri');
const MESSAGE_0_3_PARTS = names(`${PART} kind`, { file: FILE_0_3 });
const MESSAGE_0_3 = names(`${MESSAGE} kind`, { parts: MESSAGE_0_3_PARTS, content: MESSAGE_0_3_PARTS });

const SEND: Readonly<Record<VersionName, Names>> = {
  '1.0': names('tenant metadata', {
    message: names(MESSAGE, { parts: names(PART) }),
    configuration: names(CONFIGURATION, { taskPushNotificationConfig: PUSH }),
  }),
  // With the names of 1.0: they mean nothing here, and must not come out at an agent of 1.0.
  '0.3': names('tenant metadata', {
    message: MESSAGE_0_3,
    request: MESSAGE_0_3,
    configuration: names(`${CONFIGURATION} blocking taskPushNotificationConfig`, { pushNotificationConfig: PUSH, pushNotification: PUSH }),
  }),
};
const TASK_CONFIG_0_3 = { pushNotificationConfig: PUSH };
const SET: Readonly<Record<VersionName, Names>> = {
  '1.0': PUSH,
  '0.3': names('id taskId tenant parent configId name', { ...TASK_CONFIG_0_3, config: names('name', TASK_CONFIG_0_3) }),
};
/** Of all requests about tasks, and about the push configurations that are there. */
const OTHERS = names(
  'id taskId contextId tenant metadata status historyLength pageSize pageToken statusTimestampAfter includeArtifacts pushNotificationConfigId',
);

/**
 * The params of a request with the fields that the specification names in camel case, however the caller has spelled them: what the hub decides on
 * must be what the agent reads. The very object where nothing had to change; other fields, and what is in metadata and data, stay as they are. Throws
 * AgentError InvalidParams for a field under two spellings, of which an agent might take the other.
 */
export function plainNames(operation: AgentOperation, params: JsonObject, version: VersionName): JsonObject {
  if (operation === 'message/send' || operation === 'message/stream') return plain(params, SEND[version], '');
  return plain(params, operation === 'tasks/pushNotificationConfig/set' ? SET[version] : OTHERS, '');
}

function plain(object: JsonObject, { exact, known, inner }: Names, path: string): JsonObject {
  let same = true;
  const read = new Map<string, unknown>();
  for (const [key, value] of Object.entries(object)) {
    const name = exact.has(key) ? key : (known.get(bare(key)) ?? key);
    if (read.has(name)) throw twice(object, name, `${path}${name}`, known);
    const within = inner.get(name);
    const field = within === undefined ? value : plainField(value, within, `${path}${name}`);
    read.set(name, field);
    same &&= name === key && field === value;
  }
  return same ? object : Object.fromEntries(read);
}

/** What is neither an object nor a list of them stays for the checks to find. */
function plainField(value: unknown, inner: Names, path: string): unknown {
  if (isObject(value)) return plain(value, inner, `${path}.`);
  if (!Array.isArray(value)) return value;
  const list = value.map((item, at): unknown => (isObject(item) ? plain(item, inner, `${path}[${at}].`) : item));
  return list.every((item, at) => item === value[at]) ? value : list;
}

function twice(object: JsonObject, name: string, field: string, known: Names['known']): Error {
  const keys = Object.keys(object).filter((key) => known.get(bare(key)) === name);
  const spellings = keys.map((key) => key.slice(0, LONGEST_KEY)).join(' and ');
  return agentError('InvalidParams', `${field}: this is there more than once, as ${spellings}. Send it once.`, { field });
}

const PUSH_CONFIG = 'taskPushNotificationConfig';

/**
 * The params of a message, in the shape of 1.0, without push configurations under any other name than that of 1.0, which the hub puts its own address
 * into: an agent of another version would take them, and notify whatever address they have. The very object where there are none.
 */
export function withoutStrayPush(operation: AgentOperation, params: JsonObject): JsonObject {
  if (operation !== 'message/send' && operation !== 'message/stream') return params;
  const { configuration } = params;
  const rest = without(params, isPush);
  if (!isObject(configuration)) return rest;
  const kept = without(configuration, (key) => key !== PUSH_CONFIG && isPush(key));
  return kept === configuration ? rest : { ...rest, configuration: kept };
}

const isPush = (key: string): boolean => bare(key).includes('pushnotification');

function without(object: JsonObject, isStray: (key: string) => boolean): JsonObject {
  if (!Object.keys(object).some(isStray)) return object;
  return Object.fromEntries(Object.entries(object).filter(([key]) => !isStray(key)));
}
