import { randomUUID } from 'node:crypto';
import { ENDED_STATES, WAITING_STATES } from '../../../../../core/agents.ts';
import { GatewayError } from '../../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../../core/json.ts';
import { TaskStream } from './task-stream.ts';

export interface HubTaskFacts {
  readonly id: string;
  readonly context: string;
  /** The name of the consumer. */
  readonly owner: string;
}

/** Told of every change of the state, once the task has it. */
export type StateListener = (task: HubTask) => void;

const MOST_MESSAGES = 100;
/** Characters of the messages; the latest stays, however long it is. */
const LONGEST_HISTORY = 2_000_000;
const MOST_ARTIFACTS = 100;
/** Characters of all artifacts. */
const LARGEST = 16_000_000;

/** One task that the hub itself carries out. What happens after its end changes nothing. */
export class HubTask {
  readonly id: string;
  readonly context: string;
  readonly owner: string;
  /** What its work must know to go on after a restart. Any JSON; kept with the next change of the state. */
  memo: JsonObject = {};
  /** Of the push configuration that came with the latest message, in the address that the hub gave out for it: it may be bound to no task yet. */
  pushToken: string | undefined;
  #status: JsonObject;
  #artifacts: JsonObject[] = [];
  #history: JsonObject[] = [];
  /** Characters of each message. */
  #lengths: number[] = [];
  /** The artifact that text is added to. */
  #open: { readonly id: string; text: string } | undefined;
  #size = 0;
  #isClaimed = false;
  readonly #streams = new Set<TaskStream>();
  readonly #waiting = new Set<() => void>();
  readonly #told: StateListener;
  readonly #left: StateListener;

  /** `left` is told when a reader of the events has gone, or a message that had the task. */
  constructor({ id, context, owner }: HubTaskFacts, told: StateListener, left: StateListener) {
    this.id = id;
    this.context = context;
    this.owner = owner;
    this.#told = told;
    this.#left = left;
    this.#status = { state: 'TASK_STATE_SUBMITTED', timestamp: new Date().toISOString() };
  }

  /** Takes what `snapshot` gave earlier. */
  revive(task: JsonObject, memo: JsonObject): void {
    const { status, artifacts, history } = task;
    if (isObject(status)) this.#status = status;
    if (Array.isArray(artifacts)) this.#artifacts = artifacts.filter(isObject);
    for (const message of Array.isArray(history) ? history.filter(isObject) : []) this.#remember(message);
    this.#size = JSON.stringify(this.#artifacts).length;
    this.memo = memo;
  }

  get state(): string {
    return String(this.#status['state']);
  }

  get hasEnded(): boolean {
    return ENDED_STATES.has(this.state);
  }

  /** Nothing happens until the caller says something more. */
  get isPaused(): boolean {
    return WAITING_STATES.has(this.state);
  }

  get isClaimed(): boolean {
    return this.#isClaimed;
  }

  /** Takes a paused task for one message, before the application is told of it; false when it is not paused, or another message has it. */
  claim(): boolean {
    if (this.#isClaimed || !this.isPaused) return false;
    return (this.#isClaimed = true);
  }

  /** The message has been taken, or refused. */
  unclaim(): void {
    this.#isClaimed = false;
    this.#left(this);
  }

  get isRead(): boolean {
    return this.#streams.size > 0 || this.#waiting.size > 0;
  }

  /** The Task of A2A, with so many of its latest messages; all when undefined. */
  snapshot(historyLength?: number): JsonObject {
    const history = historyLength === undefined ? this.#history : historyLength > 0 ? this.#history.slice(-historyLength) : [];
    return {
      id: this.id,
      contextId: this.context,
      status: this.#status,
      ...(this.#artifacts.length === 0 ? {} : { artifacts: this.#withOpen() }),
      ...(history.length === 0 ? {} : { history: [...history] }),
    };
  }

  /** Keeps a message of the caller. */
  hear(message: JsonObject): void {
    this.#remember({ ...message, taskId: this.id, contextId: this.context });
  }

  /** Changes the state, or says how the work goes. */
  say(state: string, note?: string): void {
    if (this.hasEnded) return;
    const before = this.state;
    const message = note === undefined ? undefined : this.#message(note);
    this.#status = { state, timestamp: new Date().toISOString(), ...(message === undefined ? {} : { message }) };
    // What is said on the way is not worth keeping.
    if (message !== undefined && state !== 'TASK_STATE_WORKING') this.#remember(message);
    if (state !== 'TASK_STATE_WORKING') this.#close();
    this.#publish({ statusUpdate: { taskId: this.id, contextId: this.context, status: this.#status } });
    if (this.hasEnded || this.isPaused) this.#release();
    if (state !== before) this.#told(this);
  }

  /** A whole artifact. Throws GatewayError `upstream_too_large`. */
  give(parts: readonly JsonObject[]): void {
    if (this.hasEnded || parts.length === 0) return;
    this.#close();
    this.#grow(JSON.stringify(parts).length);
    if (this.#artifacts.length >= MOST_ARTIFACTS) this.#artifacts.shift();
    const artifact = { artifactId: randomUUID(), name: 'answer', parts: [...parts] };
    this.#artifacts.push(artifact);
    this.#publish({ artifactUpdate: { taskId: this.id, contextId: this.context, artifact, lastChunk: true } });
  }

  /** Text that belongs to what was added before; with `replace` in place of it. Throws GatewayError `upstream_too_large`. */
  add(text: string, replace = false): void {
    if (this.hasEnded || text === '') return;
    this.#grow(text.length - (replace ? (this.#open?.text.length ?? 0) : 0));
    const begins = this.#open === undefined;
    const open = (this.#open ??= { id: randomUUID(), text: '' });
    open.text = replace ? text : open.text + text;
    const artifact = { artifactId: open.id, name: 'answer', parts: [{ text }] };
    // Its text is written into it when somebody asks: pieces are many.
    if (begins) this.#artifacts.push(artifact);
    const append = begins || replace ? {} : { append: true };
    this.#publish({ artifactUpdate: { taskId: this.id, contextId: this.context, artifact, ...append } });
  }

  /** The text that was added so far. */
  get added(): string {
    return this.#open?.text ?? '';
  }

  /** What happens from now on, after the task as it is: to the next pause or to the end, or until `signal` fires. */
  events(signal: AbortSignal, historyLength?: number): TaskStream {
    const stream = new TaskStream({
      snapshot: () => ({ task: this.snapshot(historyLength) }),
      left: (gone) => {
        this.#streams.delete(gone);
        this.#left(this);
      },
    });
    this.#streams.add(stream);
    stream.until(signal);
    if (this.hasEnded) stream.end();
    return stream;
  }

  /** Waits for the next pause or the end. Throws GatewayError `client_closed` when `signal` fires first; the task goes on. */
  async settled(signal: AbortSignal): Promise<void> {
    if (this.hasEnded || this.isPaused) return;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', gone);
        this.#left(this);
        resolve();
      };
      const gone = (): void => {
        this.#waiting.delete(done);
        this.#left(this);
        reject(new GatewayError('client_closed'));
      };
      if (signal.aborted) return gone();
      signal.addEventListener('abort', gone, { once: true });
      this.#waiting.add(done);
    });
  }

  #publish(event: JsonObject): void {
    for (const stream of this.#streams) stream.push(event);
  }

  #release(): void {
    for (const stream of this.#streams) stream.end();
    for (const done of this.#waiting) done();
  }

  #remember(message: JsonObject): void {
    this.#history.push(message);
    this.#lengths.push(JSON.stringify(message).length);
    const isFull = (): boolean =>
      this.#history.length > MOST_MESSAGES || this.#lengths.reduce((sum, length) => sum + length, 0) > LONGEST_HISTORY;
    while (this.#history.length > 1 && isFull()) {
      this.#history.shift();
      this.#lengths.shift();
    }
  }

  #message(text: string): JsonObject {
    return { role: 'ROLE_AGENT', messageId: randomUUID(), parts: [{ text }], taskId: this.id, contextId: this.context };
  }

  #grow(characters: number): void {
    if (this.#size + characters > LARGEST) throw new GatewayError('upstream_too_large');
    this.#size += characters;
  }

  #close(): void {
    this.#artifacts = this.#withOpen();
    this.#open = undefined;
  }

  #withOpen(): JsonObject[] {
    const open = this.#open;
    if (open === undefined) return [...this.#artifacts];
    return this.#artifacts.map((artifact) =>
      artifact['artifactId'] === open.id ? { ...artifact, parts: [{ text: open.text }] } : artifact,
    );
  }
}
