import type { AgentsChunk } from '../../../core/agents.ts';
import type { Call } from '../../../core/call.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { TaskFold } from './task-fold.ts';

/** Puts the whole together that a stream comes to, and gives it with the event that completes it. */
export class TaskAssembly {
  readonly #goesOn: boolean;
  readonly #fold = new TaskFold();

  constructor({ operation, input }: Pick<Call<'agents'>, 'operation' | 'input'>) {
    this.#goesOn = operation === 'tasks/resubscribe' || input.task !== undefined;
  }

  /** The chunk for an event; with the reply when no other can follow but of a new turn. */
  chunk(event: JsonObject): AgentsChunk {
    this.#fold.take(event);
    if (!this.#fold.settles(event, this.#goesOn)) return { event };
    const { message } = event;
    return { event, reply: { result: isObject(message) ? { message } : { task: this.#fold.task } } };
  }
}
