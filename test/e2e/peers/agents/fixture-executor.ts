import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Part, Role, TaskState } from '@a2a-js/sdk';
import { AgentEvent, type AgentExecutor, type ExecutionEventBus, type RequestContext } from '@a2a-js/sdk/server';

const textPart = (value: string): Part => ({ content: { $case: 'text', value }, metadata: undefined, filename: '', mediaType: '' });

/**
 * What the fixture agent does, by the text of the message:
 * - `long 5`: five chunks of one artifact, a tick apart; `burst 200`: as many as fast as it can
 * - `input`: asks for more; `fail`, `reject`: ends so; `message`: answers with a bare message
 * - `parts`: gives back the parts after the first in an artifact; `who`: its name
 * - `silent 20`: ends after so many ticks, and says nothing until then
 * - anything else: says it again in an artifact
 */
export class FixtureExecutor implements AgentExecutor {
  messages = 0;
  readonly #name: string;
  readonly #tickMs: number;
  readonly #contexts = new Map<string, string>();
  /** Turns that go on, by task. */
  readonly #running = new Map<string, AbortController>();

  constructor(name: string, tickMs: number) {
    this.#name = name;
    this.#tickMs = tickMs;
  }

  async execute({ userMessage, task, taskId, contextId }: RequestContext, bus: ExecutionEventBus): Promise<void> {
    this.messages += 1;
    const say = (text: string) => ({
      role: Role.ROLE_AGENT,
      messageId: randomUUID(),
      parts: [textPart(text)],
      taskId,
      contextId,
      extensions: [],
      metadata: {},
      referenceTaskIds: [],
    });
    const status = (state: TaskState, text?: string) => ({
      state,
      timestamp: new Date().toISOString(),
      message: text === undefined ? undefined : say(text),
    });
    const update = (state: TaskState, text?: string): void =>
      bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: status(state, text), metadata: {} }));
    const artifact = (parts: Part[], { id = randomUUID() as string, append = false, last = true } = {}): void =>
      bus.publish(
        AgentEvent.artifactUpdate({
          taskId,
          contextId,
          append,
          lastChunk: last,
          metadata: {},
          artifact: { artifactId: id, name: 'result', description: '', parts, metadata: {}, extensions: [] },
        }),
      );

    const texts = userMessage.parts.map(({ content }) => (content?.$case === 'text' ? content.value : ''));
    const text = texts.join(' ').trim();
    if (text === 'message') return bus.publish(AgentEvent.message({ ...say('Direct message response'), taskId: '' }));
    const turn = new AbortController();
    this.#contexts.set(taskId, contextId);
    this.#running.set(taskId, turn);
    const begun = {
      id: taskId,
      contextId,
      status: status(TaskState.TASK_STATE_SUBMITTED),
      artifacts: [],
      history: [userMessage],
      metadata: {},
    };
    bus.publish(AgentEvent.task(task ?? begun));
    try {
      if (text === 'reject') return update(TaskState.TASK_STATE_REJECTED, 'Rejected as asked');
      if (text === 'input') return update(TaskState.TASK_STATE_INPUT_REQUIRED, 'More, please');
      if (text === 'fail') return update(TaskState.TASK_STATE_FAILED, 'Failed as asked');
      update(TaskState.TASK_STATE_WORKING);
      const [, kind, many] = /^(long|burst|silent) (\d+)$/.exec(text) ?? [];
      const count = Number(many);
      if (kind === 'silent') await sleep(count * this.#tickMs, undefined, { signal: turn.signal });
      const chunks = kind === 'silent' ? 0 : count;
      for (let i = 1; i <= chunks; i++) {
        if (kind === 'long') await sleep(this.#tickMs, undefined, { signal: turn.signal });
        artifact([textPart(`chunk ${i} of ${count}\n`)], { id: 'progress', append: i > 1, last: i === count });
      }
      if (text.startsWith('parts')) artifact(userMessage.parts.slice(1));
      else if (text === 'who') artifact([textPart(this.#name)]);
      else if (kind === undefined) artifact([textPart(`You said: ${text}`)]);
      update(TaskState.TASK_STATE_COMPLETED);
    } catch (error) {
      if (!turn.signal.aborted) throw error;
      update(TaskState.TASK_STATE_CANCELED, 'Canceled as asked');
    } finally {
      this.#running.delete(taskId);
    }
  }

  cancelTask = async (taskId: string, bus: ExecutionEventBus): Promise<void> => {
    const turn = this.#running.get(taskId);
    if (turn) return turn.abort();
    const status = { state: TaskState.TASK_STATE_CANCELED, timestamp: new Date().toISOString(), message: undefined };
    bus.publish(AgentEvent.statusUpdate({ taskId, contextId: this.#contexts.get(taskId) ?? '', status, metadata: {} }));
  };
}
