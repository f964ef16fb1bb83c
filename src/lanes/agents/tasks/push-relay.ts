import { hash, randomBytes, randomUUID } from 'node:crypto';
import type { PushRecord, TaskRecord, TaskStore } from '../../../core/contracts/store.ts';
import { AgentError } from '../../../core/agents.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import { isObject } from '../../../core/json.ts';
import type { UpstreamRequest } from '../../../core/upstream.ts';
import { agentError } from '../wires/agent-errors.ts';
import type { VersionName, Wire } from '../wires/wire.ts';
import type { PushDeliveryParts } from './push-delivery.ts';
import { PushDelivery } from './push-delivery.ts';
import { checkPushTarget, pushRequest, textOf } from './push-target.ts';
import type { TaskBook } from './task-book.ts';
import { taskOf } from './task-facts.ts';

export interface PushRelayParts extends PushDeliveryParts {
  readonly store: TaskStore;
  readonly book: TaskBook;
  /** Where this hub is reached from outside. No slash at the end. */
  base(): string;
  wireOf(version: VersionName): Pick<Wire, 'writePush'>;
  /** The task as its instance has it, for callers of 0.3, who are told whole tasks. Undefined, and an error: they are told the event. */
  readTask(record: TaskRecord): Promise<JsonObject | undefined>;
  /**
   * The consumer is still configured and may still see the agent: whoever may not is told nothing more, and the config is gone. True while that
   * cannot be known: before the first configuration serves, and without a card where access goes by skills.
   */
  mayHear(agent: string, owner: string): boolean;
}

export interface PushCaller {
  readonly agent: string;
  readonly owner: string;
  /** The version that the caller speaks: it is told in its shape. */
  readonly version: VersionName;
  /** The source that the order goes to, where it is known already. */
  readonly instance?: string;
}

/** A config that is kept, so that a notification may come before the agent's answer. It stands for no task until `bind`. */
export interface PushOrder {
  /** What is sent to the agent in place of the caller's params. */
  readonly params: JsonObject;
  /** TaskPushNotificationConfig in the caller's words: the answer to `set`. */
  readonly config: JsonObject;
  /** The agent took it, for this task. Takes the place of an older one with the same id. After `set` it throws AgentError InvalidParams when the task has too many. */
  bind(task: string): Promise<void>;
  /** The agent did not take it, or there is no task. */
  drop(): Promise<void>;
}

export interface PushNotice {
  readonly agent: string;
  /** The last segment of the address that the agent was given. */
  readonly token: string;
  /** Parsed. */
  readonly body: unknown;
  /** That the source speaks. */
  readonly wire: Pick<Wire, 'readPush'>;
}

const TOKEN_BYTES = 32;
/** Configs of one task. */
const MOST_CONFIGS = 10;

/**
 * Stands between agents and the webhooks of callers (specification 3.5.3, 4.3, 13.2): an agent is given an address of the hub's that nobody can
 * guess, never a caller's address or secrets. Whoever asks for a task's configs must own the task: that is for the caller of these functions.
 * What waits to be delivered is lost when the hub stops; a caller finds the state with `tasks/get`.
 */
export class PushRelay {
  readonly #parts: PushRelayParts;
  readonly #delivery: PushDelivery;

  constructor(parts: PushRelayParts) {
    this.#parts = parts;
    this.#delivery = new PushDelivery(parts);
  }

  /** For `message/send` and `message/stream`; undefined when they bring no config. Throws AgentError InvalidParams. */
  async inline(caller: PushCaller, params: JsonObject): Promise<PushOrder | undefined> {
    const { configuration } = params;
    const given = isObject(configuration) ? configuration['taskPushNotificationConfig'] : undefined;
    if (!isObject(configuration) || given === undefined || given === null) return undefined;
    if (!isObject(given)) throw agentError('InvalidParams', 'configuration.taskPushNotificationConfig must be an object.');
    const { taskId: _task, ...config } = given;
    const { message } = params;
    await this.#checkRoom(caller, isObject(message) ? textOf(message, 'taskId') : '', textOf(config, 'id'));
    const order = await this.#keep(caller, config);
    return {
      ...order,
      params: { ...params, configuration: { ...configuration, taskPushNotificationConfig: order.params } },
      bind: (task) => order.bind(task).catch((error: unknown) => this.#goOn(caller, error)),
    };
  }

  /** Throws AgentError InvalidParams, also for the eleventh config of a task. */
  async set(caller: PushCaller, params: JsonObject): Promise<PushOrder> {
    await this.#checkRoom(caller, textOf(params, 'taskId'), textOf(params, 'id'));
    return this.#keep(caller, params);
  }

  /** TaskPushNotificationConfig; the oldest when no id is given, as 0.3 allows. Throws AgentError TaskNotFound (specification 3.1.8). */
  async get(caller: PushCaller, params: JsonObject): Promise<JsonObject> {
    const id = textOf(params, 'id');
    const record = (await this.#recordsOf(caller, params)).find((one) => id === '' || one.id === id);
    if (record === undefined) throw agentError('TaskNotFound', `Push notification config not found for task ${textOf(params, 'taskId')}`);
    return inCallersWords(record);
  }

  /** ListTaskPushNotificationConfigsResponse, in one page. */
  async list(caller: PushCaller, params: JsonObject): Promise<JsonObject> {
    return { configs: (await this.#recordsOf(caller, params)).map(inCallersWords), nextPageToken: '' };
  }

  /**
   * Gives what the agent is to be sent; undefined when there was none, which is no error (specification 3.1.10). Nothing is delivered any more,
   * whatever the agent says.
   */
  async delete(caller: PushCaller, params: JsonObject): Promise<JsonObject | undefined> {
    const id = textOf(params, 'id');
    const record = (await this.#recordsOf(caller, params)).find((one) => one.id === id);
    if (record === undefined) return undefined;
    await this.#drop(record.digest);
    return params;
  }

  /** Is this the token of an address that the agent was given? Who has none is not listened to. */
  async knows(agent: string, token: string): Promise<boolean> {
    return (await this.#recordBy(agent, token)) !== undefined;
  }

  /**
   * Takes what an agent tells, and delivers it in the background. Gives the status of the answer: 204, 400 for what cannot be read, and 404 for a
   * token that is wrong, for one whose owner may not hear of the agent any more, and for a task that is not the token's.
   */
  async receive({ agent, token, body, wire }: PushNotice): Promise<204 | 400 | 404> {
    const { store, book } = this.#parts;
    const record = await this.#recordBy(agent, token);
    if (record === undefined) return 404;
    let event: JsonObject;
    try {
      event = wire.readPush(body);
    } catch {
      return 400;
    }
    const task = taskOf(event);
    if (task === undefined) return 400;
    const known = await store.get(agent, task);
    if ((record.task !== '' && record.task !== task) || (known !== undefined && known.owner !== record.owner)) return 404;
    const bound = { ...record, task };
    if (record.task === '' && !(await store.putPush(bound, MOST_CONFIGS))) return 404;
    const instance = known?.instance ?? record.instance;
    if (instance !== undefined) await book.observe({ agent, owner: record.owner, instance }, event);
    this.#deliver(bound, event);
    return 204;
  }

  /** Tells of a task that the hub itself carries out; `token` is that in the address which came with its message. */
  async tell({ agent, owner, task }: Pick<TaskRecord, 'agent' | 'owner' | 'task'>, event: JsonObject, token?: string): Promise<void> {
    const { store, mayHear } = this.#parts;
    const inline = token === undefined ? undefined : await this.#recordBy(agent, token);
    // A task may end before its message is answered.
    if (inline?.owner === owner && inline.task === '') await store.putPush({ ...inline, task }, MOST_CONFIGS);
    for (const record of await store.pushes(agent, task)) {
      if (record.owner !== owner) continue;
      if (mayHear(agent, owner)) this.#deliver(record, event);
      else await this.#drop(record.digest);
    }
  }

  close(): void {
    this.#delivery.close();
  }

  async #keep({ agent, owner, version, instance }: PushCaller, config: JsonObject): Promise<PushOrder> {
    checkPushTarget(config);
    const { store, base, now } = this.#parts;
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const id = textOf(config, 'id') || randomUUID();
    const record: PushRecord = {
      agent,
      task: '',
      id,
      owner,
      ...(instance !== undefined && { instance }),
      digest: digestOf(token),
      version,
      config,
      createdAt: now(),
    };
    await store.putPush(record, MOST_CONFIGS);
    const { tenant, taskId } = config;
    return {
      params: {
        ...(tenant !== undefined && { tenant }),
        ...(taskId !== undefined && { taskId }),
        id,
        url: `${base()}/a2a/${agent}/push/${token}`,
        token,
      },
      config: { ...config, id },
      bind: async (task) => {
        if (await store.putPush({ ...record, task }, MOST_CONFIGS)) return;
        await this.#drop(record.digest);
        throw tooMany();
      },
      drop: () => this.#drop(record.digest),
    };
  }

  /** Before the agent hears of it; where two come at the same moment, `bind` finds it out. */
  async #checkRoom({ agent }: PushCaller, task: string, id: string): Promise<void> {
    const records = task === '' ? [] : await this.#parts.store.pushes(agent, task);
    if (records.filter((record) => record.id !== id).length >= MOST_CONFIGS) throw tooMany();
  }

  /** The message has been sent: its answer is worth more than a config. */
  #goOn({ agent }: PushCaller, error: unknown): void {
    if (!(error instanceof AgentError)) throw error;
    this.#parts.log.warn({ agent, err: error }, 'a push notification config that came with a message is not kept');
  }

  /** The config that the token stands for. One whose owner may not hear of the agent any more is dropped, whatever the owner may do later. */
  async #recordBy(agent: string, token: string): Promise<PushRecord | undefined> {
    const record = await this.#parts.store.pushByDigest(digestOf(token));
    if (record?.agent !== agent) return undefined;
    if (this.#parts.mayHear(agent, record.owner)) return record;
    await this.#drop(record.digest);
    return undefined;
  }

  async #drop(digest: string): Promise<void> {
    await this.#parts.store.deletePush(digest);
    this.#delivery.end(digest);
  }

  async #recordsOf({ agent, owner }: PushCaller, params: JsonObject): Promise<readonly PushRecord[]> {
    const task = textOf(params, 'taskId');
    // Those of the empty task are everybody's.
    const records = task === '' ? [] : await this.#parts.store.pushes(agent, task);
    return records.filter((record) => record.owner === owner);
  }

  #deliver(record: PushRecord, event: JsonObject): void {
    const { agent, owner, digest } = record;
    this.#delivery.add(digest, { agent, owner, size: JSON.stringify(event).length, make: () => this.#request(record, event) });
  }

  async #request(record: PushRecord, event: JsonObject): Promise<UpstreamRequest> {
    const { agent, owner, version, config } = record;
    // It may have waited for hours behind others.
    if (!this.#parts.mayHear(agent, owner)) throw new GatewayError('forbidden', 'The consumer may not hear of this agent any more.');
    const told = version === '0.3' ? await this.#wholeTask(record, event) : event;
    return pushRequest(config as JsonObject, version, this.#parts.wireOf(version).writePush(told));
  }

  /** 0.3 has whole tasks for notifications, where 1.0 has events. */
  async #wholeTask({ agent, task }: PushRecord, event: JsonObject): Promise<JsonObject> {
    if (event['statusUpdate'] === undefined && event['artifactUpdate'] === undefined) return event;
    const { store, readTask } = this.#parts;
    const record = await store.get(agent, task);
    const whole = record && (await readTask(record).catch(() => undefined));
    return whole === undefined ? event : { task: whole };
  }
}

function inCallersWords({ config, id, task }: PushRecord): JsonObject {
  return { ...(config as JsonObject), id, taskId: task };
}

function tooMany(): Error {
  return agentError(
    'InvalidParams',
    `A task has at most ${MOST_CONFIGS} push notification configs. Delete one, or use the id of one to replace it.`,
  );
}

function digestOf(token: string): string {
  return hash('sha256', token);
}
