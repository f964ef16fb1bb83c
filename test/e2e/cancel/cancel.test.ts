import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEchoServer, type EchoServer } from '../../support/echo-server.ts';
import { ACCEPT, connectSdk, type LegacySession, modernRequest, openLegacySession, SDK_MODES } from '../../support/mcp-clients.ts';
import { openSessionStream } from '../../support/mcp-streams.ts';
import { type Hub, startHub } from '../../support/start-hub.ts';

const TALKER = fileURLToPath(new URL('../../fixtures/extensions/talker.ts', import.meta.url));
/** Milliseconds: the goal is 250, the rest is for a machine that is busy with other things. */
const SOON = 1_000;
/** Milliseconds after which what has not happened is taken not to happen. */
const LONG = 600;

const document = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Slow', version: '1' },
  paths: {
    '/slow/{name}': {
      parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }],
      get: { operationId: 'slow', responses: {} },
    },
  },
});

let upstream: EchoServer;
let hub: Hub;
let folder = '';
/** Times at which the upstream saw that a request had gone, by what was asked for; 0 as long as it has not. */
const gone = new Map<string, number>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubgate-cancel-'));
  upstream = await startEchoServer(({ path }, response) => {
    const name = path.split('/').at(-1)!;
    gone.set(name, 0);
    response.once('close', () => gone.set(name, performance.now()));
  });
  const config = {
    extensions: [TALKER],
    services: { slow: { spec: 'slow.json', baseUrl: upstream.url } },
    servers: {
      talker: { source: 'talker', options: { trace: join(folder, 'trace') } },
      free: { source: 'talker', sessions: 'optional', options: { trace: join(folder, 'trace') } },
    },
  };
  hub = await startHub({ files: { 'hubgate.yaml': JSON.stringify(config), 'slow.json': document } });
});
afterAll(async () => {
  await hub?.stop();
  await upstream?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A tool that takes long, by an HTTP service and by a source with a conversation of its own. */
const TOOLS = {
  slow: {
    params: (name: string) => ({ name: 'slow', arguments: { name } }),
    began: async (name: string) => gone.has(name),
    aborted: async (name: string) => gone.get(name) !== 0,
  },
  talker: {
    params: (name: string) => ({ name: 'talk', arguments: { text: name, steps: 100, everyMs: 100 } }),
    began: (name: string) => traced(`began ${name} `),
    aborted: (name: string) => traced(`aborted ${name} `),
  },
} as const;
type Door = keyof typeof TOOLS;
const DOORS = Object.keys(TOOLS) as Door[];

async function traced(line: string): Promise<boolean> {
  return (await readFile(join(folder, 'trace'), 'utf8').catch(() => '')).includes(line);
}

/** Begins a call, and gives the way to close its request once the tool runs. */
async function begin(door: Door, name: string, session?: LegacySession): Promise<{ close(): Promise<void> }> {
  const leaving = new AbortController();
  const params = TOOLS[door].params(name);
  const { headers, body } =
    session === undefined
      ? modernRequest('tools/call', params, {})
      : { headers: session.headers, body: { jsonrpc: '2.0', id: name, method: 'tools/call', params } };
  const request = { method: 'POST', headers: { ...ACCEPT, ...headers }, body: JSON.stringify(body), signal: leaving.signal };
  const answered = fetch(`${hub.url}/mcp/${door}`, request).then((response) => response.text());
  answered.catch(() => undefined);
  await expect.poll(() => TOOLS[door].began(name)).toBe(true);
  expect(await TOOLS[door].aborted(name)).toBe(false);
  return {
    close: async () => {
      leaving.abort();
      await expect(answered).rejects.toThrow('abort');
    },
  };
}

async function expectAborted(door: Door, name: string): Promise<void> {
  await expect.poll(() => TOOLS[door].aborted(name), { timeout: SOON, interval: 10 }).toBe(true);
}

describe.each(DOORS)('at %s', (door) => {
  it('a client of 2026-07-28 that closes its request aborts the work', async () => {
    const call = await begin(door, 'modern');
    const closed = performance.now();
    await call.close();
    await expectAborted(door, 'modern');
    if (door === 'slow') console.log(`the upstream saw it after ${Math.round(gone.get('modern')! - closed)} ms`);
  });

  it('one of 2025-11-25 does not by closing, but by notifications/cancelled', async () => {
    const session = await openLegacySession(`${hub.url}/mcp/${door}`);
    const call = await begin(door, 'legacy', session);
    await call.close();
    await sleep(LONG);
    expect(await TOOLS[door].aborted('legacy')).toBe(false);
    const other = await openLegacySession(`${hub.url}/mcp/${door}`);
    expect((await other.notify('notifications/cancelled', { requestId: 'legacy' })).status).toBe(202);
    await sleep(100);
    expect(await TOOLS[door].aborted('legacy'), 'by another session').toBe(false);
    expect((await session.notify('notifications/cancelled', { requestId: 'legacy' })).status).toBe(202);
    await expectAborted(door, 'legacy');
  });

  it.each(SDK_MODES)('the signal of an SDK client aborts the work: %o', async (mode) => {
    const client = await connectSdk(`${hub.url}/mcp/${door}`, mode);
    try {
      const name = `sdk-${SDK_MODES.indexOf(mode)}`;
      const leaving = new AbortController();
      const call = client.callTool(TOOLS[door].params(name), { signal: leaving.signal });
      call.catch(() => undefined);
      await expect.poll(() => TOOLS[door].began(name)).toBe(true);
      leaving.abort(new Error('enough'));
      await expect(call).rejects.toThrow('enough');
      await expectAborted(door, name);
      expect((await client.listTools()).tools).toHaveLength(1);
    } finally {
      await client.close();
    }
  });
});

/** Begins a call of 2025 by its raw body. */
async function beginRaw(door: string, name: string, headers: Readonly<Record<string, string>>, isBatch = false) {
  const leaving = new AbortController();
  const message = { jsonrpc: '2.0', id: name, method: 'tools/call', params: TOOLS.talker.params(name) };
  const body = JSON.stringify(isBatch ? [message] : message);
  const answered = fetch(`${hub.url}/mcp/${door}`, { method: 'POST', headers: { ...ACCEPT, ...headers }, body, signal: leaving.signal });
  answered.catch(() => undefined);
  await expect.poll(() => TOOLS.talker.began(name)).toBe(true);
  return { answered, leave: () => leaving.abort() };
}

it('a client of 2025-11-25 without a session aborts the work by closing its request', async () => {
  const call = await beginRaw('free', 'sessionless', { 'mcp-protocol-version': '2025-11-25' });
  call.leave();
  await expectAborted('talker', 'sessionless');
});

it('a call of a batch is cancelled as any other', async () => {
  const session = await openLegacySession(`${hub.url}/mcp/talker`, { revision: '2025-03-26' });
  const { answered } = await beginRaw('talker', 'batched', session.headers, true);
  await session.notify('notifications/cancelled', { requestId: 'batched' });
  await expectAborted('talker', 'batched');
  expect((await answered).status).toBe(200);
});

it('the end of a session aborts its calls', async () => {
  const session = await openLegacySession(`${hub.url}/mcp/talker`);
  const call = await begin('talker', 'ended', session);
  expect(await session.end()).toBe(204);
  await expectAborted('talker', 'ended');
  await call.close().catch(() => undefined);
});

it('a new GET stream of a session ends the one before', async () => {
  const url = `${hub.url}/mcp/talker`;
  const session = await openLegacySession(url);
  const older = await openSessionStream(url, session);
  const newer = await openSessionStream(url, session);
  await expect.poll(() => older.ended).toBe('ended in order');
  expect(newer.ended).toBeUndefined();
  newer.close();
});

it('a cancelled call of 2025-11-25 frees its request', async () => {
  const session = await openLegacySession(`${hub.url}/mcp/slow`);
  const call = session.request('tools/call', TOOLS.slow.params('freed'));
  await expect.poll(() => TOOLS.slow.began('freed')).toBe(true);
  await session.notify('notifications/cancelled', { requestId: 1 });
  const answer = await call;
  expect(answer.result?.['isError'] ?? answer.error).toBeTruthy();
});
