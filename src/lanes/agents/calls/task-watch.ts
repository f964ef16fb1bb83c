import type { JsonObject } from '../../../core/json.ts';
import type { PushOrder } from '../tasks/push-relay.ts';
import { taskFacts } from '../tasks/task-facts.ts';
import type { Arrival } from './arrival.ts';

/** What one call says of its task, kept before the caller hears it. */
export class TaskWatch {
  readonly #arrival: Arrival;
  readonly #instance: string;
  /** The push configuration that came with the message, until it stands for a task. */
  #order: PushOrder | undefined;
  #last: { readonly task: string; context: string; state: string | undefined } | undefined;

  constructor(arrival: Arrival, instance: string, order: PushOrder | undefined) {
    this.#arrival = arrival;
    this.#instance = instance;
    this.#order = order;
  }

  /** A reply or an event. Rejects when a task that is new cannot be kept: the caller must not hear of it. */
  async see(moved: JsonObject): Promise<void> {
    const { agent, call, serving } = this.#arrival;
    const noted = serving.book.observe({ agent: agent.name, owner: call.consumer.name, instance: this.#instance }, moved);
    if (noted !== undefined) await noted;
    const facts = taskFacts(moved);
    if (facts === undefined) return;
    const { task, context, state } = facts;
    this.#last = { task, context: context || (this.#last?.context ?? ''), state: state ?? this.#last?.state };
    const order = this.#order;
    this.#order = undefined;
    await order?.bind(task);
  }

  /** The answer is over: the record says which task it was about, and how that stood. */
  async end(): Promise<void> {
    await this.#order?.drop();
    if (this.#last === undefined) return;
    const { task, context, state } = this.#last;
    this.#arrival.call.note('task', `${task}${context === '' ? '' : ` in ${context}`}${state === undefined ? '' : `: ${state}`}`);
  }
}
