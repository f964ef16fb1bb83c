import { ENDED_STATES } from '../../../core/agents.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';

/** States in which the agent waits for its caller (specification 4.1.3). */
const INTERRUPTED_STATES: ReadonlySet<string> = new Set(['TASK_STATE_INPUT_REQUIRED', 'TASK_STATE_AUTH_REQUIRED']);

/** What is known of an answer of an agent, from events and tasks as they come. All shapes are those of A2A 1.0. */
export class TaskView {
  taskId: string | undefined;
  contextId: string | undefined;
  state: string | undefined;
  /** What the agent said last: of the status, or the whole answer where there is no task. */
  message: JsonObject | undefined;
  readonly #artifacts = new Map<string, JsonObject>();

  get artifacts(): readonly JsonObject[] {
    return [...this.#artifacts.values()];
  }

  /** There is a task and it has ended. */
  get ended(): boolean {
    return this.state !== undefined && ENDED_STATES.has(this.state);
  }

  /** The agent waits for its caller. */
  get asks(): boolean {
    return this.state !== undefined && INTERRUPTED_STATES.has(this.state);
  }

  /** Nothing more comes without another call. */
  get settled(): boolean {
    return this.ended || this.asks || (this.taskId === undefined && this.message !== undefined);
  }

  /** Takes in a StreamResponse. */
  take(event: JsonObject): void {
    const { task, message, statusUpdate, artifactUpdate } = event;
    if (isObject(task)) this.takeTask(task);
    if (isObject(message)) this.#takeMessage(message);
    if (isObject(statusUpdate)) {
      this.#takeIds(statusUpdate['taskId'], statusUpdate['contextId']);
      this.#takeStatus(statusUpdate['status']);
    }
    if (isObject(artifactUpdate)) {
      this.#takeIds(artifactUpdate['taskId'], artifactUpdate['contextId']);
      this.#takeArtifact(artifactUpdate['artifact'], artifactUpdate['append'] === true);
    }
  }

  /** A task as it is now stands for all that came before it. */
  takeTask(task: JsonObject): void {
    this.#takeIds(task['id'], task['contextId']);
    this.#takeStatus(task['status']);
    this.#artifacts.clear();
    for (const artifact of Array.isArray(task['artifacts']) ? task['artifacts'] : []) this.#takeArtifact(artifact, false);
  }

  #takeMessage(message: JsonObject): void {
    // A message is an answer of its own: what task it names, it does not begin.
    this.message = message;
    if (typeof message['contextId'] === 'string' && message['contextId'] !== '') this.contextId = message['contextId'];
  }

  #takeIds(task: unknown, context: unknown): void {
    if (typeof task === 'string' && task !== '') this.taskId = task;
    if (typeof context === 'string' && context !== '') this.contextId = context;
  }

  #takeStatus(status: unknown): void {
    if (!isObject(status)) return;
    if (typeof status['state'] === 'string') this.state = status['state'];
    this.message = isObject(status['message']) ? status['message'] : undefined;
  }

  #takeArtifact(artifact: unknown, append: boolean): void {
    if (!isObject(artifact)) return;
    const id = typeof artifact['artifactId'] === 'string' ? artifact['artifactId'] : '';
    const before = append ? this.#artifacts.get(id) : undefined;
    this.#artifacts.set(id, before === undefined ? artifact : { ...before, parts: [...partsOf(before), ...partsOf(artifact)] });
  }
}

export function partsOf(holder: JsonObject | undefined): readonly JsonObject[] {
  const parts = holder?.['parts'];
  return Array.isArray(parts) ? parts.filter(isObject) : [];
}

/** The texts of a message or artifact. Chunks of one artifact are cut anywhere, so nothing is put between them. */
export function textOf(holder: JsonObject | undefined): string {
  return partsOf(holder)
    .map(({ text }) => (typeof text === 'string' ? text : ''))
    .join('');
}

/** A state in the words of people: `TASK_STATE_INPUT_REQUIRED` is `input-required`. */
export function stateWord(state: string | undefined): string {
  return (state ?? 'unknown')
    .replace(/^TASK_STATE_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}
