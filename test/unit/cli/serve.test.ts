import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { startHub, type Hub } from '../../support/start-hub.ts';
import { MAIN, makeFolder, PETSTORE, PETSTORE_SPEC, runCli } from './run-cli.ts';

const run = promisify(execFile);
let hub: Hub | undefined;

afterEach(async () => {
  await hub?.stop();
  hub = undefined;
});

const start = (more = ''): Promise<Hub> => startHub({ files: { 'hubgate.yaml': `${PETSTORE}${more}`, 'petstore.yaml': PETSTORE_SPEC } });
const pasted = (text: string): string => text.slice(text.indexOf('curl -s'), text.indexOf('\n\nhubgate ready'));

/** Runs a command beside the running hub, which it finds by the ports. */
function beside({ dir, url, adminUrl }: Hub, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return runCli(dir, args, { HUBGATE_PORT: new URL(url).port, HUBGATE_ADMIN_PORT: new URL(adminUrl).port, ...env });
}

describe('serve', { timeout: 40_000 }, () => {
  it('prints what a person needs, with a call that works when it is pasted, and ends by a signal', async () => {
    hub = await start();
    const out = hub.stdout();
    expect(out).toMatch(new RegExp(`petstore +service +2 tools +${hub.url}/mcp/petstore`));
    expect(out).toContain(`${hub.url}/mcp\n`);
    expect(out).toContain(`${hub.dir}/hubgate.yaml`);
    expect(out).toContain('Open: no consumer is configured');
    expect(out.endsWith(`\nhubgate ready ${hub.url}\n`)).toBe(true);
    expect(out).not.toContain(hub.adminToken);
    const { stdout } = await run('sh', ['-c', pasted(out)]);
    expect(JSON.parse(stdout)).toMatchObject({ jsonrpc: '2.0', id: 1, result: { content: [{ text: expect.stringContaining('Rex') }] } });
    expect(await hub.kill('SIGTERM')).toBe(0);
  });

  it('shows agents with their addresses, and a message to one as whoever may send it', async () => {
    const agents = `agents:
  gone: { card: "http://127.0.0.1:1" }
  echo: { card: demo:echo, access: [{ consumers: [bob], allow: ['*'] }] }
consumers: [{ name: alice }, { name: bob, keys: [{ sha256: ${createHash('sha256').update('key-of-bob').digest('hex')} }] }]
`;
    hub = await startHub({ files: { 'hubgate.yaml': agents } });
    const out = hub.stdout();
    expect(out).toMatch(new RegExp(`echo +agent +2 skills +${hub.url}/a2a/echo, as tools ${hub.url}/mcp/echo\\n`));
    expect(out).toMatch(/gone +agent +(loading|failed) /);
    expect(out).toContain(`agents  ${hub.url}/a2a\n`);
    expect(out).toContain('Ask an agent, with a key of bob in HUBGATE_KEY:');
    const { stdout } = await run('sh', ['-c', pasted(out)], { env: { ...process.env, HUBGATE_KEY: 'key-of-bob' } });
    expect(JSON.parse(stdout)).toMatchObject({ id: 1, result: { task: { artifacts: [{ parts: [{ text: 'You said: Hello!' }] }] } } });
  });

  it('ends at once at the second signal', async () => {
    const upstream = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((ready) => upstream.once('listening', ready));
    const { port } = upstream.address() as { port: number };
    hub = await startHub({
      files: {
        'hubgate.yaml': `services:\n  slow: { spec: petstore.yaml, baseUrl: "http://127.0.0.1:${port}" }\n`,
        'petstore.yaml': PETSTORE_SPEC,
      },
    });
    const reached = new Promise((resolve) => upstream.once('request', resolve));
    const call = run('sh', ['-c', pasted(hub.stdout())]).catch(() => undefined);
    await reached;
    const before = Date.now();
    const ended = hub.kill('SIGTERM');
    await new Promise((wait) => setTimeout(wait, 300));
    process.kill(hub.pid, 'SIGINT');
    expect(await ended).toBe(1);
    expect(Date.now() - before).toBeLessThan(5_000);
    await call;
    upstream.closeAllConnections();
    upstream.close();
  });

  it('ends with the shell of npm start, to which npm passes its signals on', async () => {
    const cwd = await makeFolder({ 'hubgate.yaml': '{}' });
    const serve = `"${process.execPath}" "${MAIN}" serve --port 0 --admin-port 0; exit 9`;
    const shell = spawn('sh', ['-c', serve], {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let log = '';
    // The hub holds these pipes open: they close when it is gone.
    const gone = Promise.all([once(shell.stdout, 'close'), once(shell.stderr, 'close')]);
    shell.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
    shell.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    await expect.poll(() => out, { timeout: 20_000 }).toContain('hubgate ready');
    expect(log).not.toContain('npm ended');
    shell.kill('SIGTERM');
    await gone;
    expect(shell.signalCode).toBe('SIGTERM');
    expect(log).toContain('npm ended');
    await rm(cwd, { recursive: true });
  });

  it('lets the command line work through it', async () => {
    hub = await start('consumers:\n  - name: alice\n');
    expect(hub.stdout()).toContain('1 consumer may call');
    expect(pasted(hub.stdout())).toContain('-H "Authorization: Bearer $HUBGATE_KEY"');
    const key = (await beside(hub, ['keys', 'create', 'alice'])).stdout.trim();
    const list = await beside(hub, ['tools', 'list', '--as', 'alice', '--server', 'petstore']);
    expect(list).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('listPets') });
    const call = ['tools', 'call', 'listPets', '--server', 'petstore'];
    expect(await beside(hub, call)).toMatchObject({ code: 1, stderr: expect.stringContaining('hubgate keys create') });
    expect(await beside(hub, [...call, '--as', 'alice'])).toMatchObject({ code: 1, stderr: expect.stringContaining('HUBGATE_KEY') });
    expect(await beside(hub, [...call, '--as', 'alice'], { HUBGATE_KEY: key })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('Leave one of them out'),
    });
    expect((await beside(hub, ['connect', 'cursor', 'petstor'])).stderr).toContain('Did you mean "petstore"?');
    expect(await beside(hub, call, { HUBGATE_KEY: key })).toMatchObject({ code: 0, stdout: expect.stringContaining('Rex') });
    const { stdout } = await run('sh', ['-c', pasted(hub.stdout())], { env: { ...process.env, HUBGATE_KEY: key } });
    expect(stdout).toContain('Rex');
    const [made] = JSON.parse((await beside(hub, ['keys', 'list', 'alice', '--json'])).stdout) as { id: string }[];
    await beside(hub, ['keys', 'delete', 'alice', made?.id ?? '']);
    expect((await beside(hub, call, { HUBGATE_KEY: key })).code).toBe(1);
    const stranger = await beside(hub, ['tools', 'list', '--as', 'alice'], { HUBGATE_ADMIN_TOKEN: 'another' });
    expect(stranger).toMatchObject({ code: 0, stderr: expect.stringContaining('another admin token') });
    expect(hub.stderr()).not.toContain(key);
  });
});
