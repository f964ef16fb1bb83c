import { setTimeout as pause } from 'node:timers/promises';
import type { Call } from '../../../core/call.ts';
import type { Channel } from '../../../core/contracts/tool-source.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import type { TaskFold } from '../calls/task-fold.ts';
import { GET_TASK } from './skill-tools.ts';
import type { AgentDoor } from './agent-tools.ts';
import { stateWord, textOf } from './task-words.ts';

/** How long a call of a tool waits, in milliseconds. */
export interface Patience {
  /** From the call to a result, when there is a task that can be asked for later. Clients give up after 60 s as a rule. */
  readonly resultMs: number;
  /** Between two questions after a task that does not stream; each further one is twice as late, up to ten times. */
  readonly askMs: number;
}

/** One call of a tool, and whom it asks. */
export interface Asking {
  readonly door: AgentDoor;
  readonly call: Call<'tools'>;
  readonly channel: Channel;
  readonly patience: Patience;
}

/** Characters of one progress message. */
const LONGEST_PROGRESS = 500;

/**
 * Sends a message and gives what is known when the task has ended, asks, or has taken too long: then it goes on at the agent. Without a task
 * there is nothing to come back for, and the answer is waited for as long as the agent's timeouts allow. Throws AgentError and GatewayError; of a
 * task that is known, `fold` holds it then.
 *
 * A client that cancels its call, or closes it, gets no answer, and the task goes on all the same: no CancelTask is ours (DESIGN 2.4), and a lost
 * connection looks like a wish to stop. Whoever wants that calls `cancel_task` by the name that the first progress message has. What has no name
 * yet is read until it has one: the lane must know whose task it is.
 */
export async function sendMessage(asking: Asking, params: JsonObject, fold: TaskFold): Promise<void> {
  const { door, call, channel, patience } = asking;
  const goesOn = isObject(params['message']) && params['message']['taskId'] !== undefined;
  const until = performance.now() + patience.resultMs;
  const leaving = new AbortController();
  const over = new AbortController();
  const say = progress(channel);
  const hasName = Promise.withResolvers<void>();

  async function read(): Promise<'read'> {
    for await (const event of door.send(call, params, leaving.signal)) {
      fold.take(event);
      if (fold.taskId !== undefined) hasName.resolve();
      if (!over.signal.aborted) say(event, fold);
      if (fold.settles(event, goesOn)) break;
    }
    return 'read';
  }

  // What breaks off after the task has a name is no loss: the agent can be asked.
  const reading = read().catch((error: unknown) => {
    if (error instanceof GatewayError && error.retryable && fold.taskId !== undefined) return 'read' as const;
    throw error;
  });
  const late = pause(patience.resultMs, undefined, { signal: over.signal }).then(async () => {
    await hasName.promise;
    return 'late' as const;
  });
  try {
    const first = await Promise.race([reading, late, aborted(call.signal, over.signal)]);
    if (first === 'read') await follow(asking, fold, until - performance.now(), say);
  } catch (error) {
    throw withTask(error, fold);
  } finally {
    over.abort();
    void Promise.allSettled([Promise.race([hasName.promise, reading])]).then(() => leaving.abort());
  }
}

/** Asks after a task until it has ended, asks, or `ms` are over. Leaves it alone when the caller cancels. */
export async function follow({ door, call, patience }: Asking, fold: TaskFold, ms: number, say: Say): Promise<void> {
  const end = performance.now() + ms;
  for (let wait = patience.askMs; fold.taskId !== undefined && !fold.ended && !fold.asks; wait = Math.min(wait * 2, patience.askMs * 10)) {
    const left = end - performance.now();
    if (left <= 0) return;
    try {
      await pause(Math.min(wait, left), undefined, { signal: call.signal });
    } catch {
      throw new GatewayError('client_closed');
    }
    const before = fold.state;
    const task = await door.get(call, fold.taskId, call.signal);
    fold.takeTask(task);
    if (fold.state !== before) say({ statusUpdate: { status: task['status'] } }, fold);
  }
}

export type Say = (event: JsonObject, fold: TaskFold) => void;

/** Tells the caller what an event says, if it asked for progress. */
export function progress(channel: Channel): Say {
  const { progressToken } = channel.meta;
  if (typeof progressToken !== 'string' && typeof progressToken !== 'number') return () => {};
  let step = 0;
  return ({ artifactUpdate, statusUpdate, task }, fold) => {
    if (artifactUpdate === undefined && statusUpdate === undefined && task === undefined) return;
    const artifact = isObject(artifactUpdate) && isObject(artifactUpdate['artifact']) ? artifactUpdate['artifact'] : undefined;
    const said = textOf(statusUpdate === undefined ? artifact : fold.message) || `Task ${fold.taskId ?? ''} is ${stateWord(fold.state)}.`;
    step += 1;
    channel.notify('notifications/progress', { progressToken, progress: step, message: said.slice(0, LONGEST_PROGRESS) });
  };
}

/** Rejects when the caller cancels; `over` ends the watch. */
function aborted(signal: AbortSignal, over: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const leave = (): void => reject(new GatewayError('client_closed'));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true, signal: over });
  });
}

/** A failure of the hub's own does not lose the task: it goes on at the agent. */
function withTask(error: unknown, { taskId }: TaskFold): unknown {
  if (!(error instanceof GatewayError) || taskId === undefined || error.code === 'client_closed') return error;
  const { detail, retryAfterMs, rule } = error;
  return new GatewayError(error.code, `${error.message} The task may go on at the agent: call ${GET_TASK} with task_id "${taskId}".`, {
    ...(detail !== undefined && { detail }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(rule !== undefined && { rule }),
    cause: error,
  });
}
