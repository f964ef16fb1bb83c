import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putEntry } from '../../../../src/cli/connect/client-setup.ts';
import { connect } from '../../../../src/cli/connect/connect.ts';

const CLIENTS = ['claude-desktop', 'claude-code', 'cursor', 'vscode'];
const FILES: Record<string, string> = {
  'claude-desktop': 'home/.config/Claude/claude_desktop_config.json',
  'claude-code': 'work/.mcp.json',
  cursor: 'home/.cursor/mcp.json',
  vscode: 'work/.vscode/mcp.json',
};
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubgate-connect-'));
});
afterEach(() => rm(folder, { recursive: true }));

const base = () => ({
  server: 'petstore',
  hubUrl: 'http://127.0.0.1:8700',
  write: true,
  keyed: true,
  platform: 'linux' as const,
  home: join(folder, 'home'),
  cwd: join(folder, 'work'),
});
const fileOf = (client: string) => join(folder, FILES[client] ?? '');
const contentOf = async (client: string) => JSON.parse(await readFile(fileOf(client), 'utf8')) as unknown;
const URL_OF = 'http://127.0.0.1:8700/mcp/petstore';

describe('connect', () => {
  it.each([
    [
      'claude-desktop',
      {
        mcpServers: {
          petstore: {
            command: process.execPath,
            args: [join(import.meta.dirname, '../../../../bin/hubgate.js'), 'stdio', 'petstore'],
            env: { HUBGATE_URL: 'http://127.0.0.1:8700', HUBGATE_KEY: 'PUT-YOUR-HUBGATE-KEY-HERE' },
          },
        },
      },
    ],
    ['claude-code', { mcpServers: { petstore: { type: 'http', url: URL_OF, headers: { Authorization: 'Bearer ${HUBGATE_KEY}' } } } }],
    ['cursor', { mcpServers: { petstore: { url: URL_OF, headers: { Authorization: 'Bearer ${env:HUBGATE_KEY}' } } } }],
    [
      'vscode',
      {
        servers: { petstore: { type: 'http', url: URL_OF, headers: { Authorization: 'Bearer ${input:petstore-key}' } } },
        inputs: [{ type: 'promptString', id: 'petstore-key', description: 'Key for petstore on Hubgate', password: true }],
      },
    ],
  ])('writes the file of %s', async (client, content) => {
    const said = await connect({ ...base(), client });
    expect(await contentOf(client)).toEqual(content);
    expect(said).toContain(`Wrote ${fileOf(client)}`);
    expect(await readdir(dirname(fileOf(client)))).toHaveLength(1);
  });

  it.each(CLIENTS)('only says how without --write, and says all that the file of %s takes', async (client) => {
    const said = await connect({ ...base(), client, write: false });
    expect(await readdir(folder)).toEqual([]);
    expect(said).toContain(fileOf(client));
    await connect({ ...base(), client });
    expect(said).toContain(JSON.stringify(await contentOf(client), null, 2));
  });

  it.each(CLIENTS)('leaves out all about keys for %s when the hub is open', async (client) => {
    const said = await connect({ ...base(), client, keyed: false, write: false });
    expect(said).not.toMatch(/HUBGATE_KEY|Authorization|input|your key/);
  });

  it.each(CLIENTS)('keeps the rest of the file of %s, and what a person put into the entry', async (client) => {
    const section = client === 'vscode' ? 'servers' : 'mcpServers';
    const headers = { Authorization: 'Bearer hg_mine', 'X-Mine': '1' };
    const before = {
      theme: 'dark',
      inputs: [{ id: 'other' }],
      [section]: {
        other: { command: 'x' },
        petstore: { url: 'http://old', disabled: true, headers, env: { HUBGATE_KEY: 'hg_mine', A: 'b' } },
      },
    };
    await mkdir(dirname(fileOf(client)), { recursive: true });
    await writeFile(fileOf(client), `\uFEFF${JSON.stringify(before)}`);
    const said = await connect({ ...base(), client });
    const after = (await contentOf(client)) as typeof before & Record<string, Record<string, object>>;
    expect(after.theme).toBe('dark');
    expect(after.inputs[0]).toEqual({ id: 'other' });
    expect(after[section]).toMatchObject({ other: { command: 'x' }, petstore: { disabled: true } });
    if (client === 'claude-desktop') expect(after[section]?.petstore).toMatchObject({ env: { HUBGATE_KEY: 'hg_mine', A: 'b' } });
    else expect(after[section]?.petstore).toMatchObject({ url: URL_OF, headers });
    expect(said).not.toContain('hg_mine');
    expect(await readFile(`${fileOf(client)}.bak`, 'utf8')).toBe(`\uFEFF${JSON.stringify(before)}`);

    expect(await connect({ ...base(), client })).toContain('has it already');
  });

  it.each([
    '// mine\n{ "servers": {} }',
    '[]',
    '{"servers":[]}',
    '{"servers":{"petstore":"hg_secret"}}',
    '{"inputs":{}}',
    '{"key": hg_secret}',
  ])('leaves a file it cannot take as it is: %s', async (content) => {
    await mkdir(dirname(fileOf('vscode')), { recursive: true });
    await writeFile(fileOf('vscode'), content);
    const said = await connect({ ...base(), client: 'vscode' });
    expect(said).toContain('as it is');
    expect(said).toContain('"petstore-key"');
    expect(said).not.toContain('hg_secret');
    expect(await readFile(fileOf('vscode'), 'utf8')).toBe(content);
    expect(await readdir(dirname(fileOf('vscode')))).toEqual(['mcp.json']);
  });

  it('writes through a link and keeps the rights of the file', async () => {
    const real = join(folder, 'dotfiles.json');
    await writeFile(real, '{}', { mode: 0o600 });
    await mkdir(dirname(fileOf('cursor')), { recursive: true });
    await symlink(real, fileOf('cursor'));
    await connect({ ...base(), client: 'cursor' });
    expect(JSON.parse(await readFile(real, 'utf8'))).toHaveProperty('mcpServers.petstore');
    expect((await stat(real)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['win32', 'C:\\Users\\ada\\AppData\\Roaming\\Claude\\claude_desktop_config.json', 'C:\\Users\\ada'],
    ['darwin', '/Users/ada/Library/Application Support/Claude/claude_desktop_config.json', '/Users/ada'],
  ] as const)('knows where Claude Desktop looks on %s', async (platform, path, home) => {
    expect(await connect({ ...base(), client: 'claude-desktop', write: false, platform, home })).toContain(`Into ${path}`);
  });

  it('gives links that hold the whole entry', async () => {
    const vscode = await connect({ ...base(), client: 'vscode', write: false });
    const [, query = ''] = /vscode:mcp\/install\?(\S+)/.exec(vscode) ?? [];
    expect(JSON.parse(decodeURIComponent(query))).toEqual({
      name: 'petstore',
      type: 'http',
      url: URL_OF,
      headers: { Authorization: 'Bearer ${input:petstore-key}' },
      inputs: [expect.objectContaining({ id: 'petstore-key', password: true })],
    });
    const cursor = await connect({ ...base(), client: 'cursor', write: false });
    const link = new URL(/cursor:\S+/.exec(cursor)?.[0] ?? '');
    expect(`${link.host}${link.pathname}`).toBe('anysphere.cursor-deeplink/mcp/install');
    expect(link.searchParams.get('name')).toBe('petstore');
    const config = Buffer.from(link.searchParams.get('config') ?? '', 'base64').toString();
    expect(JSON.parse(config)).toEqual({ url: URL_OF, headers: { Authorization: 'Bearer ${env:HUBGATE_KEY}' } });
  });

  it('gives the command of Claude Code', async () => {
    const said = await connect({ ...base(), client: 'claude-code', server: undefined, write: false });
    expect(said).toContain(
      `\nclaude mcp add --transport http hubgate http://127.0.0.1:8700/mcp --header 'Authorization: Bearer \${HUBGATE_KEY}'\n`,
    );
  });

  it.each([
    [{ client: 'emacs' }, /"emacs" is not a client.*claude-desktop/],
    [{ client: 'cursor', server: 'Pet Store' }, /"Pet Store" is not the name of a server/],
    [{ client: 'cursor', hubUrl: 'here' }, /"here" is not the address of a hub/],
    [{ client: 'cursor', hubUrl: 'http://ada:secret@hub' }, /must not hold a name or password/],
    [{ client: 'cursor', bundle: 'x.mcpb' }, /claude-desktop only/],
  ])('refuses %j', async (options, reason) => {
    await expect(connect({ ...base(), ...options })).rejects.toThrow(reason);
  });
});

describe('putEntry', () => {
  it('keeps no process beside an address', () => {
    const http = { mcpServers: { petstore: { type: 'http', url: 'http://hub', note: 'mine' } } };
    const process = { mcpServers: { petstore: { command: 'node', args: ['x'], note: 'mine' } } };
    expect(putEntry(process, 'mcpServers', 'petstore', { type: 'http', url: 'http://hub' })).toEqual(http);
    expect(putEntry(http, 'mcpServers', 'petstore', { command: 'node', args: ['x'] })).toEqual(process);
  });

  it('loses nothing of any file', () => {
    const files = fc.dictionary(fc.string(), fc.jsonValue()).filter((file) => !Object.hasOwn(file, 'mcpServers'));
    fc.assert(
      fc.property(files, fc.dictionary(fc.string(), fc.jsonValue()), (rest, servers) => {
        delete servers.petstore;
        const before = JSON.parse(JSON.stringify({ ...rest, mcpServers: servers })) as Record<string, object>;
        const after = putEntry(before, 'mcpServers', 'petstore', { url: 'http://hub' });
        expect(JSON.stringify(after)).toBe(
          JSON.stringify({ ...before, mcpServers: { ...before.mcpServers, petstore: { url: 'http://hub' } } }),
        );
      }),
    );
  });
});
