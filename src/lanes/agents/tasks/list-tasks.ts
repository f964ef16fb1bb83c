import { ENDED_STATES } from '../../../core/agents.ts';
import type { TaskRecord } from '../../../core/contracts/store.ts';
import type { JsonObject } from '../../../core/json.ts';
import { isObject } from '../../../core/json.ts';
import { agentError } from '../wires/agent-errors.ts';
import type { TaskBook } from './task-book.ts';
import { timeOf } from './task-facts.ts';

export interface ListTasksParts {
  readonly book: TaskBook;
  readonly agent: string;
  readonly owner: string;
  /** The task as its instance has it (`tasks/get`); undefined when the instance does not know it any more. Throws when it cannot be asked. */
  read(record: TaskRecord): Promise<JsonObject | undefined>;
}

interface Wanted {
  readonly context: string | undefined;
  readonly status: string | undefined;
  readonly since: number | undefined;
  readonly pageSize: number;
  readonly position: string | undefined;
  readonly historyLength: number | undefined;
  readonly artifacts: boolean;
}

const READS_AT_A_TIME = 8;
const DEFAULT_PAGE = 50;
const LARGEST_PAGE = 100;
/** Each, of the states below. */
const MOST_REFRESHED = 50;
/** States that a task leaves without a message of its owner, so that the hub may not have heard of it. */
const MOVING_STATES = ['TASK_STATE_SUBMITTED', 'TASK_STATE_WORKING', 'TASK_STATE_AUTH_REQUIRED'];
const ANY_STATE = 'TASK_STATE_UNSPECIFIED';
const STATES = new Set([...ENDED_STATES, ...MOVING_STATES, 'TASK_STATE_INPUT_REQUIRED', ANY_STATE]);

/**
 * Answers `tasks/list` (specification 3.1.4): the caller's own tasks, latest change first, each as its instance has it now. A task whose instance
 * cannot be asked is shown with the state that the hub knows; one that is gone is left out and forgotten. Where the caller asks by status or time,
 * what may have changed without the hub is read first: the latest tasks only, so that the work is bounded.
 * @throws AgentError InvalidParams
 */
export async function listTasks(params: JsonObject, parts: ListTasksParts): Promise<JsonObject> {
  const wanted = readParams(params);
  const { book, agent, owner } = parts;
  const fresh = new Map<string, JsonObject>();
  const query = { agent, owner, ...(wanted.context !== undefined && { context: wanted.context }) };
  if (wanted.status !== undefined || wanted.since !== undefined) {
    const lists = await Promise.all(MOVING_STATES.map((state) => book.list({ ...query, state, limit: MOST_REFRESHED })));
    const moving = lists.flatMap(({ tasks }) => tasks);
    await readAll(moving, fresh, parts);
  }
  const found = await page(book, {
    ...query,
    ...(wanted.status !== undefined && { state: wanted.status }),
    ...(wanted.since !== undefined && { since: wanted.since }),
    ...(wanted.position !== undefined && { before: wanted.position }),
    limit: wanted.pageSize,
  });
  const gone = await readAll(found.tasks.filter(({ task }) => !fresh.has(task)), fresh, parts); // prettier-ignore
  const shown = found.tasks
    .filter(({ task }) => !gone.has(task))
    .map((record) => ({ task: fresh.get(record.task) ?? asKnown(record), record }))
    .filter(({ task }) => isWanted(task, wanted))
    .toSorted((a, b) => (changedAt(b.task) ?? b.record.updatedAt) - (changedAt(a.task) ?? a.record.updatedAt));
  return {
    tasks: shown.map(({ task }) => shape(task, wanted)),
    nextPageToken: found.next === undefined ? '' : Buffer.from(found.next).toString('base64url'),
    pageSize: wanted.pageSize,
    totalSize: found.total - (found.tasks.length - shown.length),
  };
}

async function page(book: TaskBook, query: Parameters<TaskBook['list']>[0]): ReturnType<TaskBook['list']> {
  try {
    return await book.list(query);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'bad_request') throw wrongToken();
    throw error;
  }
}

/** Puts what instances have into `fresh`; gives the ids of those that are gone. */
async function readAll(records: readonly TaskRecord[], fresh: Map<string, JsonObject>, parts: ListTasksParts): Promise<Set<string>> {
  const { book, agent, owner, read } = parts;
  const gone = new Set<string>();
  const waiting = records.values();
  const work = async (): Promise<void> => {
    for (const record of waiting) {
      let task: JsonObject | undefined;
      try {
        task = await read(record);
      } catch {
        continue;
      }
      if (task === undefined) {
        gone.add(record.task);
        await book.forget(agent, record.task);
      } else {
        fresh.set(record.task, task);
        await book.observe({ agent, owner, instance: record.instance }, task);
      }
    }
  };
  await Promise.all(Array.from({ length: READS_AT_A_TIME }, work));
  return gone;
}

function isWanted(task: JsonObject, { status, since }: Wanted): boolean {
  const { state } = isObject(task['status']) ? task['status'] : {};
  return (status === undefined || state === status) && (since === undefined || (changedAt(task) ?? since) >= since);
}

function asKnown({ task, context, state, updatedAt }: TaskRecord): JsonObject {
  return { id: task, ...(context !== '' && { contextId: context }), status: { state, timestamp: new Date(updatedAt).toISOString() } };
}

function changedAt({ status }: JsonObject): number | undefined {
  return isObject(status) ? timeOf(status['timestamp']) : undefined;
}

/** Specification 3.1.4 for artifacts, 3.2.4 for the history: what is not wanted is not there at all. */
function shape(task: JsonObject, { artifacts: wantsArtifacts, historyLength }: Wanted): JsonObject {
  const { artifacts, history, ...rest } = task;
  const messages =
    Array.isArray(history) && historyLength !== undefined ? history.slice(Math.max(0, history.length - historyLength)) : history;
  return {
    ...rest,
    ...(wantsArtifacts && { artifacts: artifacts ?? [] }),
    ...(messages !== undefined && historyLength !== 0 && { history: messages }),
  };
}

function readParams(params: JsonObject): Wanted {
  const { includeArtifacts: artifacts = false } = params;
  if (typeof artifacts !== 'boolean') throw agentError('InvalidParams', 'includeArtifacts must be true or false.');
  const status = text(params, 'status');
  if (status !== undefined && !STATES.has(status))
    throw agentError('InvalidParams', 'status must be a task state such as TASK_STATE_WORKING.');
  const after = text(params, 'statusTimestampAfter');
  const since = timeOf(after);
  if (after !== undefined && since === undefined) {
    throw agentError('InvalidParams', 'statusTimestampAfter must be a time such as 2026-01-31T12:00:00Z.');
  }
  return {
    context: text(params, 'contextId'),
    status: status === ANY_STATE ? undefined : status,
    since,
    pageSize: whole(params, 'pageSize', 1, LARGEST_PAGE) ?? DEFAULT_PAGE,
    position: readToken(text(params, 'pageToken')),
    historyLength: whole(params, 'historyLength', 0, Number.MAX_SAFE_INTEGER),
    artifacts,
  };
}

/** Undefined where it is absent or empty: the JSON of protobuf does not tell them apart. */
function text(params: JsonObject, name: string): string | undefined {
  const value = params[name] ?? '';
  if (typeof value !== 'string') throw agentError('InvalidParams', `${name} must be a text.`);
  return value === '' ? undefined : value;
}

function whole(params: JsonObject, name: string, least: number, most: number): number | undefined {
  const value = params[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`;
  throw agentError('InvalidParams', `${name} must be a whole number, ${range}.`);
}

function readToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const position = Buffer.from(token, 'base64url');
  if (position.toString('base64url') !== token) throw wrongToken();
  return position.toString();
}

function wrongToken(): Error {
  return agentError('InvalidParams', 'pageToken must be the nextPageToken of an earlier answer.');
}
