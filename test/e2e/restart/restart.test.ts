import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LegacySession, type Negotiation, openLegacySession, SDK_MODES } from '../../support/mcp-clients.ts';
import { type McpStream, openSessionStream } from '../../support/mcp-streams.ts';
import { type Hub, startHub } from '../../support/start-hub.ts';

const RELAY = fileURLToPath(new URL('../../../relay/relay.mjs', import.meta.url));
const KEY = 'alice-key-0123456789';
const CHANGED = 'notifications/tools/list_changed';
const CALL = { name: 'getPetById', arguments: { petId: 1 } };
const headers = { authorization: `Bearer ${KEY}` };

const config = `
services:
  shop: { spec: openapi-specs/shop.json, baseUrl: demo:petstore }
consumers:
  - { name: alice, keys: [{ sha256: "${createHash('sha256').update(KEY).digest('hex')}" }] }
`;
const document = (description: string): string =>
  JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Shop', version: '1' },
    paths: {
      '/pets/{petId}': {
        parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }],
        get: { operationId: 'getPetById', description, responses: {} },
      },
    },
  });
const files = { 'hubgate.yaml': config, 'openapi-specs/shop.json': document('A pet') };

/** An application that knows nothing of restarts. */
interface Application {
  readonly client: Client;
  /** How often it was told that the list of tools has changed. */
  changes: number;
}

const APPLICATIONS: readonly { readonly via: 'http' | 'relay'; readonly mode: Negotiation }[] = [
  ...SDK_MODES.map((mode) => ({ via: 'http' as const, mode })),
  { via: 'relay', mode: 'legacy' },
  { via: 'relay', mode: { pin: '2026-07-28' } },
];

/** Quicker than an application would have it, and more patient with a slow machine. */
const reconnectionOptions = { initialReconnectionDelay: 100, maxReconnectionDelay: 500, reconnectionDelayGrowFactor: 1.5, maxRetries: 100 };

describe('kill -9 and a start on the same ports and folder', () => {
  let hub: Hub;
  let url = '';
  const applications = new Map<object, Application>();
  let kept: LegacySession;
  let ended: LegacySession;
  let before: McpStream;

  beforeAll(async () => {
    hub = await startHub({ files });
    url = `${hub.url}/mcp/shop`;
    for (const kind of APPLICATIONS) applications.set(kind, await connect(kind));
    kept = await openLegacySession(url, { headers });
    ended = await openLegacySession(url, { headers });
    before = await openSessionStream(url, kept);
    for (const { client } of applications.values()) expect(await called(client)).toContain('Rex');
    expect(await ended.end()).toBe(204);
    const { pid } = hub;
    expect(await hub.kill('SIGKILL')).toBeNull();
    await hub.restart();
    expect(hub.pid).not.toBe(pid);
  });

  afterAll(async () => {
    await Promise.all([...applications.values()].map(({ client }) => client.close()));
    await hub?.stop();
  });

  it.each(APPLICATIONS)('the second call succeeds: $via, $mode', async (kind) => {
    expect(await called(applications.get(kind)!.client)).toContain('Rex');
  });

  it('a session goes on, and one that was ended stays ended', async () => {
    expect((await kept.request('tools/call', CALL)).text).toContain('Rex');
    const refused = await ended.request('tools/call', CALL);
    expect(refused.status).toBe(404);
    expect(refused.error?.message).toMatch(/Session not found/);
  });

  it('a stream that is opened again hears at once that lists may have changed, and then of every change', async () => {
    expect(before.ended).toMatch(/^broke/);
    const stream = await openSessionStream(url, kept);
    await stream.next(CHANGED, 0);
    // All the applications that listen are there again.
    const listening = APPLICATIONS.filter(({ via, mode }) => via === 'relay' || mode === 'legacy').map((kind) => applications.get(kind)!);
    await expect.poll(() => listening.map(({ changes }) => changes), { timeout: 15_000 }).not.toContain(0);
    const heard = listening.map(({ changes }) => changes);
    await hub.write('openapi-specs/shop.json', document('An edited pet'));
    await stream.next(CHANGED, stream.heard.length);
    await expect.poll(() => listening.every(({ changes }, index) => changes > heard[index]!), { timeout: 15_000 }).toBe(true);
    for (const { client } of listening) expect((await client.listTools()).tools[0]!.description).toBe('An edited pet');
    stream.close();
  });

  it('an id of another hub is no session', async () => {
    const other = await startHub({ files });
    try {
      const foreign = await openLegacySession(`${other.url}/mcp/shop`, { headers });
      const here = await fetch(url, { method: 'GET', headers: { accept: 'text/event-stream', ...foreign.headers } });
      expect(here.status).toBe(404);
      expect(await here.json()).toMatchObject({ error: { message: expect.stringContaining('Session not found') } });
      const posted = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...foreign.headers },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: CALL }),
      });
      expect(posted.status).toBe(404);
      await posted.text();
      expect((await foreign.request('tools/call', CALL)).status).toBe(200);
    } finally {
      await other.stop();
    }
  });

  async function connect({ via, mode }: (typeof APPLICATIONS)[number]): Promise<Application> {
    const application: { client: Client; changes: number } = { client: undefined as never, changes: 0 };
    const onChanged = (): void => void application.changes++;
    application.client = new Client(
      { name: 'hubgate-test', version: '1.0.0' },
      { versionNegotiation: { mode }, listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } } },
    );
    const env = { HUBGATE_URL: url, HUBGATE_KEY: KEY };
    const transport =
      via === 'http'
        ? new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers }, reconnectionOptions })
        : new StdioClientTransport({ command: process.execPath, args: [RELAY], env, stderr: 'ignore' });
    await application.client.connect(transport);
    return application;
  }
});

async function called(client: Client): Promise<string> {
  const result = await client.callTool(CALL);
  expect(result.isError ?? false).toBe(false);
  return JSON.stringify(result.content);
}
