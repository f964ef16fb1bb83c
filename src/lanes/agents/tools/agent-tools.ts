import { randomUUID } from 'node:crypto';
import type { PermitAgent } from '../../../access/patterns.ts';
import { AgentError } from '../../../core/agents.ts';
import type { Call } from '../../../core/call.ts';
import {
  SourceError,
  type Channel,
  type SessionToolSource,
  type SourceEvent,
  type SourceSnapshot,
  type SourceState,
} from '../../../core/contracts/tool-source.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { fingerprint } from '../../../core/secret.ts';
import { errorResult, type ToolsReply } from '../../../core/tools.ts';
import { TaskFold } from '../calls/task-fold.ts';
import { follow, progress, sendMessage, type Asking, type Patience } from './ask-agent.ts';
import { CANCEL_TASK, GET_TASK, skillTools, taskTools, USUAL_WAIT, type SkillTool } from './skill-tools.ts';
import { structured, taskResult } from './task-result.ts';

/** What is known of the agent at one moment. */
export interface DoorSnapshot {
  readonly state: SourceState;
  readonly error?: string;
  /** In the shape of A2A 1.0. */
  readonly card?: JsonObject;
  /** Changes with anything else here. */
  readonly version: string;
}

/**
 * The way from a tool to its agent: real calls of the agents lane by the consumer of `call`, so that the agent's access, limits and records hold. Only
 * the signal that is given calls one off: that of `call` may be aborted already. All throw AgentError for what the agent says, else GatewayError.
 */
export interface AgentDoor {
  /** The name of the agent in the configuration. */
  readonly name: string;
  snapshot(): DoorSnapshot;
  /** Calls `listener` after every change of the snapshot; returns the way to stop. */
  subscribe(listener: () => void): () => void;
  /**
   * `params` is a SendMessageRequest; gives StreamResponse objects. One that does not stream is asked whole: then one `{ task }` or `{ message }`
   * comes. Aborting or leaving cancels no task.
   */
  send(call: Call<'tools'>, params: JsonObject, signal: AbortSignal): AsyncIterable<JsonObject>;
  /** The Task as it is now. */
  get(call: Call<'tools'>, task: string, signal: AbortSignal): Promise<JsonObject>;
  /** The Task as it is then. */
  cancel(call: Call<'tools'>, task: string, signal: AbortSignal): Promise<JsonObject>;
}

const PATIENCE: Patience = { resultMs: 50_000, askMs: 500 };
const METHOD_NOT_FOUND = -32601;
const ARGUMENTS: ReadonlySet<string> = new Set(['message', 'context_id', 'task_id', 'data']);

/** What a model can do about an error of an agent (specification 5.4), besides reading it. */
const ADVICE: Readonly<Record<number, string>> = {
  [-32001]: 'Check the task_id, or begin anew without one.',
  [-32002]: `It cannot be cancelled any more: call ${GET_TASK} to see how it ended.`,
  [-32004]: 'Begin anew without task_id.',
  [-32005]: 'Say it as plain text, without data.',
  [-32602]: 'Change the arguments and try again.',
};

/** The skills of one agent as tools, with `get_task` and `cancel_task` for what takes longer than a call (feature A13). */
export class AgentToolSource implements SessionToolSource {
  readonly mode = 'session';
  readonly name: string;
  readonly #door: AgentDoor;
  readonly #patience: Patience;
  #made: { readonly of: string; readonly snapshot: SourceSnapshot; readonly skills: ReadonlyMap<string, SkillTool> } | undefined;

  constructor(door: AgentDoor, patience: Partial<Patience> = {}) {
    this.name = door.name;
    this.#door = door;
    this.#patience = { ...PATIENCE, ...patience };
  }

  get snapshot(): SourceSnapshot {
    return this.#present.snapshot;
  }

  subscribe(listener: (event: SourceEvent) => void): () => void {
    return this.#door.subscribe(() => listener({ type: 'lists' }));
  }

  async call(call: Call<'tools'>, name: string, channel: Channel): Promise<ToolsReply> {
    if (call.operation !== 'tools/call')
      throw new SourceError(METHOD_NOT_FOUND, 'An agent answers nothing but tool calls.', undefined, 'not_found');
    const asking: Asking = { door: this.#door, call, channel, patience: this.#patience };
    const args = call.input.arguments;
    const skill = this.#present.skills.get(name);
    if (skill !== undefined) return askSkill(asking, skill, args);
    if (name === GET_TASK) return getTask(asking, args);
    if (name === CANCEL_TASK) return cancelTask(asking, args);
    throw new SourceError(-32602, `Unknown tool: ${name}`, undefined, 'tool_unknown');
  }

  /** What calling the tool is to the access rules of the agent; undefined for a tool that is none. */
  asked(tool: string): PermitAgent | undefined {
    if (tool === GET_TASK) return { operation: 'tasks/get', skill: undefined, tags: [] };
    if (tool === CANCEL_TASK) return { operation: 'tasks/cancel', skill: undefined, tags: [] };
    const found = this.#present.skills.get(tool);
    return found && { operation: 'message/send', skill: found.skill, tags: found.tool.tags };
  }

  get #present() {
    const now = this.#door.snapshot();
    if (this.#made?.of !== now.version) this.#made = { of: now.version, ...this.#make(now) };
    return this.#made;
  }

  #make({ state, error, card }: DoorSnapshot): { snapshot: SourceSnapshot; skills: ReadonlyMap<string, SkillTool> } {
    const skills = card === undefined ? new Map<string, SkillTool>() : skillTools(card, this.name);
    const tools =
      card === undefined ? [] : [...[...skills.values()].map(({ tool }) => tool), ...taskTools(this.#patience.resultMs / 1_000)];
    const title = card?.['name'];
    const about = card?.['description'];
    const lists = {
      state,
      ...(error !== undefined && { error }),
      ...(typeof title === 'string' && title !== '' && { title }),
      ...(typeof about === 'string' && about !== '' && { instructions: about }),
      tools,
    };
    const snapshot = { version: fingerprint(lists), ...lists, resources: [], resourceTemplates: [], prompts: [], features: {} };
    return { snapshot, skills };
  }
}

async function askSkill(asking: Asking, { skill }: SkillTool, args: JsonObject): Promise<ToolsReply> {
  const wrong = wrongMessage(args);
  if (wrong !== undefined) return errorResult(wrong);
  const { message, context_id: contextId, task_id: taskId, data } = args;
  const params = {
    message: {
      messageId: randomUUID(),
      role: 'ROLE_USER',
      parts: [{ text: message }, ...(data === undefined ? [] : [{ data, mediaType: 'application/json' }])],
      ...(contextId !== undefined && { contextId }),
      ...(taskId !== undefined && { taskId }),
      ...(skill !== undefined && { metadata: { skill } }),
    },
    // Of an agent that does not stream, the task comes at once, and can be asked after.
    configuration: { returnImmediately: true },
  };
  const fold = new TaskFold();
  return acting(asking, fold, () => sendMessage(asking, params, fold));
}

async function getTask(asking: Asking, args: JsonObject): Promise<ToolsReply> {
  const longest = asking.patience.resultMs / 1_000;
  const { task_id: taskId, wait_seconds: wait = Math.min(USUAL_WAIT, longest) } = args;
  if (typeof taskId !== 'string' || taskId === '') return errorResult('task_id is missing: give the task_id that an earlier result gave.');
  if (typeof wait !== 'number' || !(wait >= 0 && wait <= longest))
    return errorResult(`wait_seconds must be a number from 0 to ${longest}.`);
  const { door, call, channel } = asking;
  const fold = new TaskFold();
  return acting(asking, fold, async () => {
    fold.takeTask(await door.get(call, taskId, call.signal));
    await follow(asking, fold, wait * 1_000, progress(channel));
  });
}

async function cancelTask(asking: Asking, args: JsonObject): Promise<ToolsReply> {
  const { task_id: taskId } = args;
  if (typeof taskId !== 'string' || taskId === '') return errorResult('task_id is missing: give the task_id that an earlier result gave.');
  const { door, call } = asking;
  const fold = new TaskFold();
  const result = await acting(asking, fold, async () => fold.takeTask(await door.cancel(call, taskId, call.signal)));
  // That the task is cancelled is what was asked for.
  return fold.state === 'TASK_STATE_CANCELED' ? { ...result, isError: false } : result;
}

/** The result of what `act` has folded. An error of the agent is for the model to read; all others are the hub's to tell. */
async function acting({ door }: Asking, fold: TaskFold, act: () => Promise<void>): Promise<ToolsReply> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const words = `The agent refuses: ${error.message.replace(/\.?$/, '.')}`;
    const known = fold.taskId === undefined ? undefined : { structuredContent: structured(fold) };
    return errorResult([words, ADVICE[error.code] ?? []].flat().join(' '), known);
  }
  return taskResult(fold, door.name);
}

/** What is wrong with the arguments of a skill; undefined when nothing is. */
function wrongMessage(args: JsonObject): string | undefined {
  const unknown = Object.keys(args).find((name) => !ARGUMENTS.has(name));
  if (unknown !== undefined) return `There is no argument "${unknown}". The arguments are ${[...ARGUMENTS].join(', ')}.`;
  const { message, data } = args;
  if (typeof message !== 'string' || message === '') return 'message is missing: say in plain words what the agent is to do.';
  const wrong = ['context_id', 'task_id'].find((name) => args[name] !== undefined && (typeof args[name] !== 'string' || args[name] === ''));
  if (wrong !== undefined) return `${wrong} must be a text that is not empty.`;
  return data === undefined || isObject(data) ? undefined : 'data must be an object.';
}
