/** The bundle as Claude Desktop takes it. The schema beside this file is that of `@anthropic-ai/mcpb` 2.1.2 (MIT, Anthropic, PBC). */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client, type VersionNegotiationOptions } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { unzipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeBundle } from '../../../../src/cli/connect/bundle.ts';
import { connect } from '../../../../src/cli/connect/connect.ts';
import { SampleServer } from '../../relay/process.ts';
import schema from './mcpb-manifest-v0.4.schema.json' with { type: 'json' };

interface Manifest {
  name: string;
  version: string;
  display_name: string;
  server: { entry_point: string; mcp_config: { command: string; args: string[]; env: Record<string, string> } };
  user_config: Record<string, { default?: string; sensitive?: boolean; required?: boolean }>;
}

const KEY = 'hg_of-the-person';
let folder: string;
let server: SampleServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubgate-bundle-'));
  server = new SampleServer(KEY);
});
afterEach(async () => {
  await server.kill();
  await rm(folder, { recursive: true });
});

async function bundle(options: Partial<Parameters<typeof writeBundle>[0]> = {}) {
  const file = join(folder, 'new', 'petstore.mcpb');
  await writeBundle({ file, name: 'petstore', url: 'http://127.0.0.1:8700/mcp/petstore', keyed: true, version: '1.2.3', ...options });
  return file;
}

async function unpack(file: string) {
  const entries = unzipSync(await readFile(file));
  for (const [path, bytes] of Object.entries(entries)) {
    await mkdir(dirname(join(folder, 'unpacked', path)), { recursive: true });
    await writeFile(join(folder, 'unpacked', path), bytes);
  }
  return { names: Object.keys(entries), manifest: JSON.parse(new TextDecoder().decode(entries['manifest.json'])) as Manifest };
}

/** What `getMcpConfigForManifest` of `@anthropic-ai/mcpb` does: what is not given and has no default stays as it stands. */
function launchOf({ server: { mcp_config: config }, user_config: questions }: Manifest, given: Record<string, string>) {
  const values = new Map([['__dirname', join(folder, 'unpacked')]]);
  for (const [name, question] of Object.entries(questions)) {
    const value = given[name] ?? question.default;
    if (value !== undefined) values.set(`user_config.${name}`, value);
  }
  const fill = (text: string) => text.replaceAll(/\$\{([^}]+)\}/g, (whole, name: string) => values.get(name) ?? whole);
  const env = Object.fromEntries(Object.entries(config.env).map(([name, value]) => [name, fill(value)]));
  return { command: config.command, args: config.args.map(fill), env };
}

describe('a bundle', () => {
  it.each([true, false])('has a valid manifest and holds the relay and nothing else (keyed: %s)', async (keyed) => {
    const { names, manifest } = await unpack(await bundle({ keyed }));
    const ajv = new Ajv({ strict: false });
    addFormats.default(ajv);
    ajv.validate(schema, manifest);
    expect(ajv.errors).toBeNull();
    expect(names).toEqual(['manifest.json', 'server/relay.mjs']);
    expect(manifest).toMatchObject({
      manifest_version: '0.4',
      name: 'hubgate-petstore',
      version: '1.2.3',
      display_name: 'Hubgate: petstore',
    });
    expect(manifest.server).toMatchObject({ type: 'node', entry_point: 'server/relay.mjs' });
    expect(manifest.user_config.hub_url).toMatchObject({ default: 'http://127.0.0.1:8700/mcp/petstore' });
    expect(manifest.user_config.hub_key).toMatchObject({ sensitive: true, required: keyed });
    const relay = await readFile(join(folder, 'unpacked', manifest.server.entry_point));
    expect(relay).toEqual(await readFile(new URL('../../../../relay/relay.mjs', import.meta.url)));
  });

  it('is the same, byte for byte, for the same options', async () => {
    const first = await readFile(await bundle());
    expect(await readFile(await bundle())).toEqual(first);
  });

  it.each<[string, NonNullable<VersionNegotiationOptions['mode']>]>([
    ['2025-11-25', 'legacy'],
    ['2026-07-28', { pin: '2026-07-28' }],
  ])('runs by plain node in MCP %s, over a kill and restart of the hub', async (version, mode) => {
    await server.start();
    const { manifest } = await unpack(await bundle({ url: server.url }));
    const { command, args, env } = launchOf(manifest, { hub_key: KEY });
    expect([command, Object.keys(env)]).toEqual(['node', ['HUBGATE_URL', 'HUBGATE_KEY']]);
    const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
    try {
      await client.connect(new StdioClientTransport({ command, args, env }));
      expect(client.getNegotiatedProtocolVersion()).toBe(version);
      expect((await client.listTools()).tools).toHaveLength(5);
      const before = await client.callTool({ name: 'echo', arguments: {} });
      await server.kill();
      await server.start();
      const after = await client.callTool({ name: 'echo', arguments: {} });
      expect(after.content).not.toEqual(before.content);
    } finally {
      await client.close();
    }
  });

  it('without a key on an open hub asks for none', async () => {
    const open = new SampleServer();
    await open.start();
    const { manifest } = await unpack(await bundle({ url: open.url, keyed: false }));
    const client = new Client({ name: 'test', version: '1.0.0' });
    try {
      await client.connect(new StdioClientTransport(launchOf(manifest, {})));
      expect((await client.listTools()).tools).toHaveLength(5);
    } finally {
      await client.close();
      await open.kill();
    }
  });

  it('comes from hubgate connect', async () => {
    const said = await connect({
      client: 'claude-desktop',
      hubUrl: 'http://127.0.0.1:8700/',
      write: false,
      bundle: 'hub.mcpb',
      keyed: true,
      platform: 'linux',
      home: folder,
      cwd: folder,
    });
    expect(said).toContain(`Wrote ${join(folder, 'hub.mcpb')}`);
    const { manifest } = await unpack(join(folder, 'hub.mcpb'));
    expect(manifest).toMatchObject({ name: 'hubgate', display_name: 'Hubgate' });
    expect(manifest.user_config.hub_url?.default).toBe('http://127.0.0.1:8700/mcp');
  });
});
