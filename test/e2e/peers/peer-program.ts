import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The file behind a command of a peer, to be run by this Node whatever PATH has. */
export async function peerProgram(peer: string, command: string): Promise<string> {
  const folder = join(import.meta.dirname, 'node_modules', peer);
  const { bin } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { bin: string | Record<string, string> };
  const file = typeof bin === 'string' ? bin : bin[command];
  if (file === undefined) throw new Error(`${peer} has no command ${command}`);
  return join(folder, file);
}
