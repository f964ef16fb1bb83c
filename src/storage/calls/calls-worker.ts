import { parentPort, workerData } from 'node:worker_threads';
import type { UsageQuery, UsageRow } from '../../core/contracts/call-log.ts';
import type { WrittenRow } from './call-row.ts';
import { CallsDatabase, type Page, type PageQuery } from './calls-database.ts';

export interface CallsWorkerData {
  readonly path: string;
  readonly keepMs: number;
  readonly keepRows: number;
}

/** What the thread is asked, by the answer's type. Requests are answered in their order. */
export interface CallsQuestions {
  /** Answers how many rows the table does not take; the others are written. */
  write: { readonly ask: readonly WrittenRow[]; readonly answer: number };
  list: { readonly ask: PageQuery; readonly answer: Page };
  usage: { readonly ask: UsageQuery; readonly answer: readonly UsageRow[] };
  close: { readonly ask: undefined; readonly answer: undefined };
}
export interface CallsRequest {
  readonly id: number;
  readonly kind: keyof CallsQuestions;
  readonly ask: CallsQuestions[keyof CallsQuestions]['ask'];
}
export type CallsAnswer =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string; readonly code: string };

const PRUNE_MS = 3 * 60_000;

const port = parentPort!;
const { path, keepMs, keepRows } = workerData as CallsWorkerData;
let opened: CallsDatabase | undefined;
/** A file that could not be opened is tried again by the next request. */
const database = (): CallsDatabase => (opened ??= open());
let timer: NodeJS.Timeout | undefined;

function open(): CallsDatabase {
  const made = new CallsDatabase(path);
  timer ??= setTimeout(prune, 0);
  return made;
}

/** In small steps: what waits to be written comes between them. */
function prune(): void {
  let more = false;
  try {
    more = database().prune(Date.now() - keepMs, keepRows);
  } catch {
    // A disk that cannot be written is told by the writes.
  }
  timer = setTimeout(prune, more ? 5 : PRUNE_MS);
}

const answers: { [K in keyof CallsQuestions]: (ask: CallsQuestions[K]['ask']) => CallsQuestions[K]['answer'] } = {
  write: (rows) => database().write(rows),
  list: (query) => database().list(query),
  usage: (query) => database().usage(query),
  close() {
    clearTimeout(timer);
    opened?.close();
  },
};

port.on('message', ({ id, kind, ask }: CallsRequest) => {
  try {
    port.postMessage({ id, answer: answers[kind](ask as never) } satisfies CallsAnswer);
  } catch (error) {
    const { message, code = '' } = error as Error & { code?: string };
    port.postMessage({ id, error: message, code } satisfies CallsAnswer);
  }
  if (kind === 'close') port.close();
});
