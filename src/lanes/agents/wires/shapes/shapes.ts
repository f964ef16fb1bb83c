import type { AgentOperation } from '../../../../core/agents.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';

/** How one version writes down what moves, in one binding. The other side of each function has the shape of 1.0. None of them throws, whatever it gets, but `agent/card` for an agent that is not offered in the version. */
export interface Shapes {
  readParams(operation: AgentOperation, params: JsonObject): JsonObject;
  writeParams(operation: AgentOperation, params: JsonObject): JsonObject;
  /** Undefined for what is no result of the operation. */
  readResult(operation: AgentOperation, result: unknown): JsonObject | undefined;
  writeResult(operation: AgentOperation, result: JsonObject): unknown;
  /** Undefined for what is no StreamResponse. */
  readEvent(event: JsonObject): JsonObject | undefined;
  writeEvent(event: JsonObject): JsonObject;
}

/** The hub's own: nothing is copied. */
export const SHAPES_1_0: Shapes = {
  readParams: (_operation, params) => params,
  writeParams: (_operation, params) => params,
  readResult: (operation, result) => (operation === 'tasks/pushNotificationConfig/delete' ? {} : asResult(operation, result)),
  // As the official SDK answers; google.protobuf.Empty has no fields to show.
  writeResult: (operation, result) => (operation === 'tasks/pushNotificationConfig/delete' ? null : result),
  readEvent: asEvent,
  writeEvent: (event) => event,
};

const EVENTS = ['task', 'message', 'statusUpdate', 'artifactUpdate'] as const;
/** What a StreamResponse holds. */
export type EventName = (typeof EVENTS)[number];

/** Which of the four a StreamResponse, or a SendMessageResponse, holds. */
export function eventName(event: JsonObject): EventName | undefined {
  return EVENTS.find((name) => isObject(event[name]));
}

/** A StreamResponse in the shape of 1.0 as it is; undefined for what is none. */
export function asEvent(event: unknown): JsonObject | undefined {
  return isObject(event) && eventName(event) !== undefined ? event : undefined;
}

/** A result in the shape of 1.0 as it is; undefined for what cannot be one. */
export function asResult(operation: AgentOperation, result: unknown): JsonObject | undefined {
  if (!isObject(result)) return undefined;
  if (operation === 'message/send') return isObject(result['task']) || isObject(result['message']) ? result : undefined;
  if (operation === 'tasks/get' || operation === 'tasks/cancel') return typeof result['id'] === 'string' ? result : undefined;
  return result;
}

/** `change` on a field that is an object; what is none stays for the checks to find. */
export function within(value: unknown, change: (value: JsonObject) => JsonObject): unknown {
  return isObject(value) ? change(value) : value;
}

/** `change` on every object of a list. */
export function each(value: unknown, change: (value: JsonObject) => JsonObject): unknown {
  return Array.isArray(value) ? value.map((item) => within(item, change)) : value;
}

/** Without the fields that are undefined. */
export function defined(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

/** The fields that are there, each with what `change` makes of it: fields that are absent stay absent. */
export function fields(object: JsonObject, changes: Readonly<Record<string, (value: unknown) => unknown>>): JsonObject {
  return Object.fromEntries(
    Object.entries(changes).flatMap(([name, change]) => (object[name] === undefined ? [] : [[name, change(object[name])]])),
  );
}

/** Of a data part in 0.3 whose value is no object, which 0.3 has no room for; both official SDKs write and read it. */
const WRAPPED = 'data_part_compat';

/** The data and metadata of a part as 0.3 holds them: what is no object is wrapped in one. */
export function wrapData({ data, metadata }: JsonObject): JsonObject {
  if (isObject(data)) return defined({ data, metadata });
  return { data: { value: data }, metadata: { ...(isObject(metadata) ? metadata : {}), [WRAPPED]: true } };
}

/** The way back. */
export function unwrapData({ data, metadata }: JsonObject): JsonObject {
  if (!isObject(metadata) || metadata[WRAPPED] !== true) return defined({ data, metadata });
  const { [WRAPPED]: _flag, ...rest } = metadata;
  const value = isObject(data) && 'value' in data ? data['value'] : data;
  return defined({ data: value, metadata: Object.keys(rest).length === 0 ? undefined : rest });
}

/** `authentication` of a push configuration: 1.0 has one scheme, 0.3 a list, of which the first counts. */
export function schemesOf({ scheme, ...rest }: JsonObject): JsonObject {
  return { schemes: typeof scheme === 'string' && scheme !== '' ? [scheme] : [], ...rest };
}

export function schemeOf({ schemes, ...rest }: JsonObject): JsonObject {
  const first = Array.isArray(schemes) ? schemes[0] : undefined;
  return defined({ scheme: first, ...rest });
}
