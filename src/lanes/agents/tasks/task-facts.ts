import type { JsonObject } from '../../../core/json.ts';
import { isObject } from '../../../core/json.ts';

/** What a reply or an event says of a task. */
export interface TaskFacts {
  readonly task: string;
  /** Empty where it is not said. */
  readonly context: string;
  /** Undefined where the event has none, as those of artifacts. */
  readonly state: string | undefined;
  /** `status.timestamp` as the agent wrote it. */
  readonly timestamp: string | undefined;
  /** An event of a change, other than a task as it is now. */
  readonly isUpdate: boolean;
}

/** Of a SendMessageResponse, a StreamResponse or a Task; undefined when it is about no task. */
export function taskFacts(moved: JsonObject): TaskFacts | undefined {
  const update = moved['statusUpdate'] ?? moved['artifactUpdate'];
  if (isObject(update)) return factsOf(update['taskId'], update, true);
  const { task = moved } = moved;
  return isObject(task) ? factsOf(task['id'], task, false) : undefined;
}

/** The task that an event is about; also of a message that belongs to one. */
export function taskOf(event: JsonObject): string | undefined {
  const { message } = event;
  return isObject(message) ? textOf(message['taskId']) : taskFacts(event)?.task;
}

/** Milliseconds since the epoch; undefined for what is no time. */
export function timeOf(timestamp: unknown): number | undefined {
  const at = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function factsOf(id: unknown, holder: JsonObject, isUpdate: boolean): TaskFacts | undefined {
  const task = textOf(id);
  if (task === undefined) return undefined;
  const status = isObject(holder['status']) ? holder['status'] : {};
  return {
    task,
    context: textOf(holder['contextId']) ?? '',
    state: textOf(status['state']),
    timestamp: textOf(status['timestamp']),
    isUpdate,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
