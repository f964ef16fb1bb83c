import { isObject, type JsonObject } from '../../../core/json.ts';
import { agentError } from './agent-errors.ts';
import { asEvent, SHAPES_1_0 } from './shapes/shapes.ts';
import { SHAPES_0_3 } from './shapes/v03.ts';
import type { VersionName } from './wire.ts';

/** The StreamResponse in a push notification. An agent may push in another version than that in which it was asked to, and the shapes are easily told apart. */
export function readPush(body: unknown): JsonObject {
  const event = asEvent(body) ?? (isObject(body) ? SHAPES_0_3.readEvent(body) : undefined);
  if (event === undefined) throw agentError('InvalidParams', 'A push notification holds a task, a message or an update of a task.');
  return event;
}

/** Push notifications have one form for both bindings (specification 4.3.3). */
export function writePush(version: VersionName): (event: JsonObject) => JsonObject {
  return version === '1.0' ? SHAPES_1_0.writeEvent : SHAPES_0_3.writeEvent;
}
