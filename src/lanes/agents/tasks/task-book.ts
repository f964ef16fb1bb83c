import { ENDED_STATES } from '../../../core/agents.ts';
import type { TaskQuery, TaskRecord, TaskStore } from '../../../core/contracts/store.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Logger } from '../../../core/logger.ts';
import { agentError } from '../wires/agent-errors.ts';
import { ContextBook } from './context-book.ts';
import type { TaskFacts } from './task-facts.ts';
import { taskFacts } from './task-facts.ts';

export interface TaskBookParts {
  readonly store: TaskStore;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Tasks that are kept in memory, and conversations. Default 10,000 of each. */
  readonly maxKnown?: number;
}

/** Whose call it is, and which source carries it out. */
export interface TaskCall {
  readonly agent: string;
  readonly owner: string;
  readonly instance: string;
}

interface KnownTask {
  record: TaskRecord;
  /** `status.timestamp` of the last change; undefined when it was read from the store, which has none. */
  timestamp: string | undefined;
  writtenAt: number;
  /** Runs while there is a change that is not written. */
  timer?: NodeJS.Timeout;
}

const WRITE_MS = 1_000;
const SWEEP_MS = 3_600_000;
const KEPT_MS = 30 * 24 * 3_600_000;
const MAX_KNOWN = 10_000;
/** A task whose first sign is an artifact is being worked on. */
const FIRST_STATE = 'TASK_STATE_WORKING';

/**
 * Knows who began a task or a conversation and which instance has it, over restarts. What is not in it is nobody's task. Both are forgotten 30 days
 * after their last change.
 */
export class TaskBook {
  readonly #store: TaskStore;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #maxKnown: number;
  readonly #contexts: ContextBook;
  /** The one that was asked for last stands last. */
  readonly #known = new Map<string, KnownTask>();
  /** Tasks that are being looked up, and written when they are new. */
  readonly #first = new Map<string, Promise<void>>();
  readonly #sweep: NodeJS.Timeout;

  constructor({ store, log, now, maxKnown = MAX_KNOWN }: TaskBookParts) {
    this.#store = store;
    this.#log = log;
    this.#now = now;
    this.#maxKnown = maxKnown;
    this.#contexts = new ContextBook({ store, log, now, maxKnown });
    this.#sweep = setInterval(() => void this.#forgetOld(), SWEEP_MS).unref();
    void this.#forgetOld();
  }

  /**
   * Notes what a reply or an event says of a task and of a conversation. A promise must be waited for before it goes to the caller: a task that the
   * caller knows must be his after a restart. Rejects only when one that is new cannot be stored.
   */
  observe(call: TaskCall, moved: JsonObject): Promise<void> | undefined {
    const context = this.#contexts.observe(call, moved);
    const task = this.#observeTask(call, moved);
    return context === undefined || task === undefined ? (context ?? task) : Promise.all([context, task]).then(() => undefined);
  }

  /**
   * The record without its content. Throws AgentError TaskNotFound when there is no such task, and with the same words after the same work when
   * it is another consumer's (specification 3.3.2).
   */
  async owned(agent: string, task: string, owner: string): Promise<TaskRecord> {
    const key = keyOf(agent, task);
    await this.#first.get(key)?.catch(() => undefined);
    const known = this.#recall(key)?.record;
    if (known?.owner === owner) return known;
    const stored = await this.#store.get(agent, task);
    if (stored === undefined || stored.owner !== owner) throw agentError('TaskNotFound', `Task not found: ${task}`);
    return this.#remember(key, stored, undefined).record;
  }

  /**
   * To be called before a message that names a conversation is forwarded: a conversation that nobody has is the caller's from then on, so that of two
   * who name one at the same moment only the first passes. Gives the instance that has it, where one has answered in it already; `foreign` when it
   * is another consumer's. Throws AgentError InvalidParams for a name that is too long, and what the store throws.
   */
  claim(agent: string, context: string, owner: string): Promise<{ readonly instance?: string } | 'foreign'> {
    return this.#contexts.claim(agent, context, owner);
  }

  /** As the store does, with what is not written yet. */
  async list(query: TaskQuery): ReturnType<TaskStore['list']> {
    await this.#flush(({ owner }) => owner === query.owner);
    return this.#store.list(query);
  }

  /** For a task that its instance does not know any more. */
  async forget(agent: string, task: string): Promise<void> {
    const key = keyOf(agent, task);
    clearTimeout(this.#known.get(key)?.timer);
    this.#known.delete(key);
    await this.#store.delete(agent, task);
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    await Promise.allSettled(this.#first.values());
    await this.#contexts.settled();
    await this.#flush(() => true);
  }

  #observeTask(call: TaskCall, moved: JsonObject): Promise<void> | undefined {
    const facts = taskFacts(moved);
    if (facts === undefined) return undefined;
    const key = keyOf(call.agent, facts.task);
    const first = this.#first.get(key);
    if (first !== undefined) return first.then(() => this.#observeTask(call, moved));
    const known = this.#recall(key);
    if (known !== undefined) return this.#change(known, call, facts);
    const learnt = this.#learn(key, call, facts).finally(() => this.#first.delete(key));
    this.#first.set(key, learnt);
    return learnt;
  }

  async #learn(key: string, call: TaskCall, facts: TaskFacts): Promise<void> {
    const { agent, owner, instance } = call;
    const { task, context, state = FIRST_STATE } = facts;
    const stored = await this.#store.get(agent, task);
    if (stored !== undefined) return this.#change(this.#remember(key, stored, undefined), call, facts);
    const record = { agent, task, context, owner, instance, state, updatedAt: this.#now() };
    await this.#store.put(record);
    this.#remember(key, record, facts.timestamp);
  }

  /** What is said of another consumer's task changes nothing: an agent that gives one id twice must not hand it over. */
  #change(known: KnownTask, { owner }: TaskCall, facts: TaskFacts): Promise<void> | undefined {
    const { record } = known;
    const { context, state = record.state, timestamp } = facts;
    if (record.owner !== owner || ENDED_STATES.has(record.state)) return undefined;
    const isNewStatus =
      facts.state !== undefined &&
      (state !== record.state || (facts.isUpdate ? timestamp === undefined || timestamp !== known.timestamp : isLater(known, timestamp)));
    if (facts.state !== undefined) known.timestamp = timestamp;
    if (!isNewStatus && (record.context !== '' || context === '')) return undefined;
    known.record = { ...record, state, context: record.context === '' ? context : record.context, updatedAt: this.#now() };
    const waitMs = known.writtenAt + WRITE_MS - this.#now();
    if (waitMs <= 0 || ENDED_STATES.has(state)) return this.#write(known);
    known.timer ??= setTimeout(() => void this.#write(known), waitMs).unref();
    return undefined;
  }

  /** A call goes on when this fails: the task is known, and the next change is written again. */
  async #write(known: KnownTask): Promise<void> {
    clearTimeout(known.timer);
    delete known.timer;
    known.writtenAt = this.#now();
    try {
      await this.#store.put(known.record);
    } catch (error) {
      this.#log.warn({ err: error, agent: known.record.agent }, 'the state of a task could not be stored');
    }
  }

  #recall(key: string): KnownTask | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    this.#known.delete(key);
    this.#known.set(key, known);
    return known;
  }

  #remember(
    key: string,
    { agent, task, context, owner, instance, state, updatedAt }: TaskRecord,
    timestamp: string | undefined,
  ): KnownTask {
    const there = this.#recall(key);
    if (there !== undefined) return there;
    // Without the content, which may be large.
    const record = { agent, task, context, owner, instance, state, updatedAt };
    const known: KnownTask = { record, timestamp, writtenAt: updatedAt };
    this.#known.set(key, known);
    const [oldest] = this.#known;
    if (this.#known.size > this.#maxKnown && oldest !== undefined) {
      this.#known.delete(oldest[0]);
      if (oldest[1].timer !== undefined) void this.#write(oldest[1]);
    }
    return known;
  }

  async #flush(which: (record: TaskRecord) => boolean): Promise<void> {
    const waiting = [...this.#known.values()].filter(({ timer, record }) => timer !== undefined && which(record));
    await Promise.all(waiting.map((known) => this.#write(known)));
  }

  async #forgetOld(): Promise<void> {
    const before = this.#now() - KEPT_MS;
    try {
      await this.#store.forget(before);
    } catch (error) {
      this.#log.warn({ err: error }, 'old tasks of agents could not be forgotten');
      return;
    }
    for (const [key, { record }] of this.#known) if (record.updatedAt < before) this.#known.delete(key);
    this.#contexts.forget(before);
  }
}

/** A task as it is now says the same however often it is read. */
function isLater({ timestamp: before }: KnownTask, timestamp: string | undefined): boolean {
  return before !== undefined && timestamp !== undefined && timestamp !== before;
}

/** Names of agents have no such character. */
function keyOf(agent: string, task: string): string {
  return `${agent}\n${task}`;
}
