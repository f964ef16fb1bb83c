import { setTimeout as delay } from 'node:timers/promises';
import { parseDuration } from '../core/units/duration.ts';
import { openAdmin, type AdminAccess } from './admin-access.ts';
import { callText, dollars, localTime, printable, type ShownCall } from './call-text.ts';
import { note, print, printJson } from './print.ts';
import { CommandError, type Settings } from './settings.ts';

export interface CallsOptions {
  readonly consumer?: string;
  readonly lane?: string;
  readonly model?: string;
  readonly outcome?: string;
  readonly since?: string;
  readonly limit: number;
  readonly json?: boolean;
  readonly follow?: boolean;
}

type Query = Readonly<Record<string, string | undefined>>;

const POLL_MS = 1000;
const PAGE = 200;
/** Pages that one look behind the newest calls may take. */
const PAGES = 5;
/** Characters of a name. */
const LONGEST = 48;
const UNKNOWN = '—';
const HEADINGS = ['TIME', 'CONSUMER', 'LANE', 'WHAT', 'TARGET', 'OUTCOME', 'MS', 'FIRST BYTE', 'IN', 'OUT', 'COST'];
/** From this column on there are figures, which stand right. */
const FIRST_FIGURE = HEADINGS.indexOf('MS');

/**
 * `hubgate calls`: the calls that were made, newest last; with `follow` also those to come, until an interrupt. With the id of a request, its calls
 * in full.
 */
export async function showCalls(
  id: string | undefined,
  { consumer, lane, model, outcome, since, limit, json, follow }: CallsOptions,
  settings: Settings,
): Promise<void> {
  if (id !== undefined && follow === true) throw new CommandError('A call that has an id is over: --follow is for the calls to come.', 2);
  if (id === '') throw new CommandError('The id is empty. It is what the caller got as x-request-id.', 2);
  const query: Query = { id, consumer, lane, model, outcome, from: since === undefined ? undefined : readSince(since) };
  const access = await openAdmin(settings);
  try {
    if (follow === true && access.hub !== undefined) throw new CommandError('No hub is running here, so there are no calls to follow.');
    const { items } = await list(access, { ...query, limit: String(follow === true ? Math.max(limit, PAGE) : limit) });
    const calls = items.slice(0, limit).toReversed();
    if (json === true && follow !== true) return printJson(calls);
    if (id !== undefined) return showWhole(id, calls);
    if (calls.length === 0) note(follow === true ? 'No calls so far.' : 'No calls are recorded that fit.');
    const show = json === true ? printLines : createTable();
    show(calls);
    if (follow === true) await followCalls(access, query, items, show);
  } finally {
    await access.close();
  }
}

/** The messages of one batch share an id. */
function showWhole(id: string, calls: readonly ShownCall[]): void {
  if (calls.length === 0)
    throw new CommandError(
      `No call of the request "${printable(id)}" is recorded. Its caller got the id as x-request-id; records are kept for 30 days at most.`,
    );
  print(calls.map(callText).join('\n\n'));
}

async function list({ ask }: AdminAccess, query: Query): Promise<{ items: ShownCall[]; next?: string }> {
  return (await ask('GET', '/calls', { query })) as { items: ShownCall[]; next?: string };
}

type Show = (calls: readonly ShownCall[]) => void;

async function followCalls(access: AdminAccess, query: Query, known: readonly ShownCall[], show: Show): Promise<void> {
  const stopped = new AbortController();
  process.once('SIGINT', () => stopped.abort());
  let seen: ReadonlySet<string> = new Set(known.map(keyOf));
  while (await delay(POLL_MS, true, { signal: stopped.signal }).catch(() => false)) {
    const { keys, fresh } = await look(access, query, seen);
    show(fresh.toReversed());
    seen = keys;
  }
}

/**
 * The calls that are new among the newest. A call is listed when it has ended, in the place of its beginning, so new ones stand between old
 * ones; a whole page of new ones has more behind it.
 */
async function look(access: AdminAccess, query: Query, seen: ReadonlySet<string>): Promise<{ keys: Set<string>; fresh: ShownCall[] }> {
  const keys = new Set<string>();
  const fresh: ShownCall[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const { items, next } = await list(access, { ...query, limit: String(PAGE), cursor });
    const unseen = items.filter((item) => !seen.has(keyOf(item)));
    for (const item of items) keys.add(keyOf(item));
    fresh.push(...unseen);
    if (next === undefined || unseen.length < items.length) break;
    cursor = next;
  }
  return { keys, fresh };
}

/** An id may stand for several calls of one request. */
function keyOf(call: ShownCall): string {
  return JSON.stringify(call);
}

function readSince(text: string): string {
  const duration = parseDuration(text);
  if (duration !== undefined) return String(Math.max(0, Date.now() - duration));
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return String(time);
  throw new CommandError('--since takes a time ago, such as 30m, 1h or 7d, or a date, such as 2026-11-21.', 2);
}

function printLines(calls: readonly ShownCall[]): void {
  for (const call of calls) print(JSON.stringify(call));
}

/** A table that goes on: columns never get narrower, so that later rows stand under earlier ones. */
function createTable(): Show {
  let widths: readonly number[] = HEADINGS.map(({ length }) => length);
  let begun = false;
  return (calls) => {
    if (calls.length === 0) return;
    const rows = [...(begun ? [] : [HEADINGS]), ...calls.map(cells)];
    begun = true;
    widths = widths.map((width, at) => Math.max(width, ...rows.map((row) => row[at]?.length ?? 0)));
    const lines = rows.map((row) =>
      row.map((cell, at) => (at < FIRST_FIGURE ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  '),
    );
    print(lines.join('\n'));
  };
}

function cells({
  startedAt,
  consumer,
  lane,
  operation,
  asked,
  target,
  status,
  outcome,
  durationMs,
  firstByteMs,
  usage,
}: ShownCall): string[] {
  return [
    localTime(startedAt),
    named(consumer),
    lane,
    named(what(lane, operation, asked)),
    target === undefined ? UNKNOWN : named(target),
    `${status} ${outcome}`,
    String(Math.round(durationMs)),
    firstByteMs === undefined ? UNKNOWN : String(Math.round(firstByteMs)),
    String(usage?.inputTokens ?? UNKNOWN),
    String(usage?.outputTokens ?? UNKNOWN),
    dollars(usage?.cost ?? undefined) ?? UNKNOWN,
  ];
}

/** Of an agent much can be asked, of a model and a tool little. */
function what(lane: string, operation: string, asked: string): string {
  if (asked === '') return operation;
  return lane === 'agents' ? `${asked} ${operation}` : asked;
}

/** As much of a name as a column takes. */
function named(text: string): string {
  const plain = printable(text);
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST - 1)}…` : plain;
}
