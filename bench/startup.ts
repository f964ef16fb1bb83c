import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './programs.ts';
import { ACCEPT, statelessMeta } from './requests.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const GIVE_UP_MS = 30_000;
const POLL_MS = 5;

/**
 * Milliseconds from the spawn of what `npm start` runs, with this repository's configuration and an empty data folder, until `/readyz` says
 * that every source is settled and the first list and the first call of the demo are answered. On all cores, as people start it.
 */
export async function measureStartup(): Promise<number> {
  const data = mkdtempSync(join(tmpdir(), 'hubgate-startup-'));
  const port = await freePort();
  const places = ['--config', join(ROOT, 'hubgate.yaml'), '--data', data, '--port', String(port), '--admin-port', '0'];
  const origin = `http://127.0.0.1:${port}`;
  const began = performance.now();
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'serve', ...places], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    while (!(await isReady(origin))) {
      if (child.exitCode !== null || performance.now() - began > GIVE_UP_MS) throw new Error('The hub does not start; try npm start.');
      await new Promise((resolve) => void setTimeout(resolve, POLL_MS));
    }
    await ask(origin, 'tools/list', {});
    await ask(origin, 'tools/call', { name: 'find_pets', arguments: {} });
    return performance.now() - began;
  } finally {
    child.kill();
    await ended;
    rmSync(data, { recursive: true, force: true });
  }
}

function isReady(origin: string): Promise<boolean> {
  return fetch(`${origin}/readyz`).then(
    (answer) => answer.ok,
    () => false,
  );
}

async function ask(origin: string, method: string, params: Readonly<Record<string, unknown>>): Promise<void> {
  const named = typeof params['name'] === 'string' ? { 'Mcp-Name': params['name'] } : {};
  const answer = await fetch(`${origin}/mcp/pets`, {
    method: 'POST',
    headers: { ...ACCEPT, 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': method, ...named },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: statelessMeta } }),
  });
  const { result } = (await answer.json()) as { result?: { isError?: boolean } };
  if (result === undefined || result.isError === true)
    throw new Error(`${method} failed with ${answer.status} on the hub that was started.`);
}
