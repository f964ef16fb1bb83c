import { AgentError } from '../../../../../core/agents.ts';
import type { TaskRecord, TaskStore } from '../../../../../core/contracts/store.ts';
import { GatewayError } from '../../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../../core/json.ts';
import type { Logger } from '../../../../../core/logger.ts';
import { agentError } from '../../../wires/agent-errors.ts';
import { sentenceOf } from '../answers/app-fault.ts';
import type { AppWay } from '../exchange.ts';
import { HubTask, type HubTaskFacts } from './hub-task.ts';

export interface HubTasksOptions {
  /** The name of the agent, and that of its instance, as in the records of tasks. */
  readonly agent: string;
  readonly instance: string;
  readonly store: Pick<TaskStore, 'put' | 'get' | 'list' | 'unfinished'>;
  /** Told at every change of a state: a StreamResponse with the whole task. The next is told when what it returns has settled. */
  notify(task: ToldTask, event: JsonObject): void | Promise<void>;
  readonly log: Logger;
}

export interface ToldTask extends HubTaskFacts {
  /** See HubTask. */
  readonly pushToken?: string;
}

/** What is done for a task. It ends or pauses it; a throw fails it. `signal` fires when the task is canceled and when the hub stops. */
export interface Work {
  carryOut(task: HubTask, signal: AbortSignal): Promise<void>;
  /** Tells the application that nobody wants the task any more. */
  cancel?(task: HubTask): Promise<void>;
}

/**
 * The tasks that the hub itself carries out for one instance of an agent. They outlive their callers and generations of the configuration; what can
 * be gone on with outlives the hub. Of those that have ended only the store knows.
 */
export interface HubTasks {
  /** The way to the application of the configuration that serves, for work that may outlive the one that began it; undefined where none serves. */
  way: AppWay | undefined;
  /** Throws GatewayError `unavailable` when there are too many. */
  create(facts: HubTaskFacts): HubTask;
  /** Begins to work, or goes on. Firing `controller` ends the work. */
  run(task: HubTask, work: Work, controller?: AbortController): void;
  /** Throws AgentError TaskNotFound, for the tasks of others too. */
  find(id: string, owner: string): Promise<HubTask>;
  isRunning(task: HubTask): boolean;
  /** Throws AgentError TaskNotCancelable. */
  cancel(task: HubTask): void;
  /** Stores the task with its memo as they are now, though its state has not changed. */
  keep(task: HubTask): void;
  /** Waits until what was told last is kept. */
  saved(task: HubTask): Promise<void>;
  /**
   * Takes up what was at work when the hub stopped, once: all calls get the same promise. `resume` gives the work to go on with; a task without
   * one has failed.
   */
  restore(resume: (task: HubTask) => Work | undefined): Promise<void>;
  /** The memo of the last task of this consumer in the context. */
  lastMemo(owner: string, context: string): Promise<JsonObject | undefined>;
  /** Ends all work without a word in the tasks, so that the next start can take it up; resolves when all that was told is stored. */
  close(): Promise<void>;
}

const MOST_LIVE = 10_000;
/** From here on tasks that only wait for their callers are left to the store. */
const MANY_LIVE = 1_000;
const RESTARTED = 'The hub was restarted while the application worked on this. Send the message again.';

export function createHubTasks(options: HubTasksOptions): HubTasks {
  return new LiveTasks(options);
}

class LiveTasks implements HubTasks {
  way: AppWay | undefined;
  readonly #options: HubTasksOptions;
  readonly #live = new Map<string, HubTask>();
  readonly #running = new Map<string, { readonly controller: AbortController; readonly work: Work }>();
  /** The last save of each task that has one on its way. */
  readonly #saving = new Map<string, Promise<void>>();
  readonly #telling = new Map<string, Promise<void>>();
  /** Begun by this process while what was left from the last one is read. */
  #begun: Set<string> | undefined = new Set();
  #restored: Promise<void> | undefined;
  #closed = false;

  constructor(options: HubTasksOptions) {
    this.#options = options;
  }

  create(facts: HubTaskFacts): HubTask {
    this.#makeRoom();
    const task = this.#make(facts);
    this.#live.set(task.id, task);
    this.#begun?.add(task.id);
    return task;
  }

  run(task: HubTask, work: Work, controller = new AbortController()): void {
    this.#running.set(task.id, { controller, work });
    this.#live.set(task.id, task);
    void this.#carryOut(task, work, controller);
  }

  async find(id: string, owner: string): Promise<HubTask> {
    await this.#restored;
    const task = this.#live.get(id) ?? (await this.#load(id));
    if (task === undefined || task.owner !== owner) throw agentError('TaskNotFound', `Task not found: ${id}`);
    return task;
  }

  isRunning(task: HubTask): boolean {
    return this.#running.has(task.id);
  }

  cancel(task: HubTask): void {
    if (task.hasEnded) throw agentError('TaskNotCancelable', `The task has ended (${task.state}) and cannot be canceled.`);
    const running = this.#running.get(task.id);
    task.say('TASK_STATE_CANCELED');
    running?.controller.abort(new GatewayError('client_closed'));
    running?.work.cancel?.(task).catch((error: unknown) => this.#warn(task, error, 'the application could not be told of a canceled task'));
  }

  keep(task: HubTask): void {
    if (!this.#closed) this.#save(task);
  }

  async saved(task: HubTask): Promise<void> {
    await this.#saving.get(task.id);
  }

  restore(resume: (task: HubTask) => Work | undefined): Promise<void> {
    return (this.#restored ??= this.#restore(resume)
      .catch((error: unknown) =>
        this.#options.log.error({ agent: this.#options.agent, err: error }, 'the unfinished tasks of an agent could not be read'),
      )
      .finally(() => (this.#begun = undefined)));
  }

  async lastMemo(owner: string, context: string): Promise<JsonObject | undefined> {
    const { agent, store } = this.#options;
    const { tasks } = await store.list({ agent, owner, context, limit: 1 });
    return contentOf(tasks[0])?.memo;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { controller } of this.#running.values()) controller.abort(new GatewayError('client_closed'));
    await this.#restored;
    await Promise.all(this.#saving.values());
  }

  async #carryOut(task: HubTask, work: Work, controller: AbortController): Promise<void> {
    try {
      await work.carryOut(task, controller.signal);
    } catch (error) {
      if (!controller.signal.aborted) this.#fail(task, error);
    }
    this.#running.delete(task.id);
    this.#forget(task);
  }

  /** The caller reads why in words that name no upstream; the log has it all. */
  #fail(task: HubTask, thrown: unknown): void {
    const error = GatewayError.from(thrown);
    if (!(thrown instanceof AgentError)) this.#warn(task, thrown, 'the work for a task failed');
    task.say('TASK_STATE_FAILED', thrown instanceof AgentError ? error.message : sentenceOf(error.code));
  }

  async #restore(resume: (task: HubTask) => Work | undefined): Promise<void> {
    const { agent, instance, store } = this.#options;
    for (const record of await store.unfinished(agent)) {
      const content = contentOf(record);
      if (this.#closed) return;
      if (record.instance !== instance || content === undefined || this.#begun?.has(record.task) === true) continue;
      const task = this.#revived(record, content);
      if (task.hasEnded || task.isPaused) continue;
      const work = resume(task);
      if (work === undefined) task.say('TASK_STATE_FAILED', RESTARTED);
      else this.run(task, work);
    }
  }

  async #load(id: string): Promise<HubTask | undefined> {
    const record = await this.#options.store.get(this.#options.agent, id);
    const content = contentOf(record);
    const live = this.#live.get(id);
    if (live !== undefined || record === undefined || content === undefined) return live;
    const task = this.#revived(record, content);
    if (task.hasEnded) return task;
    this.#makeRoom();
    this.#live.set(id, task);
    return task;
  }

  #revived({ task: id, context, owner }: TaskRecord, content: Content): HubTask {
    const task = this.#make({ id, context, owner });
    task.revive(content.task, content.memo);
    return task;
  }

  #make(facts: HubTaskFacts): HubTask {
    return new HubTask(facts, this.#told, this.#forget);
  }

  readonly #told = (task: HubTask): void => {
    if (this.#closed) return;
    this.#save(task);
    const { id, context, owner, pushToken } = task;
    const told: ToldTask = { id, context, owner, ...(pushToken === undefined ? {} : { pushToken }) };
    const event = { task: task.snapshot() };
    const telling: Promise<void> = (this.#telling.get(id) ?? Promise.resolve())
      .then(() => this.#options.notify(told, event))
      .catch((error: unknown) => this.#warn(task, error, 'nobody could be told of a task'))
      .then(() => {
        if (this.#telling.get(id) === telling) this.#telling.delete(id);
      });
    this.#telling.set(id, telling);
  };

  /** One after the other: an older state must not win. */
  #save(task: HubTask): void {
    const { agent, instance, store } = this.#options;
    const { id, context, owner, state, memo } = task;
    const content: Content = { task: task.snapshot(), memo };
    const record: TaskRecord = { agent, task: id, context, owner, instance, state, updatedAt: Date.now(), content };
    const saving: Promise<void> = (this.#saving.get(id) ?? Promise.resolve())
      .then(() => store.put(record))
      .catch((error: unknown) => this.#warn(task, error, 'a task could not be stored'))
      .then(() => {
        if (this.#saving.get(id) !== saving) return;
        this.#saving.delete(id);
        this.#forget(task);
      });
    this.#saving.set(id, saving);
  }

  /** Of what has ended the store knows. */
  readonly #forget = (task: HubTask): void => {
    if (task.hasEnded && this.#isIdle(task)) this.#live.delete(task.id);
  };

  #isIdle(task: HubTask): boolean {
    return !this.#running.has(task.id) && !this.#saving.has(task.id) && !task.isRead && !task.isClaimed;
  }

  /** Those that wait for their callers can be read again. */
  #makeRoom(): void {
    if (this.#live.size < MANY_LIVE) return;
    for (const [id, task] of this.#live) if ((task.isPaused || task.hasEnded) && this.#isIdle(task)) this.#live.delete(id);
    if (this.#live.size >= MOST_LIVE)
      throw new GatewayError('unavailable', 'This agent works on as many tasks as it can. Try again when some have ended.');
  }

  #warn(task: HubTask, error: unknown, message: string): void {
    this.#options.log.warn({ agent: this.#options.agent, task: task.id, err: error }, message);
  }
}

interface Content {
  readonly task: JsonObject;
  readonly memo: JsonObject;
}

function contentOf(record: TaskRecord | undefined): Content | undefined {
  const content = record?.content;
  if (!isObject(content) || !isObject(content['task'])) return undefined;
  return { task: content['task'], memo: isObject(content['memo']) ? content['memo'] : {} };
}
