import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, startHub } from '../../support/start-hub.ts';
import { peerProgram } from './peer-program.ts';

const KEY = 'hg_test_key_of_the_restart_story';
const AUTHORIZATION = `Bearer ${KEY}`;
const CALL = { name: 'getPetById', arguments: { petId: 1 } };
const config = `
services:
  shop: { spec: openapi-specs/shop.json, baseUrl: demo:petstore }
consumers:
  - { name: alice, keys: [{ sha256: "${createHash('sha256').update(KEY).digest('hex')}" }] }
`;
const document = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  paths: {
    '/pets/{petId}': {
      parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }],
      get: { operationId: 'getPetById', responses: {} },
    },
  },
});

const PEERS = ['SDK v1', 'mcp-remote', 'mcp-remote --protocol auto'] as const;

describe('the hub is killed (-9) and started between two calls of a client that knows nothing of it', () => {
  let hub: Hub;
  let home = '';
  const clients = new Map<string, { readonly client: Client; changes: number }>();

  beforeAll(async () => {
    // Keeps mcp-remote's own state out of the home folder.
    home = await mkdtemp(join(tmpdir(), 'hubgate-restart-'));
    hub = await startHub({ files: { 'hubgate.yaml': config, 'openapi-specs/shop.json': document } });
    for (const peer of PEERS) {
      const client = new Client({ name: 'hubgate-test', version: '1.0.0' });
      const entry = { client, changes: 0 };
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => void entry.changes++);
      await client.connect(await transportOf(peer));
      clients.set(peer, entry);
      await expectAnswer(client);
    }
    expect(await hub.kill('SIGKILL')).toBeNull();
    await hub.restart();
  });

  afterAll(async () => {
    await Promise.all([...clients.values()].map(({ client }) => client.close()));
    await hub?.stop();
    await rm(home, { recursive: true, force: true });
  });

  it.each(PEERS)('the second call succeeds: %s', async (peer) => {
    await expectAnswer(clients.get(peer)!.client);
  });

  it('SDK v1 opens its stream again and hears of a change', async () => {
    const entry = clients.get('SDK v1')!;
    await expect.poll(() => entry.changes, { timeout: 20_000 }).toBeGreaterThan(0);
    const { changes } = entry;
    await hub.write('openapi-specs/shop.json', document.replace('"operationId"', '"description":"edited","operationId"'));
    await expect.poll(() => entry.changes, { timeout: 5_000 }).toBeGreaterThan(changes);
    expect((await entry.client.listTools()).tools[0]!.description).toBe('edited');
  });

  async function transportOf(peer: (typeof PEERS)[number]): Promise<StreamableHTTPClientTransport | StdioClientTransport> {
    const url = `${hub.url}/mcp/shop`;
    // More patient than by default with a slow machine; the delays are its own.
    const reconnectionOptions = {
      initialReconnectionDelay: 1_000,
      maxReconnectionDelay: 2_000,
      reconnectionDelayGrowFactor: 1.5,
      maxRetries: 20,
    };
    if (peer === 'SDK v1') {
      return new StreamableHTTPClientTransport(new URL(url), {
        requestInit: { headers: { Authorization: AUTHORIZATION } },
        reconnectionOptions,
      });
    }
    const extra = peer.endsWith('auto') ? ['--protocol', 'auto'] : [];
    const args = [await peerProgram('mcp-remote', 'mcp-remote'), url, ...extra, '--header', 'Authorization:${AUTH_HEADER}'];
    const env = { PATH: process.env.PATH ?? '', HOME: home, MCP_REMOTE_CONFIG_DIR: home, AUTH_HEADER: AUTHORIZATION };
    return new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' });
  }
});

async function expectAnswer(client: Client): Promise<void> {
  const result = await client.callTool(CALL);
  expect(result.isError ?? false).toBe(false);
  expect(JSON.stringify(result.content)).toContain('Rex');
}
