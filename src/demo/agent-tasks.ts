import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { AgentError, ENDED_STATES } from '../core/agents.ts';
import { isObject, type JsonObject } from '../core/json.ts';

/** Tasks that are remembered; beyond them the oldest is forgotten. */
const MOST_TASKS = 1_000;
/** Of one task: a person may answer a question of the agent again and again. */
const MOST_MESSAGES = 20;
/** Characters of one message, as JSON. */
const LONGEST_MESSAGE = 100_000;
const HIGHEST = 20;
const SKILLS = ['echo', 'count'] as const;
type Skill = (typeof SKILLS)[number];

interface DemoTask {
  readonly id: string;
  readonly contextId: string;
  readonly skill: Skill;
  status: JsonObject & { readonly state: string; readonly timestamp: string };
  artifacts: readonly JsonObject[];
  history: readonly JsonObject[];
  /** Calls off what goes on now; absent once that has ended or waits for the caller. */
  turn?: AbortController;
  ended: Promise<void>;
  readonly followers: Set<Follower>;
}

/** What the operations of the agent do, in the shapes of A2A 1.0. All throw AgentError. */
export interface DemoTasks {
  /** Of SendMessageRequest: ends with the turn, or at once with `returnImmediately`. SendMessageResponse. */
  send(params: JsonObject): Promise<JsonObject>;
  stream(params: JsonObject): AsyncIterable<JsonObject>;
  subscribe(params: JsonObject): AsyncIterable<JsonObject>;
  get(params: JsonObject): JsonObject;
  cancel(params: JsonObject): Promise<JsonObject>;
  list(params: JsonObject): JsonObject;
}

/** Events on their way to one reader. Its own iterator and no generator: one that waits could not be left. */
class Follower implements AsyncIterableIterator<JsonObject> {
  readonly #leave: (follower: Follower) => void;
  readonly #waiting: JsonObject[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(leave: (follower: Follower) => void) {
    this.#leave = leave;
  }

  push(event: JsonObject): void {
    this.#waiting.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<JsonObject>> {
    while (this.#waiting.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    const value = this.#waiting.shift();
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  async return(): Promise<IteratorResult<JsonObject>> {
    this.#leave(this);
    this.#waiting.length = 0;
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** An agent's tasks without a network: they go on whoever listens. `paceMs` lies between two numbers of a count. */
export function createDemoTasks(paceMs: number): DemoTasks {
  const tasks = new Map<string, DemoTask>();

  function known(id: unknown): DemoTask {
    const task = typeof id === 'string' ? tasks.get(id) : undefined;
    if (task === undefined) throw new AgentError(-32001, 'The demo agent has no such task.', undefined, 'not_found');
    return task;
  }

  /** The task that the message begins or goes on with; its turn is not begun. */
  function taken({ message, configuration }: JsonObject): { task: DemoTask; message: JsonObject } {
    const read = readMessage(message);
    if (isObject(configuration) && configuration['taskPushNotificationConfig'] !== undefined)
      throw new AgentError(-32003, 'The demo agent sends no push notifications.');
    const task = read['taskId'] === undefined ? begin(read, tasks) : goesOn(known(read['taskId']), read);
    const said = { ...read, taskId: task.id, contextId: task.contextId };
    task.history = [...task.history, said].slice(-MOST_MESSAGES);
    return { task, message: said };
  }

  function start(task: DemoTask, message: JsonObject): Promise<void> {
    task.turn = new AbortController();
    return (task.ended = work(task, message, { paceMs, signal: task.turn.signal }));
  }

  return {
    async send(params) {
      const { task, message } = taken(params);
      const ended = start(task, message);
      const atOnce = isObject(params['configuration']) && params['configuration']['returnImmediately'] === true;
      if (!atOnce) await ended;
      return { task: shown(task, historyLength(params['configuration'])) };
    },
    stream(params) {
      const { task, message } = taken(params);
      const follower = follow(task);
      void start(task, message);
      return follower;
    },
    subscribe({ id }) {
      const task = known(id);
      if (ENDED_STATES.has(task.status.state)) throw new AgentError(-32004, 'The task has ended: nothing more comes. Get it instead.');
      return follow(task);
    },
    get: (params) => shown(known(params['id']), historyLength(params)),
    async cancel({ id }) {
      const task = known(id);
      if (ENDED_STATES.has(task.status.state)) throw new AgentError(-32002, 'The task has ended already.', undefined, 'conflict');
      task.turn?.abort();
      await task.ended;
      if (!ENDED_STATES.has(task.status.state)) setStatus(task, 'TASK_STATE_CANCELED', 'Canceled as asked.');
      return shown(task);
    },
    list: (params) => listed([...tasks.values()], params),
  };
}

function readMessage(message: unknown): JsonObject {
  if (!isObject(message)) throw invalid('message: a message is needed.');
  const { parts, messageId } = message;
  if (typeof messageId !== 'string' || messageId === '') throw invalid('message.messageId: an id is needed.');
  if (!Array.isArray(parts) || parts.length === 0) throw invalid('message.parts: at least one part is needed.');
  if (parts.some((part) => !isObject(part) || (typeof part['text'] !== 'string' && part['data'] === undefined)))
    throw new AgentError(-32005, 'The demo agent takes parts with text or data.');
  if (JSON.stringify(message).length > LONGEST_MESSAGE) throw invalid(`message: at most ${LONGEST_MESSAGE} characters.`);
  // Proto3 writers may send an empty text for one that is not there.
  return { ...message, taskId: message['taskId'] || undefined, contextId: message['contextId'] || undefined };
}

function begin(message: JsonObject, tasks: Map<string, DemoTask>): DemoTask {
  const [oldest] = tasks.values();
  if (tasks.size >= MOST_TASKS && oldest !== undefined) {
    tasks.delete(oldest.id);
    oldest.turn?.abort();
    for (const follower of oldest.followers) follower.end();
  }
  const task: DemoTask = {
    id: randomUUID(),
    contextId: typeof message['contextId'] === 'string' ? message['contextId'] : randomUUID(),
    skill: skillOf(message),
    status: { state: 'TASK_STATE_SUBMITTED', timestamp: new Date().toISOString() },
    artifacts: [],
    history: [],
    ended: Promise.resolve(),
    followers: new Set(),
  };
  tasks.set(task.id, task);
  return task;
}

function goesOn(task: DemoTask, { contextId }: JsonObject): DemoTask {
  if (contextId !== undefined && contextId !== task.contextId) throw invalid('message.contextId: the task is of another context.');
  if (task.status.state !== 'TASK_STATE_INPUT_REQUIRED')
    throw new AgentError(-32004, 'The task waits for no message. Begin a new one, without taskId.');
  return task;
}

function skillOf({ metadata, parts }: JsonObject): Skill {
  const named = isObject(metadata) ? (metadata['skill'] ?? metadata['skillId']) : undefined;
  if (named === undefined) return /^\s*count\b/i.test(textOf(parts)) ? 'count' : 'echo';
  const skill = SKILLS.find((one) => one === named);
  if (skill === undefined) throw invalid(`message.metadata: the skills are ${SKILLS.join(' and ')}.`);
  return skill;
}

/** One turn. Never throws. */
async function work(task: DemoTask, message: JsonObject, { paceMs, signal }: { paceMs: number; signal: AbortSignal }): Promise<void> {
  setStatus(task, 'TASK_STATE_WORKING');
  try {
    if (task.skill === 'echo') {
      publishArtifact(task, { artifactId: 'echo', name: 'echo', parts: echoed(message['parts'] as readonly JsonObject[]) });
    } else {
      const to = Number(/\d{1,9}/.exec(textOf(message['parts']))?.[0] ?? 0);
      if (to < 1 || to > HIGHEST)
        return setStatus(task, 'TASK_STATE_INPUT_REQUIRED', `How far shall I count? Say a number from 1 to ${HIGHEST}.`);
      for (let number = 1; number <= to; number += 1) {
        await pause(paceMs, undefined, { signal });
        const artifact = { artifactId: 'count', name: 'count', parts: [{ text: `${number}\n` }] };
        publishArtifact(task, artifact, { append: number > 1, lastChunk: number === to });
      }
    }
    setStatus(task, 'TASK_STATE_COMPLETED');
  } catch {
    // Only the pause throws, and only when the turn is called off.
    setStatus(task, 'TASK_STATE_CANCELED', 'Canceled as asked.');
  } finally {
    delete task.turn;
    for (const follower of task.followers) follower.end();
    task.followers.clear();
  }
}

function echoed(parts: readonly JsonObject[]): JsonObject[] {
  const text = textOf(parts);
  const data = parts.filter((part) => part['data'] !== undefined);
  return text === '' && data.length > 0 ? data : [{ text: `You said: ${text}` }, ...data];
}

function publishArtifact(task: DemoTask, artifact: JsonObject, more: JsonObject = {}): void {
  const old = more['append'] === true ? task.artifacts.at(-1) : undefined;
  const whole = old === undefined ? artifact : { ...old, parts: [...(old['parts'] as unknown[]), ...(artifact['parts'] as unknown[])] };
  task.artifacts = old === undefined ? [...task.artifacts, whole] : [...task.artifacts.slice(0, -1), whole];
  publish(task, { artifactUpdate: { taskId: task.id, contextId: task.contextId, artifact, ...more } });
}

function setStatus(task: DemoTask, state: string, text?: string): void {
  const said = { messageId: randomUUID(), role: 'ROLE_AGENT', taskId: task.id, contextId: task.contextId, parts: [{ text }] };
  task.status = { state, timestamp: new Date().toISOString(), ...(text !== undefined && { message: said }) };
  publish(task, { statusUpdate: { taskId: task.id, contextId: task.contextId, status: task.status } });
}

function publish(task: DemoTask, event: JsonObject): void {
  for (const follower of task.followers) follower.push(event);
}

/** Begins with the task as it is now (specification 3.1.6). */
function follow(task: DemoTask): Follower {
  const follower = new Follower((left) => task.followers.delete(left));
  task.followers.add(follower);
  follower.push({ task: shown(task) });
  return follower;
}

function shown({ id, contextId, status, artifacts, history }: DemoTask, length?: number): JsonObject {
  const kept = length === undefined ? history : length === 0 ? [] : history.slice(-length);
  return { id, contextId, status, artifacts, ...(kept.length > 0 && { history: kept }) };
}

/** ListTasksResponse (specification 3.1.4): the latest change first; a page ends with the place of the next. */
function listed(tasks: readonly DemoTask[], params: JsonObject): JsonObject {
  const { contextId, status, statusTimestampAfter: after, pageToken, includeArtifacts } = params;
  const pageSize = whole(params, 'pageSize', 1, 100) ?? 50;
  const length = historyLength(params) ?? 0;
  const first = pageToken === undefined || pageToken === '' ? 0 : Number(pageToken);
  if (!Number.isSafeInteger(first) || first < 0) throw invalid('pageToken: it is none of a list of this agent.');
  const since = after === undefined ? 0 : Date.parse(String(after));
  if (Number.isNaN(since)) throw invalid('statusTimestampAfter: write a time such as 2026-01-01T00:00:00Z.');
  const found = tasks
    .filter((task) => (contextId || task.contextId) === task.contextId && (status || task.status.state) === task.status.state)
    .filter((task) => Date.parse(task.status.timestamp) >= since)
    .toSorted((a, b) => (a.status.timestamp < b.status.timestamp ? 1 : -1));
  const page = found.slice(first, first + pageSize).map((task) => {
    const { artifacts, ...rest } = shown(task, length);
    return includeArtifacts === true ? { ...rest, artifacts } : rest;
  });
  const next = first + pageSize < found.length ? String(first + pageSize) : '';
  return { tasks: page, nextPageToken: next, pageSize, totalSize: found.length };
}

function historyLength(params: unknown): number | undefined {
  return isObject(params) ? whole(params, 'historyLength', 0, Number.MAX_SAFE_INTEGER) : undefined;
}

function whole(params: JsonObject, name: string, least: number, most: number): number | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most)
    throw invalid(`${name}: write a whole number of at least ${least}${most > 1_000 ? '' : ` and at most ${most}`}.`);
  return value as number;
}

function textOf(parts: unknown): string {
  return (parts as readonly JsonObject[]).map(({ text }) => (typeof text === 'string' ? text : '')).join('');
}

function invalid(message: string): AgentError {
  return new AgentError(-32602, message);
}
