import { type Artifact, type Message, type Part, SendMessageRequest, type StreamResponse, type Task, TaskState } from '@a2a-js/sdk';
import type { SendMessageResult } from '@a2a-js/sdk';

interface Extra {
  readonly message?: Readonly<Record<string, unknown>>;
  readonly configuration?: Readonly<Record<string, unknown>>;
}

/** A request with one text, in the words of 1.0. */
export const say = (text: string, { message, configuration }: Extra = {}): SendMessageRequest =>
  SendMessageRequest.fromJSON({
    message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }], ...message },
    ...(configuration && { configuration }),
  });

export const textOf = (parts: readonly Part[] = []): string =>
  parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join('');

export const stateOf = ({ status }: { readonly status?: Task['status'] }): string =>
  status === undefined ? 'none' : TaskState[status.state].replace('TASK_STATE_', '').toLowerCase();

/** The text of its artifacts. */
export const answerOf = (task: Task): string => task.artifacts.map(({ parts }: Artifact) => textOf(parts)).join('');

/** Throws when the agent gave a bare message. */
export function taskOf(result: SendMessageResult): Task {
  if (!('status' in result)) throw new Error(`a message in place of a task: ${textOf((result as Message).parts)}`);
  return result as Task;
}

export interface Heard {
  /** Kinds of events, those that follow one another once. */
  readonly kinds: readonly string[];
  readonly task: Task | undefined;
  readonly taskId: string;
  readonly contextId: string;
  /** Texts of artifact updates in the order in which they came. */
  readonly chunks: readonly string[];
  /** The state of the last event that has one. */
  readonly last: string;
  /** The text of the last status. */
  readonly said: string;
  /** The text of a bare message. */
  readonly message: string | undefined;
}

/** Reads a stream to its end, or until `enough` says so. */
export async function listen(
  stream: AsyncIterable<StreamResponse>,
  enough: (event: NonNullable<StreamResponse['payload']>) => boolean = () => false,
): Promise<Heard> {
  const kinds: string[] = [];
  const chunks: string[] = [];
  let [task, message, status]: [Task | undefined, Message | undefined, Task['status']] = [undefined, undefined, undefined];
  let ids = { taskId: '', contextId: '' };
  for await (const { payload } of stream) {
    if (payload === undefined) throw new Error('an event without a payload');
    if (kinds.at(-1) !== payload.$case) kinds.push(payload.$case);
    if (payload.$case === 'message') message = payload.value;
    else if (payload.$case === 'task') {
      task = payload.value;
      status = task.status;
      ids = { taskId: task.id, contextId: task.contextId };
    } else {
      ids = { taskId: payload.value.taskId, contextId: payload.value.contextId };
      if (payload.$case === 'statusUpdate') status = payload.value.status;
      else chunks.push(textOf(payload.value.artifact?.parts));
    }
    if (enough(payload)) break;
  }
  return {
    ...ids,
    kinds,
    task,
    chunks,
    last: stateOf({ status }),
    said: textOf(status?.message?.parts),
    message: message && textOf(message.parts),
  };
}

/** The agent is at work, and has something to show for it: a piece of the answer, or a sentence such as "2 of 8". */
export const isUnderWay = ({ $case, value }: NonNullable<StreamResponse['payload']>): boolean =>
  $case === 'artifactUpdate' || ($case === 'statusUpdate' && /^[1-9]\d* of/.test(textOf(value.status?.message?.parts)));

/** The name of the error that the promise fails with. */
export async function failure(promise: PromiseLike<unknown> | AsyncIterable<unknown>): Promise<string> {
  try {
    if (Symbol.asyncIterator in promise) for await (const _ of promise);
    else await promise;
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
  return 'no error';
}
