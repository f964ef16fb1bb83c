import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { AgentError } from '../../../../core/agents.ts';
import type { Call, Handled } from '../../../../core/call.ts';
import type { AgentLine } from '../../../../core/contracts/agent-source.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { agentError } from '../../wires/agent-errors.ts';
import type { AppAnswer } from './answers/app-answer.ts';
import { unaddressed } from './answers/app-fault.ts';
import { callLine, ownLine, type AppAccess, type AppLine } from './answers/app-line.ts';
import { createConversations, NEW_CONVERSATION, type Conversation, type Conversations } from './conversations.ts';
import { deliver, deliverJob, nextConversation, wholeAnswer, type Delivery } from './deliver.ts';
import type { AppWay, Begun, Exchange } from './exchange.ts';
import { historyLength, partsOf, textOf } from './message-values.ts';
import type { RestSourceOptions } from './rest-source.ts';
import type { Skills } from './skills.ts';
import type { HubTask } from './tasks/hub-task.ts';
import type { Work } from './tasks/hub-tasks.ts';
import type { LaterTurn, Turn } from './turn.ts';

export interface MessageDeskOptions extends Pick<RestSourceOptions, 'http' | 'tasks' | 'redact' | 'log'>, AppAccess {
  skills(): Skills | undefined;
}

/** Milliseconds in which a failure is still the call's own, so that another instance or another try can help. Then the task begins. */
const PATIENCE_MS = 500;
const CANCEL_MS = 30_000;

interface Opened {
  readonly turn: Turn;
  readonly exchange: Exchange;
  readonly controller: AbortController;
  /** What the application does with the message. */
  readonly opening: Promise<Begun>;
  readonly line: AgentLine;
}

/** Where messages become tasks of the hub. */
export class MessageDesk implements AppWay {
  readonly #options: MessageDeskOptions;
  readonly #conversations: Conversations;

  constructor(options: MessageDeskOptions) {
    this.#options = options;
    this.#conversations = createConversations(async (owner, context) => (await options.tasks.lastMemo(owner, context))?.['conversation']);
  }

  /** `message/send` and `message/stream`. Throws GatewayError when the application cannot take the message, and AgentError for one that it cannot be given. */
  async take(call: Call<'agents'>, line: AgentLine): Promise<Handled<'agents'>> {
    const { message } = line.params;
    if (!isObject(message)) throw agentError('InvalidParams', 'message: a message is needed.');
    const earlier = await this.#earlier(call, message);
    let opened: Opened;
    let begun: Begun | undefined;
    let task: HubTask;
    try {
      opened = await this.#open(call, line, message, earlier);
      begun = await this.#firstWord(opened, earlier);
      const plain = begun?.type === 'answer' && earlier === undefined ? this.#plainly(opened, begun.answer) : undefined;
      if (plain !== undefined) return handed(line, plain);
      task = this.#begin(opened, message, earlier);
    } finally {
      earlier?.unclaim();
    }
    return this.#handOver(opened, task, () => this.#options.tasks.run(task, this.#work(opened, begun), opened.controller));
  }

  /** The work to go on with after a restart of the hub: a job that can be asked about. */
  resume(task: HubTask): Work | undefined {
    const { job } = task.memo;
    const turn = laterTurn(task);
    const exchange = this.exchangeOf(turn.skill);
    if (exchange?.polling === undefined || typeof job !== 'string') return undefined;
    const delivery = this.#delivery(exchange, turn, undefined);
    return {
      carryOut: (_task, signal) => deliverJob(task, job, signal, delivery),
      cancel: (canceled) => this.#cancel(canceled, turn),
    };
  }

  exchangeOf(skill: string | undefined): Exchange | undefined {
    const skills = this.#skills();
    try {
      return skills.choose(skill);
    } catch {
      return undefined;
    }
  }

  line(signal: AbortSignal): AppLine {
    return ownLine(this.#options, this.#options.http, signal);
  }

  redact(text: string): string {
    return this.#options.redact(text);
  }

  #skills(): Skills {
    const skills = this.#options.skills();
    if (skills === undefined) throw new GatewayError('unavailable', 'This agent is not ready: its configuration cannot be used.');
    return skills;
  }

  #way(): AppWay {
    const { way } = this.#options.tasks;
    if (way === undefined) throw new GatewayError('unavailable', 'This agent is not configured any more.');
    return way;
  }

  /** The task that the message goes on with (specification 3.4.2), claimed: of two messages at once the application hears one. Throws AgentError. */
  async #earlier(call: Call<'agents'>, message: JsonObject): Promise<HubTask | undefined> {
    const { taskId, contextId } = message;
    if (typeof taskId !== 'string' || taskId === '') return undefined;
    const task = await this.#options.tasks.find(taskId, call.consumer.name);
    if (task.hasEnded) throw ended(task);
    if (!task.isPaused) throw busy();
    if (typeof contextId === 'string' && contextId !== '' && contextId !== task.context)
      throw agentError('InvalidParams', 'message.contextId: the task belongs to another context.');
    if (!task.claim()) throw busy();
    return task;
  }

  async #open(call: Call<'agents'>, line: AgentLine, message: JsonObject, earlier: HubTask | undefined): Promise<Opened> {
    const skills = this.#skills();
    const remembered = earlier?.memo['skill'];
    // Only what the lane has seen, and checked against the rules of access.
    const skill = call.input.skill ?? (typeof remembered === 'string' ? remembered : undefined);
    const exchange = skills.choose(skill);
    const { contextId } = message;
    const given = typeof contextId === 'string' && contextId !== '' ? contextId : undefined;
    const context = earlier?.context ?? given ?? randomUUID();
    const owner = call.consumer.name;
    const conversation = (earlier?.context ?? given) === undefined ? NEW_CONVERSATION : await this.#conversations.get(owner, context);
    const job = typeof earlier?.memo['job'] === 'string' ? earlier.memo['job'] : undefined;
    const turn: Turn = { task: earlier?.id ?? randomUUID(), context, owner, skill, conversation, message, call, line, job };
    const controller = new AbortController();
    const opening = exchange.begin(turn, callLine(this.#options, line, controller.signal)).catch((error: unknown) => {
      throw unaddressed(error);
    });
    // Who waits for it may come later.
    opening.catch(() => undefined);
    return { turn, exchange, controller, opening, line };
  }

  /** What the application says at once; undefined when it takes longer, which makes a task of it. */
  async #firstWord({ opening, exchange, turn, controller }: Opened, earlier: HubTask | undefined): Promise<Begun | undefined> {
    if (exchange.answersPlainly && earlier === undefined) {
      const { signal } = turn.call;
      const leave = (): void => controller.abort(new GatewayError('client_closed'));
      if (signal.aborted) leave();
      signal.addEventListener('abort', leave, { once: true });
      try {
        return await wholeAnswer(await opening);
      } finally {
        signal.removeEventListener('abort', leave);
      }
    }
    const patience = new AbortController();
    try {
      return await Promise.race([opening, wait(PATIENCE_MS, undefined, { signal: patience.signal })]);
    } finally {
      patience.abort();
    }
  }

  /** A plain message, where that is the answer. */
  #plainly({ exchange, turn }: Opened, answer: AppAnswer): JsonObject | undefined {
    const { state, parts, conversation } = answer;
    if (state !== 'message' && !(exchange.answersPlainly && (state === 'completed' || state === 'unknown'))) return undefined;
    const said = textOf(partsOf(turn.message));
    this.#conversations.set(turn.owner, turn.context, nextConversation({ exchange, turn, said }, conversation, textOf(parts)));
    return { role: 'ROLE_AGENT', messageId: randomUUID(), contextId: turn.context, parts: parts.length === 0 ? [{ text: '' }] : parts };
  }

  #begin({ turn, exchange, controller, line }: Opened, message: JsonObject, earlier: HubTask | undefined): HubTask {
    const task = earlier ?? this.#options.tasks.create({ id: turn.task, context: turn.context, owner: turn.owner });
    if (earlier !== undefined && !earlier.isPaused) {
      // It was canceled meanwhile.
      controller.abort(new GatewayError('conflict'));
      throw ended(earlier);
    }
    task.hear(message);
    const { conversation, skill } = turn;
    task.memo = {
      ...task.memo,
      ...(skill === undefined ? {} : { skill }),
      conversation: exchange.needsTurns ? conversation : { ...conversation, turns: [] },
    };
    task.pushToken = pushTokenOf(line.params);
    task.say('TASK_STATE_WORKING');
    return task;
  }

  #work({ turn, exchange, opening }: Opened, begun: Begun | undefined): Work {
    const delivery = this.#delivery(exchange, turn, textOf(partsOf(turn.message)));
    return {
      carryOut: async (task, signal) => {
        const said = begun ?? (await opening);
        return deliver(task, said, signal, delivery);
      },
      cancel: (task) => this.#cancel(task, turn),
    };
  }

  async #handOver({ line, turn }: Opened, task: HubTask, run: () => void): Promise<Handled<'agents'>> {
    const { configuration } = line.params;
    const wishes = isObject(configuration) ? configuration : {};
    const length = historyLength(wishes);
    const { tasks } = this.#options;
    if (line.operation === 'message/stream') {
      const stream = task.events(turn.call.signal, length);
      run();
      await tasks.saved(task);
      return { stream };
    }
    run();
    if (wishes['returnImmediately'] === true) await tasks.saved(task);
    else await task.settled(turn.call.signal);
    return { reply: { result: { task: task.snapshot(length) } } };
  }

  async #cancel(task: HubTask, turn: LaterTurn): Promise<void> {
    const { job } = task.memo;
    if (typeof job !== 'string') return;
    const way = this.#way();
    await way.exchangeOf(turn.skill)?.cancel?.(turn, job, way.line(AbortSignal.timeout(CANCEL_MS)));
  }

  #delivery(exchange: Exchange, turn: LaterTurn, said: string | undefined): Delivery {
    return {
      exchange,
      turn,
      said,
      way: () => this.#way(),
      redact: (text) => (this.#options.tasks.way ?? this).redact(text),
      converse: (conversation) => this.#conversations.set(turn.owner, turn.context, conversation),
      keep: (task) => this.#options.tasks.keep(task),
      log: this.#options.log,
    };
  }
}

/** The lane has put its own address and token in place of the caller's. */
function pushTokenOf({ configuration }: JsonObject): string | undefined {
  const config = isObject(configuration) ? configuration['taskPushNotificationConfig'] : undefined;
  const token = isObject(config) ? config['token'] : undefined;
  return typeof token === 'string' && token !== '' ? token : undefined;
}

function ended({ state }: HubTask): AgentError {
  return agentError('UnsupportedOperation', `The task has ended (${state}) and takes no more messages. Send one without its taskId.`);
}

function busy(): AgentError {
  return agentError('UnsupportedOperation', 'The task is at work and takes no message now. Wait until it asks for input, or cancel it.');
}

function handed(line: AgentLine, message: JsonObject): Handled<'agents'> {
  if (line.operation !== 'message/stream') return { reply: { result: { message } } };
  return { stream: once({ message }) };
}

async function* once(event: JsonObject): AsyncGenerator<{ event: JsonObject }> {
  yield { event };
}

/** What is known of a turn when only its task is there. */
function laterTurn({ id, context, owner, memo }: HubTask): LaterTurn {
  const { skill, conversation } = memo;
  return {
    task: id,
    context,
    owner,
    skill: typeof skill === 'string' ? skill : undefined,
    conversation: (isObject(conversation) ? conversation : NEW_CONVERSATION) as unknown as Conversation,
  };
}
