import { ENDED_STATES, WAITING_STATES } from '../../../core/agents.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';

/** What is known of an answer of an agent, from events and tasks as they come. All shapes are those of A2A 1.0. */
export class TaskFold {
  /** As the agent named it last. */
  taskId: string | undefined;
  contextId: string | undefined;
  /** What the agent said last: of the status, or the whole answer where there is no task. */
  message: JsonObject | undefined;
  /** Without its artifacts. */
  #task: Record<string, unknown> = {};
  /** By id, in the order in which they came. One without an id has the empty one, as ProtoJSON leaves it out. */
  readonly #artifacts = new Map<string, JsonObject & { parts: unknown[] }>();

  /** The Task as it stands. The ids that it came with go before those of its updates, but where they are empty. */
  get task(): JsonObject {
    const { id, contextId } = this.#task;
    return { ...this.#task, id: id || this.taskId, contextId: contextId || this.contextId, artifacts: this.artifacts };
  }

  /** Their parts still grow with what is taken in. */
  get artifacts(): readonly JsonObject[] {
    return [...this.#artifacts.values()];
  }

  get state(): string | undefined {
    const { status } = this.#task;
    return isObject(status) && typeof status['state'] === 'string' ? status['state'] : undefined;
  }

  /** There is a task and it has ended. */
  get ended(): boolean {
    return this.state !== undefined && ENDED_STATES.has(this.state);
  }

  /** The agent waits for its caller. */
  get asks(): boolean {
    return this.state !== undefined && WAITING_STATES.has(this.state);
  }

  /** True for the event, just taken in, after which nothing more comes without another call. `goesOn`: the task was there before the call. */
  settles({ task, message, statusUpdate }: JsonObject, goesOn: boolean): boolean {
    if (isObject(message)) return true;
    // One without a status tells nothing of the task.
    if (isObject(statusUpdate)) return isObject(statusUpdate['status']) && (this.ended || this.asks);
    // A task that goes on may first be shown as it stood, and asks for what it has just been given until its status changes.
    return isObject(task) && (this.ended || (this.asks && !goesOn));
  }

  /** Takes in a StreamResponse. */
  take({ task, message, statusUpdate, artifactUpdate }: JsonObject): void {
    if (isObject(task)) this.takeTask(task);
    if (isObject(message)) this.#takeMessage(message);
    if (isObject(statusUpdate)) {
      this.#takeIds(statusUpdate['taskId'], statusUpdate['contextId']);
      // Without one it tells nothing new: what is known stays.
      if (isObject(statusUpdate['status'])) this.#takeStatus(statusUpdate['status']);
    }
    if (isObject(artifactUpdate)) {
      this.#takeIds(artifactUpdate['taskId'], artifactUpdate['contextId']);
      this.#takeArtifact(artifactUpdate['artifact'], artifactUpdate['append'] === true);
    }
  }

  /** A task as it is now stands for all that came before it; only its ids stay known when it leaves them out. */
  takeTask({ artifacts, ...task }: JsonObject): void {
    this.#task = task;
    this.#takeIds(task['id'], task['contextId']);
    this.#takeStatus(task['status']);
    this.#artifacts.clear();
    for (const artifact of Array.isArray(artifacts) ? artifacts : []) this.#takeArtifact(artifact, false);
  }

  #takeMessage(message: JsonObject): void {
    // A message is an answer of its own: what task it names, it does not begin.
    this.message = message;
    this.#takeIds(undefined, message['contextId']);
  }

  #takeIds(task: unknown, context: unknown): void {
    if (typeof task === 'string' && task !== '') this.taskId = task;
    if (typeof context === 'string' && context !== '') this.contextId = context;
  }

  #takeStatus(status: unknown): void {
    this.#task['status'] = status;
    this.message = isObject(status) && isObject(status['message']) ? status['message'] : undefined;
  }

  #takeArtifact(artifact: unknown, append: boolean): void {
    if (!isObject(artifact)) return;
    const id = typeof artifact['artifactId'] === 'string' ? artifact['artifactId'] : '';
    const parts: readonly unknown[] = Array.isArray(artifact['parts']) ? artifact['parts'] : [];
    const known = append ? this.#artifacts.get(id) : undefined;
    if (known === undefined) this.#artifacts.set(id, { ...artifact, parts: [...parts] });
    // Copied for each piece, an artifact of many pieces would take the square of their number; spread, one of many parts the stack.
    else for (const part of parts) known.parts.push(part);
  }
}
