import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSdk, type Negotiation } from '../../support/mcp-clients.ts';
import { type Hub, startHub } from '../../support/start-hub.ts';
import { peerProgram } from './peer-program.ts';

const SOURCE = fileURLToPath(new URL('../../support/conformance-source.ts', import.meta.url));
const KEY = 'hg_test_key_of_the_clients_story';
const HEADERS = { Authorization: `Bearer ${KEY}` };
const CALL = { name: 'test_simple_text', arguments: {} };
const INFO = { name: 'hubgate-test', version: '1.0.0' };

/** What a client saw, told alike for all of them. */
interface Seen {
  readonly tools: readonly { readonly name: string }[];
  readonly result: Readonly<Record<string, unknown>>;
}

describe('real MCP clients list and call a tool of a hub with keys', () => {
  let hub: Hub;
  let url = '';
  let home = '';
  beforeAll(async () => {
    // Keeps the clients' own state out of the home folder.
    home = await mkdtemp(join(tmpdir(), 'hubgate-clients-'));
    const sha256 = createHash('sha256').update(KEY).digest('hex');
    const config = [
      `extensions: [${JSON.stringify(SOURCE)}]`,
      'servers:',
      '  fixture: { source: conformance }',
      'consumers:',
      `  - { name: alice, keys: [{ sha256: "${sha256}" }] }`,
    ];
    hub = await startHub({ files: { 'hubgate.yaml': `${config.join('\n')}\n` } });
    url = `${hub.url}/mcp/fixture`;
  });
  afterAll(async () => {
    await hub?.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('refuses a client without a key', async () => {
    await expect(connectSdk(url, 'legacy')).rejects.toThrow(/valid key is needed/);
  });

  it('SDK v1', async () => {
    expectToolAndAnswer(await throughV1(new HttpV1(new URL(url), { requestInit: { headers: HEADERS } })));
  });

  it.each<{ mode: Negotiation; revision: string }>([
    { mode: 'legacy', revision: '2025-11-25' },
    { mode: 'auto', revision: '2026-07-28' },
    { mode: { pin: '2026-07-28' }, revision: '2026-07-28' },
  ])('SDK v2, mode $mode', async ({ mode, revision }) => {
    const client = await connectSdk(url, mode, HEADERS);
    try {
      expect(client.getNegotiatedProtocolVersion()).toBe(revision);
      expectToolAndAnswer({ tools: (await client.listTools()).tools, result: await client.callTool(CALL) });
    } finally {
      await client.close();
    }
  });

  it.each([{ extra: [] }, { extra: ['--protocol', 'auto'] }])('mcp-remote $extra', async ({ extra }) => {
    // As Claude Desktop starts it: the header's value comes from the environment.
    const args = [await peerProgram('mcp-remote', 'mcp-remote'), url, ...extra, '--header', 'Authorization:${AUTH_HEADER}'];
    const env = { PATH: process.env.PATH ?? '', HOME: home, MCP_REMOTE_CONFIG_DIR: home, AUTH_HEADER: HEADERS.Authorization };
    expectToolAndAnswer(await throughV1(new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' })));
  });

  it.each(['legacy', 'modern'])('Inspector, %s era', async (era) => {
    const { tools } = (await inspect(era, '--method', 'tools/list')) as unknown as Pick<Seen, 'tools'>;
    const result = await inspect(era, '--method', 'tools/call', '--tool-name', CALL.name, '--tool-args-json', '{}');
    expectToolAndAnswer({ tools, result });
  });

  async function inspect(era: string, ...args: string[]): Promise<Seen['result']> {
    const server = [
      '--cli',
      '--server-url',
      url,
      '--transport',
      'http',
      '--protocol-era',
      era,
      '--header',
      `Authorization: ${HEADERS.Authorization}`,
    ];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        await peerProgram('@modelcontextprotocol/inspector', 'mcp-inspector'),
        ...server,
        '--format',
        'json',
        '--quiet',
        '--stored-auth-only',
        ...args,
      ],
      { env: { PATH: process.env.PATH, HOME: home } },
    );
    const answer = JSON.parse(stdout);
    return answer.result ?? answer;
  }
});

function expectToolAndAnswer({ tools, result }: Seen): void {
  expect(tools.map(({ name }) => name)).toContain(CALL.name);
  expect(result.isError ?? false).toBe(false);
  expect(result.content).toEqual([{ type: 'text', text: 'This is a simple text response for testing.' }]);
}

async function throughV1(transport: HttpV1 | StdioClientTransport): Promise<Seen> {
  const client = new ClientV1(INFO);
  await client.connect(transport);
  try {
    return { tools: (await client.listTools()).tools, result: await client.callTool(CALL) };
  } finally {
    await client.close();
  }
}
