import Sqlite from 'better-sqlite3';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CallLog } from '../../../src/core/contracts/call-log.ts';
import { toRow } from '../../../src/storage/calls/call-row.ts';
import { CallsDatabase } from '../../../src/storage/calls/calls-database.ts';
import { openCallLog, type CallLogOptions } from '../../../src/storage/calls/open-call-log.ts';
import { bareRecord, sampleRecord } from '../../contracts/call-log.ts';

/** That of the files that the first versions wrote. */
const FIRST_TABLE = `create table call (seq integer primary key, id text not null, started_at bigint not null, lane text not null,
  operation text not null, consumer text not null, route text not null, asked text not null, target text, provider text, model_served text,
  outcome text not null, status integer not null, streamed integer not null, attempts integer not null, duration_ms double precision not null,
  first_byte_ms double precision, input_tokens bigint, output_tokens bigint, total_tokens bigint, cache_read_tokens bigint,
  cache_write_tokens bigint, cache_write_long_tokens bigint, reasoning_tokens bigint, input_audio_tokens bigint, output_audio_tokens bigint,
  estimated integer not null, cost double precision, unpriced integer not null, events text not null);
  create index call_started on call (started_at);
  create index call_consumer on call (consumer, started_at);`;

const source = new URL('../../../src/storage/calls/open-call-log.ts', import.meta.url).href;
const said: string[] = [];
const logger = {
  debug() {},
  info: (_fields: object, message: string) => void said.push(`info ${message}`),
  warn: (fields: object, message: string) => void said.push(`warn ${JSON.stringify(fields)} ${message}`),
  error: (_fields: object, message: string) => void said.push(`error ${message}`),
  child: () => logger,
};

let folder: string;
let path: string;
const opened: CallLog[] = [];
const children: ChildProcess[] = [];
beforeEach(async () => {
  said.length = 0;
  folder = await mkdtemp(join(tmpdir(), 'hubgate-calls-'));
  path = join(folder, 'data', 'calls.db');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(opened.splice(0).map((log) => log.close()));
  await rm(folder, { recursive: true });
});

function open(options: Partial<CallLogOptions> = {}): CallLog {
  const log = openCallLog({ path, log: logger, ...options });
  opened.push(log);
  return log;
}

const countOf = async (log: CallLog): Promise<number> => (await log.usage({})).reduce((sum, { requests }) => sum + requests, 0);

/** Runs a module in a process of its own, with `log` open on the same file and `record(n)` at hand. */
function run(code: string): ChildProcess & { stdout: Readable } {
  const script = `const { openCallLog } = await import(${JSON.stringify(source)});
    const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
    const log = openCallLog({ path: ${JSON.stringify(path)}, log: quiet });
    const record = (n) => ({ ...${JSON.stringify(bareRecord())}, id: 'r' + n, startedAt: Date.now() });
    ${code}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

describe('the file', () => {
  it('is made with the first record, for its owner alone', async () => {
    const log = open();
    await expect(stat(path)).rejects.toThrow('ENOENT');
    log.add(sampleRecord());
    await vi.waitFor(async () => expect((await stat(`${path}-wal`)).mode & 0o777).toBe(0o600));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700);
  });

  it('writes by itself within the time of a batch', async () => {
    open().add(sampleRecord());
    await vi.waitFor(() => {
      const db = new Sqlite(path, { readonly: true });
      try {
        expect(db.prepare('select count(*) from call').pluck().get()).toBe(1);
      } finally {
        db.close();
      }
    });
  });

  it('of a newer version is left alone', async () => {
    await open().list({});
    await opened.pop()!.close();
    const db = new Sqlite(path);
    db.pragma('user_version = 99');
    db.close();
    const log = open();
    log.add(sampleRecord());
    await expect(log.list({})).rejects.toMatchObject({ code: 'unavailable', detail: expect.stringContaining('newer Hubgate') });
    expect(said).toEqual(['error records of calls cannot be written; they are kept for now']);
  });

  it('of an older version is read as before', async () => {
    const now = Date.now();
    const all = [
      sampleRecord({ startedAt: now - 2 }),
      bareRecord({ id: 'bare', startedAt: now - 1 }),
      sampleRecord({ id: 'quoted', asked: `"it's"`, startedAt: now }),
    ];
    await mkdir(join(folder, 'data'));
    const db = new Sqlite(path);
    db.exec(FIRST_TABLE);
    const insert = db.prepare(`insert into call values (null, ${Array(29).fill('?').join(', ')})`);
    for (const record of all) {
      const cells = JSON.parse(toRow(record)[2]) as unknown[];
      insert.run(...cells.slice(0, -1), JSON.stringify(cells.at(-1)));
    }
    const usage = db.prepare('select sum(input_tokens) as input, sum(cost) as cost from call').get() as { input: number; cost: number };
    db.pragma('user_version = 1');
    db.close();
    const log = open();
    log.add(bareRecord({ id: 'new', startedAt: now + 1 }));
    const { items } = await log.list({});
    expect(items.slice(1)).toEqual(all.toReversed());
    expect(items[0]!.id).toBe('new');
    const [sum] = (await log.usage({ consumer: all[0]!.consumer })).map(({ inputTokens, usd }) => ({ input: inputTokens, cost: usd }));
    expect(sum).toEqual(usage);
  });

  it('answers a list and a page of one consumer from its indexes', async () => {
    await open().list({});
    const db = new Sqlite(path, { readonly: true });
    const plan = (sql: string): string => JSON.stringify(db.prepare(`explain query plan ${sql}`).all());
    const order = 'order by started_at desc, seq desc limit 50';
    expect(plan(`select * from call where (started_at, seq) < (5, 5) ${order}`)).toMatch(/SEARCH record USING INDEX record_started/);
    expect(plan(`select * from call where consumer = 'a' and started_at < 9 ${order}`)).toMatch(
      /SEARCH record USING INDEX record_consumer/,
    );
    expect(plan(`select * from call ${order}`)).not.toMatch(/TEMP B-TREE/);
    db.close();
  });
});

describe('a process that ends', () => {
  it('is not kept by the log, unless it waits for an answer', async () => {
    const child = run(`log.add(record(1)); await new Promise((resolve) => setTimeout(resolve, 300)); process.stdout.write('end');`);
    expect(await once(child, 'exit')).toEqual([0, null]);
    const asking = run(`log.add(record(2)); void log.list({ limit: 1 }).then(({ items }) => process.stdout.write(String(items.length)));`);
    const [answer] = (await once(asking.stdout, 'data')) as [Buffer];
    expect(answer.toString()).toBe('1');
    expect(await once(asking, 'exit')).toEqual([0, null]);
  });

  it('by kill -9 has lost nothing that it had asked for', async () => {
    let acknowledged = 0;
    for (let round = 0; round < 4; round += 1) {
      const child = run(`for (let n = 0; ; ) {
        for (const end = n + 50; n < end; n += 1) log.add(record(n));
        await log.list({ limit: 1 });
        process.stdout.write(n + '\\n');
      }`);
      let told = 0;
      const lines = createInterface(child.stdout).on('line', (line) => (told = Number(line)));
      await once(lines, 'line');
      await new Promise((resolve) => setTimeout(resolve, 40 * round));
      child.kill('SIGKILL');
      await once(lines, 'close');
      acknowledged += told;
      const log = open();
      expect(await countOf(log)).toBeGreaterThanOrEqual(acknowledged);
      acknowledged = await countOf(log);
      await log.close();
    }
    const db = new Sqlite(path);
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    db.close();
  });
});

describe('when the disk cannot be written', () => {
  it('keeps records up to the bound, counts the others, says it once, and writes when it can', async () => {
    await writeFile(join(folder, 'data'), 'in the way');
    const log = open({ maxQueue: 10, flushMs: 5 });
    for (let n = 0; n < 4; n += 1) log.add(bareRecord({ id: `r${n}` }));
    await expect(log.list({})).rejects.toMatchObject({ code: 'unavailable' });
    for (let n = 4; n < 15; n += 1) log.add(bareRecord({ id: `r${n}` }));
    await expect(log.usage({})).rejects.toMatchObject({ code: 'unavailable' });
    expect(log.lost).toBe(5);
    expect(said).toEqual([
      'error records of calls cannot be written; they are kept for now',
      'warn {"lost":1,"lostSinceStart":1} records of calls are lost: they could not be written in time',
    ]);
    await rm(join(folder, 'data'));
    await vi.waitFor(() => expect(said.at(-1)).toBe('info records of calls are written again'), { timeout: 5000 });
    expect((await log.list({})).items.map(({ id }) => id).toSorted()).toEqual(['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9']);
  });

  it('counts what it could not write until it was closed', async () => {
    await writeFile(join(folder, 'data'), 'in the way');
    const log = open();
    for (let n = 0; n < 7; n += 1) log.add(bareRecord());
    await log.close();
    expect(log.lost).toBe(7);
    expect(said.at(-1)).toMatch(/^warn \{"lost":7/);
  });

  it('waits for another process that holds the file', async () => {
    const log = open();
    await log.list({});
    const other = new Sqlite(path);
    other.exec('begin immediate');
    log.add(bareRecord());
    const list = log.list({});
    setTimeout(() => other.exec('commit'), 200);
    expect((await list).items).toHaveLength(1);
    other.close();
    expect(log.lost).toBe(0);
  });

  it('warns of losses once a minute, with their number', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const log = open({ maxQueue: 1 });
      for (let n = 0; n < 4; n += 1) log.add(bareRecord());
      expect(said).toHaveLength(1);
      vi.setSystemTime(Date.now() + 60_000);
      log.add(bareRecord());
      expect(said[1]).toBe('warn {"lost":3,"lostSinceStart":4} records of calls are lost: they could not be written in time');
    } finally {
      vi.useRealTimers();
    }
  });
});

it.each([3, 70])('leaves out a record that the table does not take, and writes those beside it, of %i at once', async (count) => {
  const log = open();
  const ids = Array.from({ length: count }, (_, n) => `r${n}`);
  const now = Date.now();
  for (const [n, id] of ids.entries()) log.add(bareRecord({ id, startedAt: n === 1 ? Number.NaN : now + n }));
  expect((await log.list({ limit: 100 })).items.map(({ id }) => id)).toEqual(ids.filter((id) => id !== 'r1').toReversed());
  expect(log.lost).toBe(1);
});

describe('retention', () => {
  it('deletes what is older in small steps, the oldest first', () => {
    const db = new CallsDatabase(':memory:');
    db.write(Array.from({ length: 1300 }, (_, n) => toRow(bareRecord({ id: `r${n}`, startedAt: n }))));
    let steps = 0;
    while (db.prune(1200, 1_000_000)) steps += 1;
    expect(steps).toBe(3);
    expect(db.list({ limit: 1000 }).items.map(({ startedAt }) => startedAt)).toEqual(Array.from({ length: 100 }, (_, n) => 1299 - n));
    db.close();
  });

  it('keeps so many of the newest, also after it has deleted before', () => {
    const db = new CallsDatabase(':memory:');
    expect(db.prune(0, 10)).toBe(false);
    for (let round = 0; round < 3; round += 1) {
      db.write(Array.from({ length: 700 }, (_, n) => toRow(bareRecord({ id: `r${n}`, startedAt: round * 1000 + n }))));
      while (db.prune(0, 10));
      expect(db.list({ limit: 1000 }).items.map(({ startedAt }) => startedAt)).toEqual(
        Array.from({ length: 10 }, (_, n) => round * 1000 + 699 - n),
      );
    }
    db.close();
  });

  it('is done in the background', async () => {
    const before = open();
    for (const age of [0, 2, 40]) before.add(bareRecord({ id: `${age} days`, startedAt: Date.now() - age * 86_400_000 }));
    await before.close();
    const log = open();
    await vi.waitFor(async () => expect((await log.list({})).items.map(({ id }) => id)).toEqual(['0 days', '2 days']));
    await log.close();
    const shorter = open({ keepDays: 1 });
    await vi.waitFor(async () => expect((await shorter.list({})).items.map(({ id }) => id)).toEqual(['0 days']));
  });
});
