import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Hub } from '../../support/start-hub.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** Runs `hubgate ARGS` beside a running hub, on its folder. Rejects when it ends with another code than 0. */
export function runCommand(hub: Hub, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = ['--config', 'hubgate.yaml', '--data', 'data'];
  const own = { PATH: process.env.PATH, HOME: hub.dir, HUBGATE_ADMIN_PORT: new URL(hub.adminUrl).port, ...env };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [MAIN, ...args, ...folder], { cwd: hub.dir, env: own }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
    });
  });
}
