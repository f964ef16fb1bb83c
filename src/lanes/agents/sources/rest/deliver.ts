import type { JsonObject } from '../../../../core/json.ts';
import type { Logger } from '../../../../core/logger.ts';
import type { AppAnswer, AppState } from './answers/app-answer.ts';
import type { AppPiece } from './answers/app-stream.ts';
import { withTurn, type Conversation } from './conversations.ts';
import { watchJob } from './answers/job-watch.ts';
import type { AppWay, Begun, Exchange } from './exchange.ts';
import { textOf } from './message-values.ts';
import type { HubTask } from './tasks/hub-task.ts';
import type { LaterTurn } from './turn.ts';

/** What a task is about, beside the task itself. */
export interface Delivery {
  readonly exchange: Exchange;
  readonly turn: LaterTurn;
  /** The text of the caller's message; undefined after a restart. */
  readonly said: string | undefined;
  /** The way to the application that serves now. Throws GatewayError `unavailable` where none does. */
  way(): AppWay;
  /** Masks the hub's secrets in what the application says. */
  redact(text: string): string;
  /** The conversation goes on from here. */
  converse(conversation: Conversation): void;
  /** The memo of the task has changed. */
  keep(task: HubTask): void;
  readonly log: Logger;
}

const STATES: Readonly<Record<AppState | 'unknown', string>> = {
  completed: 'TASK_STATE_COMPLETED',
  message: 'TASK_STATE_COMPLETED',
  failed: 'TASK_STATE_FAILED',
  rejected: 'TASK_STATE_REJECTED',
  canceled: 'TASK_STATE_CANCELED',
  input: 'TASK_STATE_INPUT_REQUIRED',
  working: 'TASK_STATE_WORKING',
  unknown: 'TASK_STATE_COMPLETED',
};
const SAID_NOTHING = 'The application behind this agent has failed, and does not say why.';
const NOT_DONE = 'The application behind this agent has not finished, and the hub does not know how to ask for the rest.';

/** Puts what the application says into the task, to its end or to the next pause. Throws what the reading throws. */
export async function deliver(task: HubTask, begun: Begun, signal: AbortSignal, delivery: Delivery): Promise<void> {
  if (begun.type === 'pieces') return deliverPieces(task, begun.pieces, delivery);
  if (begun.type === 'answer') return deliverAnswer(task, begun.answer, delivery);
  task.memo = { ...task.memo, job: begun.job };
  remember(task, begun.answer.conversation, delivery);
  delivery.keep(task);
  if (begun.answer.note !== undefined) task.say('TASK_STATE_WORKING', delivery.redact(begun.answer.note));
  return deliverJob(task, begun.job, signal, delivery);
}

/** Goes on with a job that had begun. */
export async function deliverJob(task: HubTask, job: string, signal: AbortSignal, delivery: Delivery): Promise<void> {
  const { exchange, turn, way, redact, log } = delivery;
  if (exchange.polling === undefined) return task.say('TASK_STATE_FAILED', NOT_DONE);
  let last: string | undefined;
  const answer = await watchJob(exchange.polling, {
    turn,
    job,
    way,
    signal,
    log,
    progress({ note }) {
      if (note === undefined || note === last) return;
      last = note;
      task.say('TASK_STATE_WORKING', redact(note));
    },
  });
  return deliverAnswer(task, answer, delivery);
}

function deliverAnswer(task: HubTask, answer: AppAnswer, delivery: Delivery): void {
  const { state, parts, conversation } = answer;
  // The work is over: without a job nobody can ask.
  if (state === 'working') return task.say('TASK_STATE_FAILED', NOT_DONE);
  const isGood = state === 'completed' || state === 'message' || state === 'unknown';
  const answered = state === 'input' ? (answer.note ?? textOf(parts)) : textOf(parts);
  remember(task, conversation, delivery, isGood || state === 'input' ? answered : undefined);
  if (state === 'input') return task.say(STATES.input, delivery.redact(answered) || undefined);
  task.give(parts);
  const note = answer.note === undefined ? undefined : delivery.redact(answer.note);
  task.say(STATES[state], state === 'failed' ? (note ?? SAID_NOTHING) : note);
}

async function deliverPieces(task: HubTask, pieces: AsyncIterable<AppPiece>, delivery: Delivery): Promise<void> {
  let conversation: string | undefined;
  for await (const piece of pieces) {
    if (task.hasEnded) return;
    conversation = piece.conversation ?? conversation;
    if (piece.job !== undefined && task.memo['job'] !== piece.job) task.memo = { ...task.memo, job: piece.job };
    if (piece.failure !== undefined) {
      remember(task, conversation, delivery);
      return task.say('TASK_STATE_FAILED', piece.failure === '' ? SAID_NOTHING : delivery.redact(piece.failure));
    }
    if (piece.note !== undefined) task.say('TASK_STATE_WORKING', delivery.redact(piece.note));
    if (piece.text !== undefined) task.add(piece.text, piece.replace);
    if (piece.data !== undefined) task.give([{ data: piece.data, mediaType: 'application/json' }]);
  }
  remember(task, conversation, delivery, task.added);
  task.say('TASK_STATE_COMPLETED');
}

/** A whole answer that may become a plain message: pieces are put together. */
export async function wholeAnswer(begun: Begun): Promise<Begun> {
  if (begun.type !== 'pieces') return begun;
  let text = '';
  const data: JsonObject[] = [];
  let conversation: string | undefined;
  for await (const piece of begun.pieces) {
    conversation = piece.conversation ?? conversation;
    if (piece.failure !== undefined)
      return { type: 'answer', answer: { state: 'failed', parts: [], note: piece.failure || undefined, conversation } };
    if (piece.text !== undefined) text = piece.replace === true ? piece.text : text + piece.text;
    if (piece.data !== undefined) data.push({ data: piece.data, mediaType: 'application/json' });
  }
  const parts = [...(text === '' ? [] : [{ text }]), ...data];
  return { type: 'answer', answer: { state: 'completed', parts, conversation } };
}

/** What is said next goes on from here. */
export function nextConversation(
  { exchange, turn, said }: Pick<Delivery, 'exchange' | 'turn' | 'said'>,
  id: string | undefined,
  answered?: string,
): Conversation {
  const conversation: Conversation = { ...turn.conversation, id: id ?? turn.conversation.id };
  return exchange.needsTurns && said !== undefined && answered !== undefined ? withTurn(conversation, said, answered) : conversation;
}

function remember(task: HubTask, id: string | undefined, delivery: Delivery, answered?: string): void {
  const conversation = nextConversation(delivery, id, answered);
  task.memo = { ...task.memo, conversation };
  delivery.converse(conversation);
}
