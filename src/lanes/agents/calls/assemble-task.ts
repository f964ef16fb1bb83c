import { ENDED_STATES, type AgentsChunk } from '../../../core/agents.ts';
import type { Call } from '../../../core/call.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';

/** States in which the agent waits for its caller: a stream ends there too (specification 3.1.2). */
const WAITING: ReadonlySet<string> = new Set(['TASK_STATE_INPUT_REQUIRED', 'TASK_STATE_AUTH_REQUIRED']);

/** Puts the whole together that a stream comes to, and gives it with the event that completes it. */
export class TaskAssembly {
  /** The task was there before: what comes first may be how it stood. */
  readonly #goesOn: boolean;
  #task: Record<string, unknown> = {};
  /** By id, in the order in which they came. */
  #artifacts = new Map<string, JsonObject & { parts: unknown[] }>();

  constructor({ operation, input }: Pick<Call<'agents'>, 'operation' | 'input'>) {
    this.#goesOn = operation === 'tasks/resubscribe' || input.task !== undefined;
  }

  /** The chunk for an event; with the reply when no other can follow but of a new turn. */
  chunk(event: JsonObject): AgentsChunk {
    const { task, message, statusUpdate, artifactUpdate } = event;
    if (isObject(message)) return { event, reply: { result: { message } } };
    if (isObject(task)) this.#begin(task);
    else if (isObject(statusUpdate)) this.#update(statusUpdate);
    else if (isObject(artifactUpdate)) {
      this.#add(artifactUpdate);
      return { event };
    }
    const { status } = this.#task;
    const state = isObject(status) ? String(status['state']) : '';
    const isWaiting = WAITING.has(state) && !(this.#goesOn && isObject(task));
    if (!ENDED_STATES.has(state) && !isWaiting) return { event };
    return { event, reply: { result: { task: { ...this.#task, artifacts: [...this.#artifacts.values()] } } } };
  }

  #begin({ artifacts, ...task }: JsonObject): void {
    this.#task = task;
    this.#artifacts = new Map();
    if (Array.isArray(artifacts)) for (const artifact of artifacts.filter(isObject)) this.#put(artifact);
  }

  #update({ taskId, contextId, status }: JsonObject): void {
    this.#task = { id: taskId, contextId, ...this.#task, status };
  }

  #add({ taskId, contextId, artifact, append }: JsonObject): void {
    if (!isObject(artifact)) return;
    this.#task = { id: taskId, contextId, ...this.#task };
    const known = append === true ? this.#artifacts.get(String(artifact['artifactId'])) : undefined;
    if (known === undefined) this.#put(artifact);
    else known.parts.push(...partsOf(artifact));
  }

  #put(artifact: JsonObject): void {
    this.#artifacts.set(String(artifact['artifactId']), { ...artifact, parts: [...partsOf(artifact)] });
  }
}

function partsOf({ parts }: JsonObject): readonly unknown[] {
  return Array.isArray(parts) ? parts : [];
}
