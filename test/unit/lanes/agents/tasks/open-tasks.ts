import { onTestFinished } from 'vitest';
import type { TaskStore } from '../../../../../src/core/contracts/store.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import type { Logger } from '../../../../../src/core/logger.ts';
import { TaskBook } from '../../../../../src/lanes/agents/tasks/task-book.ts';
import { openStore } from '../../../../../src/storage/open-store.ts';

export interface OpenedTasks {
  /** The real one, in memory, that tells of its writes. */
  readonly store: TaskStore;
  /** `task state` of each write. */
  readonly writes: readonly string[];
  /** `context owner instance` of each. */
  readonly contextWrites: readonly string[];
  readonly gets: readonly string[];
  readonly warnings: readonly { readonly fields: object; readonly message: string }[];
  readonly log: Logger;
  /** Writes fail while it is set. */
  failing: boolean;
  time: number;
  book(maxKnown?: number): TaskBook;
}

export async function openTasks(): Promise<OpenedTasks> {
  const opened = await openStore('sqlite::memory:', { dataDir: '/nowhere', secretKey: Buffer.alloc(32, 7) });
  onTestFinished(() => opened.close());
  const writes: string[] = [];
  const contextWrites: string[] = [];
  const gets: string[] = [];
  const warnings: { fields: object; message: string }[] = [];
  const log: Logger = {
    debug() {},
    info() {},
    warn: (fields, message) => void warnings.push({ fields, message }),
    error() {},
    child: () => log,
  };
  const store: TaskStore = {
    ...opened.tasks,
    async put(record) {
      writes.push(`${record.task} ${record.state}`);
      if (parts.failing) throw new Error('disk is full');
      await opened.tasks.put(record);
    },
    async putContext(context) {
      contextWrites.push(`${context.context} ${context.owner} ${context.instance}`);
      if (parts.failing) throw new Error('disk is full');
      return opened.tasks.putContext(context);
    },
    async get(agent, task) {
      gets.push(task);
      return opened.tasks.get(agent, task);
    },
  };
  const parts: OpenedTasks = {
    store,
    writes,
    contextWrites,
    gets,
    warnings,
    log,
    failing: false,
    time: Date.UTC(2026, 10, 22),
    book(maxKnown = 100) {
      const book = new TaskBook({ store, log, now: () => parts.time, maxKnown });
      onTestFinished(() => book.close());
      return book;
    },
  };
  return parts;
}

export const ALICE = { agent: 'travel', owner: 'alice', instance: 'travel#2' };
export const BOB = { agent: 'travel', owner: 'bob', instance: 'travel' };

export function task(id: string, state: string, rest: object = {}): JsonObject {
  return { id, contextId: `context of ${id}`, status: { state: `TASK_STATE_${state}` }, ...rest };
}

export function statusUpdate(taskId: string, state: string, timestamp?: string): JsonObject {
  return {
    statusUpdate: { taskId, contextId: `context of ${taskId}`, status: { state: `TASK_STATE_${state}`, ...(timestamp && { timestamp }) } },
  };
}

export function artifactUpdate(taskId: string): JsonObject {
  return {
    artifactUpdate: { taskId, contextId: `context of ${taskId}`, artifact: { artifactId: 'a', parts: [{ text: 'x' }] }, append: true },
  };
}
