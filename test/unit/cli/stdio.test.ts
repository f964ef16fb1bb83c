/** `hubgate stdio` in a process of its own, without the command line around it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SampleServer } from '../relay/process.ts';

const STDIO = new URL('../../../src/cli/stdio.ts', import.meta.url).href;
const script = (server: string) => `import('${STDIO}').then(({ runStdio }) => runStdio({ server: ${server}, env: process.env }))`;
const server = new SampleServer('hg_key');
beforeEach(() => server.start());
afterEach(() => server.kill());

it.each([
  ['by HUBGATE_URL', () => ({ HUBGATE_URL: `http://127.0.0.1:${server.port}` })],
  ['by HUBGATE_HOST and HUBGATE_PORT', () => ({ HUBGATE_HOST: '0.0.0.0', HUBGATE_PORT: String(server.port) })],
])('finds the hub %s and sends the key', async (_, env) => {
  const client = new Client({ name: 'test', version: '1.0.0' });
  const args = ['--input-type=module', '-e', script(`'petstore'`)];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env: { ...env(), HUBGATE_KEY: 'hg_key' } }));
  expect((await client.listTools()).tools).toHaveLength(5);
  await client.close();
});

it('ends with 0 when stdin ends', async () => {
  const env = { HUBGATE_URL: `http://127.0.0.1:${server.port}` };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script('undefined')], { env });
  child.stdin.end();
  expect((await once(child, 'exit'))[0]).toBe(0);
});
