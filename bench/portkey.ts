import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, delimiter } from 'node:path';
import { CHAT_PATH, place, type Contender } from './targets.ts';

const SERVER = place('peers/node_modules/@portkey-ai/gateway/build/start-server.js');
const INSTALL = ['ci', '--prefix', place('peers'), '--ignore-scripts', '--no-audit', '--no-fund'];

/** Portkey's gateway as npm has it: routing by header, without keys, limits or a store. */
export const portkey: Contender = {
  name: 'portkey',
  isInKit: false,
  make: (port, upstream) => ({
    command: [process.execPath, SERVER, `--port=${port}`, '--headless'],
    env: { PORT: String(port), NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
    path: CHAT_PATH,
    headers: provider('openai', upstream),
    converted: { model: 'claude-mock', headers: provider('anthropic', upstream) },
  }),
  absence: () => (existsSync(SERVER) ? undefined : 'not installed: add --peers once'),
};

/** Installs what bench/peers pins; what npm says goes to standard error. */
export async function installPeers(): Promise<void> {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  const npm = spawn('npm', INSTALL, { stdio: ['ignore', 2, 2], env: { ...process.env, PATH: path } });
  const [code] = (await once(npm, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`"npm ${INSTALL.join(' ')}" ended with ${code ?? 'a signal'}`);
}

const provider = (name: string, upstream: string): Record<string, string> => ({
  'x-portkey-provider': name,
  'x-portkey-custom-host': `${upstream}/v1`,
});
