import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAdminApi } from '../../../src/admin/api.ts';
import { adminMounts, createAdminIdentify, sendProblem } from '../../../src/admin/mounts.ts';
import { createEdge, type Edge } from '../../../src/http/server.ts';
import { openCallLog } from '../../../src/storage/calls/open-call-log.ts';
import { bareRecord, sampleRecord } from '../../contracts/call-log.ts';
import { FakeHub } from '../admin/fake-hub.ts';
import { makeFolder, runHere, type CliResult } from './run-cli.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };
const TOKEN = 'the-admin-token';

let cwd: string;
beforeAll(async () => {
  cwd = await makeFolder({ 'hubgate.yaml': '{}' });
});
afterAll(() => rm(cwd, { recursive: true }));

const localTime = (...utc: [number, number, number, number, number, number]): string => new Date(Date.UTC(...utc)).toLocaleString('sv-SE');
const lines = ({ stdout }: CliResult): string[] => stdout.trimEnd().split('\n');

describe('calls of a running hub', { timeout: 20_000 }, () => {
  let hub: FakeHub;
  let edge: Edge;
  let env: Record<string, string>;
  beforeEach(async () => {
    hub = await FakeHub.open();
    edge = createEdge({
      rules: () => ({ allowedHosts: [], allowedOrigins: [] }),
      identify: createAdminIdentify(TOKEN),
      mounts: adminMounts(createAdminApi(hub.admin)),
      log: SILENT,
      cors: false,
      writeError: sendProblem,
    });
    const { port } = await edge.listen({ host: '127.0.0.1', port: 0 });
    env = { HUBGATE_ADMIN_PORT: String(port), HUBGATE_ADMIN_TOKEN: TOKEN };
  });
  afterEach(async () => {
    await edge.close({ graceMs: 0 });
    await Promise.all([hub.store.close(), hub.calls.close()]);
  });

  const calls = (...args: string[]): Promise<CliResult> => runHere(cwd, ['calls', ...args], env);

  it('say what was asked of an agent', async () => {
    hub.calls.add(sampleRecord({ lane: 'agents', operation: 'message/stream', asked: 'travel', target: 'travel' }));
    expect(lines(await calls()).at(-1)).toMatch(/ agents {2}travel message\/stream {2}travel /);
  });

  it('are a table, the newest last, with a dash for what is not known', async () => {
    hub.calls.add(sampleRecord({ startedAt: Date.UTC(2026, 10, 21, 8, 0, 1), usage: { inputTokens: 1000, outputTokens: 20, cost: null } }));
    hub.calls.add(bareRecord({ startedAt: Date.UTC(2026, 10, 21, 8) }));
    hub.calls.add(sampleRecord({ startedAt: Date.UTC(2026, 10, 21, 8, 0, 2), outcome: 'upstream_failed', status: 502 }));
    const result = await calls();
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const rows = lines(result).map((line) => line.trim().split(/ {2,}/));
    expect(rows).toEqual([
      ['TIME', 'CONSUMER', 'LANE', 'WHAT', 'TARGET', 'OUTCOME', 'MS', 'FIRST BYTE', 'IN', 'OUT', 'COST'],
      [localTime(2026, 10, 21, 8, 0, 0), 'bob', 'tools', 'tools/list', '—', '200 ok', '0', '—', '—', '—', '—'],
      [localTime(2026, 10, 21, 8, 0, 1), 'alice', 'models', 'gpt-5-mini', 'openai/gpt-5-mini', '200 ok', '1235', '321', '1000', '20', '—'],
      [
        localTime(2026, 10, 21, 8, 0, 2),
        'alice',
        'models',
        'gpt-5-mini',
        'openai/gpt-5-mini',
        '502 upstream_failed',
        '1235',
        '321',
        '1000',
        '200',
        '$0.001230',
      ],
    ]);
    expect(new Set(lines(result).map(({ length }) => length)).size, 'figures stand right').toBe(1);
  });

  it('are chosen by the options, and JSON on request', async () => {
    hub.calls.add(sampleRecord({ id: 'old', startedAt: Date.now() - 3_600_000 }));
    hub.calls.add(sampleRecord({ id: 'new', startedAt: Date.now() - 1000 }));
    hub.calls.add(bareRecord({ id: 'tool', startedAt: Date.now(), asked: 'find_pets', outcome: 'tool_unknown', status: 404 }));
    for (const [args, expected] of [
      [[], ['old', 'new', 'tool']],
      [
        ['--consumer', 'alice'],
        ['old', 'new'],
      ],
      [['--lane', 'tools'], ['tool']],
      [['--model', 'find_pets'], ['tool']],
      [['--outcome', 'error'], ['tool']],
      [
        ['--since', '5m'],
        ['new', 'tool'],
      ],
      [
        ['--since', '2020-01-01'],
        ['old', 'new', 'tool'],
      ],
      [
        ['--limit', '2'],
        ['new', 'tool'],
      ],
    ] as const) {
      const { stdout } = await calls(...args, '--json');
      expect(
        (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id),
        args.join(' '),
      ).toEqual(expected);
    }
    expect(await calls('--consumer', 'nobody')).toEqual({ code: 0, stdout: '', stderr: 'No calls are recorded that fit.\n' });
  });

  it('of one request are shown in full, a field a line, with what happened on the way', async () => {
    const startedAt = Date.UTC(2026, 10, 21, 8, 0, 1);
    const events = [
      { type: 'retried', at: 12.4, detail: 'openai/gpt-5-mini: upstream_overloaded' },
      { type: 'dropped', at: 1034, detail: 'seed\u001B[2J' },
      { type: 'refused', at: 1200 },
      { type: 'selected', at: 1201, detail: '20 of 500 tools', figures: { full: 52_000, offered: 2100 } },
    ] as const;
    hub.calls.add(sampleRecord({ id: 'wanted', startedAt, outcome: 'upstream_failed', status: 502, events }));
    hub.calls.add(bareRecord({ id: 'wanted', startedAt: startedAt + 1 }));
    hub.calls.add(sampleRecord({ id: 'other' }));
    const result = await calls('wanted');
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const [first = [], second = []] = result.stdout.split('\n\n').map((text) => text.trimEnd().split('\n'));
    const fields = (shown: readonly string[]) => shown.filter((line) => !line.startsWith(' ')).map((line) => line.split(/ {2,}/));
    expect(fields(first)).toEqual([
      ['request', 'wanted'],
      ['time', `${localTime(2026, 10, 21, 8, 0, 1)} (2026-11-21T08:00:01.000Z)`],
      ['consumer', 'alice'],
      ['lane', 'models'],
      ['operation', 'chat'],
      ['route', 'support'],
      ['asked for', 'gpt-5-mini'],
      ['target', 'openai/gpt-5-mini'],
      ['provider', 'openai'],
      ['model served', 'gpt-5-mini-2025-08-07'],
      ['outcome', 'upstream_failed: The upstream gave an answer that could not be read.'],
      ['status', '502'],
      ['streamed', 'yes'],
      ['attempts', '2'],
      ['duration', '1235 ms'],
      ['first byte', '321 ms'],
      ['tokens in', '1000 (counted by the hub, roughly)'],
      ['tokens out', '200 (counted by the hub, roughly)'],
      ['total tokens', '1200'],
      ['cache read', '300'],
      ['cache written', '20'],
      ['for an hour', '10'],
      ['reasoning', '50'],
      ['audio in', '4'],
      ['audio out', '3'],
      ['cost', '$0.001230'],
      ['events'],
    ]);
    expect(first.slice(-4)).toEqual([
      '  +12 ms    retried   openai/gpt-5-mini: upstream_overloaded',
      '  +1034 ms  dropped   seed?[2J',
      '  +1200 ms  refused',
      '  +1201 ms  selected  20 of 500 tools                         full 52000, offered 2100',
    ]);
    expect(fields(second)).toEqual(
      expect.arrayContaining([
        ['asked for', '—'],
        ['target', '—'],
        ['first byte', '—'],
        ['streamed', 'no'],
        ['events', 'none'],
      ]),
    );
    expect(second.join()).not.toMatch(/tokens|cost/);
  });

  it('of one request are JSON on request, and a failure when there are none', async () => {
    hub.calls.add(sampleRecord({ id: 'wanted', usage: { cost: null } }));
    hub.calls.add(sampleRecord({ id: 'other' }));
    expect(JSON.parse((await calls('wanted', '--json')).stdout)).toMatchObject([{ id: 'wanted' }]);
    expect((await calls('wanted')).stdout).toMatch(/^cost +not known: the model has no price$/m);
    expect(await calls('want')).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('No call of the request "want" is recorded.') as string,
    });
  });

  it('write nothing on the terminal but text', async () => {
    hub.calls.add(bareRecord({ asked: `evil\u001B[2J\u0007\n${'x'.repeat(150)}` }));
    const { stdout } = await calls();
    expect([...stdout].filter((character) => character < ' ' && character !== '\n')).toEqual([]);
    expect(stdout).toContain('evil?[2J??xxx');
    expect(lines({ stdout, stderr: '', code: 0 })).toHaveLength(2);
  });

  it.each([
    [['--limit', '0'], 'from 1 to 1000'],
    [['--limit', 'x'], 'from 1 to 1000'],
    [['--lane', 'model'], 'Allowed choices are models, tools, agents'],
    [['--since', 'once'], '--since takes a time ago'],
    [['some-id', '--follow'], '--follow is for the calls to come'],
    [[''], 'The id is empty'],
  ])('%j ends with 2', async (args, text) => {
    expect(await calls(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(text) });
  });

  it('say what the hub says about an outcome that there is not', async () => {
    expect(await calls('--outcome', 'bad')).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no outcome "bad"') });
  });

  it('are followed until an interrupt: each once, also one that began before others and ended after them', async () => {
    const now = Date.now();
    for (let n = 0; n < 3; n += 1) hub.calls.add(bareRecord({ id: `old-${n}`, startedAt: now - 5000 + n }));
    let asked = 0;
    const list = hub.calls.list.bind(hub.calls);
    hub.calls.list = async (query) => {
      const page = await list(query);
      asked += 1;
      return page;
    };
    const askedAgain = async (times: number): Promise<void> => {
      const until = asked + times;
      await vi.waitFor(() => expect(asked).toBeGreaterThanOrEqual(until), { timeout: 15_000 });
    };
    const running = calls('--follow', '--json', '--limit', '2');
    await askedAgain(1);
    hub.calls.add(bareRecord({ id: 'quick', startedAt: now }));
    await askedAgain(2);
    hub.calls.add(bareRecord({ id: 'slow', startedAt: now - 4000 }));
    for (let n = 0; n < 450; n += 1) hub.calls.add(bareRecord({ id: `many-${n}`, startedAt: now + 1 + n }));
    await askedAgain(5);
    process.emit('SIGINT');
    const result = await running;
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const seen = lines(result).map((line) => (JSON.parse(line) as { id: string }).id);
    expect(seen).toEqual(['old-1', 'old-2', 'quick', 'slow', ...Array.from({ length: 450 }, (_, n) => `many-${n}`)]);
  });
});

describe('calls without a running hub', { timeout: 20_000 }, () => {
  it('are read from the data folder, and not followed', async () => {
    const log = openCallLog({ path: join(cwd, 'data', 'calls.db'), log: SILENT });
    log.add(bareRecord({ asked: 'find_pets' }));
    await log.close();
    const result = await runHere(cwd, ['calls']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(lines(result)[1]).toMatch(/bob +tools +find_pets/);
    expect(await runHere(cwd, ['calls', '--follow'])).toMatchObject({ code: 1, stderr: expect.stringContaining('No hub is running') });
  });
});
