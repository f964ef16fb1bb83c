/** The relay between the SDK's stdio client and an SDK server, in both eras. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type VersionNegotiationOptions } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RELAY, SampleServer } from './process.ts';

const ERAS: [string, NonNullable<VersionNegotiationOptions['mode']>][] = [
  ['2025-11-25', 'legacy'],
  ['2026-07-28', { pin: '2026-07-28' }],
];
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function start(mode: NonNullable<VersionNegotiationOptions['mode']>, options: { key?: string; env?: Record<string, string> } = {}) {
  const server = new SampleServer(options.key);
  ends.push(() => server.kill());
  await server.start();
  const changed = vi.fn();
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    {
      versionNegotiation: { mode },
      capabilities: { elicitation: { form: {} } },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: changed } },
    },
  );
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } }));
  const env = { HUBGATE_URL: server.url, ...options.env };
  const transport = new StdioClientTransport({ command: process.execPath, args: [RELAY], env, stderr: 'pipe' });
  const notes: string[] = [];
  transport.stderr?.on('data', (chunk: Buffer) => notes.push(chunk.toString()));
  ends.push(() => client.close());
  const call = async (name: string, args: Record<string, unknown> = {}) => {
    const { content } = await client.callTool({ name, arguments: args });
    return (content[0] as { text: string }).text;
  };
  return { server, client, transport, changed, notes, call };
}

describe.each(ERAS)('a client of MCP %s', (version, mode) => {
  it('lists, calls, hears progress and is asked', async () => {
    const { client, transport, call } = await start(mode);
    await client.connect(transport);
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['echo', 'region', 'steps', 'ask', 'change']);
    expect(await call('echo', { text: 'zażółć' })).toContain('zażółć');
    expect(await call('region', { at: { region: 'Zürich' } })).toContain('Zürich');
    const progress: number[] = [];
    await client.callTool({ name: 'steps' }, { onprogress: (step) => progress.push(step.progress) });
    expect(progress).toEqual([1, 2]);
    expect(await call('ask')).toBe('hello Ada');
  });

  it('calls over a restart of the server', async () => {
    const { server, client, transport, call } = await start(mode);
    await client.connect(transport);
    const before = await call('echo');
    await server.kill();
    await server.start();
    const after = await call('echo');
    expect(after).not.toBe(before);
    expect((await client.listTools()).tools).toHaveLength(5);
  });

  it('holds a call until a server that is away is back', async () => {
    const { server, client, transport, call, notes } = await start(mode);
    await client.connect(transport);
    await server.kill();
    const answer = call('echo', { text: 'later' });
    await sleep(600);
    await server.start();
    expect(await answer).toContain('later');
    expect(notes.join('')).toContain('is away');
  });

  it('hears that a list has changed, also after a restart', async () => {
    const { server, client, transport, call, changed } = await start(mode);
    await client.connect(transport);
    await vi.waitFor(async () => {
      await call('change');
      expect(changed).toHaveBeenCalled();
    });
    await server.kill();
    changed.mockClear();
    await server.start();
    await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 5000 });
    changed.mockClear();
    await call('change');
    await vi.waitFor(() => expect(changed).toHaveBeenCalled());
  });

  it('sends the key, and says which setting is wrong when the server refuses it', async () => {
    const key = 'hg_the-right-key';
    const good = await start(mode, { key, env: { HUBGATE_KEY: key } });
    await good.client.connect(good.transport);
    expect(await good.call('echo')).toMatch(/^\d+ \{\}$/);

    // A client that is pinned to a revision keeps the text of the error to itself, one that negotiates does not.
    const asking = mode === 'legacy' ? mode : 'auto';
    const bad = await start(asking, { key, env: { HUBGATE_KEY: 'hg_the-wrong-key' } });
    await expect(bad.client.connect(bad.transport)).rejects.toThrow(/refused the key.*HUBGATE_KEY/);
    const none = await start(asking, { key, env: { HUBGATE_KEY: '${user_config.hub_key}' } });
    await expect(none.client.connect(none.transport)).rejects.toThrow(/wants a key.*HUBGATE_KEY/);
    expect([...good.notes, ...bad.notes].join('')).not.toContain('hg_');
  });
});
