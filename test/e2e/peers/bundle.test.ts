import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { getMcpConfigForManifest, unpackExtension } from '@anthropic-ai/mcpb';
import { McpbManifestSchema } from '@anthropic-ai/mcpb/schemas/0.4';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, startHub } from '../../support/start-hub.ts';
import { peerProgram } from './peer-program.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const KEY = 'hg_test_key_of_the_bundle_story';
const CONFIG = `
services:
  petstore: { spec: openapi-specs/petstore.json, baseUrl: "demo:petstore" }
`;
const CONSUMERS = `consumers:\n  - { name: alice, keys: [{ sha256: "${createHash('sha256').update(KEY).digest('hex')}" }] }\n`;
const PETSTORE = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Petstore', version: '1' },
  paths: {
    '/pets/{petId}': {
      get: {
        operationId: 'getPetById',
        parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }],
        responses: {},
      },
    },
  },
});
const CALL = { name: 'getPetById', arguments: { petId: 1 } };
const INFO = { name: 'hubgate-test', version: '1.0.0' };

interface Launch {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

/** What these tests need of a client, whatever its package. */
interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(call: typeof CALL): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

const CLIENTS: readonly { readonly title: string; connect(launch: Launch): Promise<AnyClient> }[] = [
  ...(['legacy', { pin: '2026-07-28' }] as const).map((mode) => ({
    title: `SDK v2, ${typeof mode === 'string' ? mode : mode.pin}`,
    async connect(launch: Launch) {
      const client = new Client(INFO, { versionNegotiation: { mode } });
      await client.connect(new StdioClientTransport(launch));
      const revision = client.getNegotiatedProtocolVersion();
      if (revision !== (typeof mode === 'string' ? '2025-11-25' : mode.pin)) throw new Error(`The client got ${revision}.`);
      return client as AnyClient;
    },
  })),
  {
    title: 'SDK v1',
    async connect(launch) {
      const client = new ClientV1(INFO);
      await client.connect(new StdioV1(launch));
      return client as AnyClient;
    },
  },
];

/** This Node, and the machine's own where it is another one: a client brings whatever it likes. */
const NODES = await nodes();

describe('the bundle that hubgate connect makes', () => {
  let folder = '';
  let hub: Hub;
  let file = '';
  let unpacked = '';
  let manifest: ReturnType<typeof McpbManifestSchema.parse>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hubgate-bundles-'));
    hub = await startHub({ files: { 'hubgate.yaml': CONFIG + CONSUMERS, 'openapi-specs/petstore.json': PETSTORE } });
    file = await makeBundle(hub, folder);
    unpacked = await unpack(file, join(folder, 'unpacked'));
    manifest = await readManifest(unpacked);
  });
  afterAll(async () => {
    await hub?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('passes mcpb validate', async () => {
    const mcpb = await peerProgram('@anthropic-ai/mcpb', 'mcpb');
    const { stdout } = await run(process.execPath, [mcpb, 'validate', join(unpacked, 'manifest.json')]);
    expect(stdout).toContain('Manifest schema validation passes!');
  });

  it('holds no key, although one was in the environment', async () => {
    const files = await readdir(unpacked, { recursive: true, withFileTypes: true });
    const texts = await Promise.all(files.filter((one) => one.isFile()).map((one) => readFile(join(one.parentPath, one.name), 'latin1')));
    expect(texts.length).toBeGreaterThan(1);
    for (const text of [...texts, await readFile(file, 'latin1')]) expect(text).not.toContain(KEY);
  });

  it('does not start without a key, and gives the key to the relay by its environment alone', async () => {
    expect(await launchOf(manifest, unpacked, {})).toBeUndefined();
    const launch = await launchOf(manifest, unpacked, { hub_key: KEY });
    expect(launch).toEqual({
      command: 'node',
      args: [join(unpacked, 'server/relay.mjs')],
      env: { HUBGATE_URL: `${hub.url}/mcp/petstore`, HUBGATE_KEY: KEY },
    });
  });

  it('of a hub without consumers wants no key, and works', async () => {
    const open = await startHub({ files: { 'hubgate.yaml': CONFIG, 'openapi-specs/petstore.json': PETSTORE } });
    try {
      const place = await unpack(await makeBundle(open, join(folder, 'open')), join(folder, 'open/unpacked'));
      const launch = await launchOf(await readManifest(place), place, {});
      const client = await CLIENTS[1]?.connect({ ...launch!, command: process.execPath });
      await expectToWork(client);
      await client?.close();
    } finally {
      await open.stop();
    }
  });

  describe.each(NODES)('run by Node $version', ({ command, version }) => {
    it.each(CLIENTS)('lists and calls, over kill -9 and restart of the hub: $title', async ({ connect }) => {
      const launch = (await launchOf(manifest, unpacked, { hub_key: KEY }))!;
      const client = await connect({ ...launch, command });
      try {
        await expectToWork(client);
        await hub.kill('SIGKILL');
        // The first of these comes while there is no hub.
        await Promise.all([expectToWork(client), hub.restart()]);
        await expectToWork(client);
      } finally {
        await client.close();
      }
    });

    it('imported by a host that is no command line, as in Claude Desktop', async () => {
      const { env, args } = (await launchOf(manifest, unpacked, { hub_key: KEY }))!;
      const host = `process.argv[1] = ${JSON.stringify(args[0])}; import(require('node:url').pathToFileURL(process.argv[1]));`;
      const client = await CLIENTS[0]?.connect({ command, args: ['-e', host], env });
      try {
        await expectToWork(client);
        expect(version).toMatch(/^v\d+/);
      } finally {
        await client?.close();
      }
    });
  });
});

async function expectToWork(client: AnyClient | undefined): Promise<void> {
  expect((await client?.listTools())?.tools.map(({ name }) => name)).toEqual([CALL.name]);
  const result = await client?.callTool(CALL);
  expect(result?.isError ?? false).toBe(false);
  expect(JSON.stringify(result?.content)).toMatch(/\\"id\\":1\b/);
}

/** `hubgate connect claude-desktop petstore --bundle`, beside the running hub. */
async function makeBundle(hub: Hub, folder: string): Promise<string> {
  const file = join(folder, 'petstore.mcpb');
  const place = [
    '--config',
    join(hub.dir, 'hubgate.yaml'),
    '--data',
    join(hub.dir, 'data'),
    '--port',
    new URL(hub.url).port,
    '--admin-port',
    new URL(hub.adminUrl).port,
  ];
  const env = { PATH: process.env.PATH, HOME: hub.dir, HUBGATE_KEY: KEY };
  await run(process.execPath, [MAIN, 'connect', 'claude-desktop', 'petstore', '--bundle', file, ...place], { cwd: hub.dir, env });
  return file;
}

async function unpack(file: string, into: string): Promise<string> {
  expect(await unpackExtension({ mcpbPath: file, outputDir: into, silent: true })).toBe(true);
  return into;
}

async function readManifest(folder: string) {
  return McpbManifestSchema.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
}

/** How a host starts the extension once a person has filled in the form; undefined while something required is missing. */
async function launchOf(
  manifest: ReturnType<typeof McpbManifestSchema.parse>,
  extensionPath: string,
  userConfig: Record<string, string>,
): Promise<Launch | undefined> {
  const config = await getMcpConfigForManifest({ manifest, extensionPath, systemDirs: {}, userConfig, pathSeparator: sep });
  return config && { command: config.command, args: config.args ?? [], env: config.env ?? {} };
}

async function nodes(): Promise<{ command: string; version: string }[]> {
  const found = new Map([[process.version, process.execPath]]);
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const command = await realpath(join(folder, 'node')).catch(() => undefined);
    if (command === undefined || command.endsWith('.js')) continue;
    const { stdout } = await run(command, ['--version']);
    if (!found.has(stdout.trim())) found.set(stdout.trim(), command);
  }
  return [...found].map(([version, command]) => ({ version, command }));
}
