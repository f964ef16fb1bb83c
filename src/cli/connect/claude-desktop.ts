import { posix, win32 } from 'node:path';
import { type ClientSetup, type ConnectTarget, putEntry } from './client-setup.ts';

/** Stands where a person has to put the key: this client resolves no references in its file. */
const KEY_PLACE = 'PUT-YOUR-HUBGATE-KEY-HERE';

/**
 * Claude Desktop starts processes and takes no addresses in its file (its connectors by URL are fetched from Anthropic's
 * network, which reaches no local hub). Absolute paths, because it starts them without the shell's PATH.
 */
export function claudeDesktop({ name, hubUrl, server, keyed, launch }: ConnectTarget): ClientSetup {
  const entry = {
    command: launch.node,
    args: [launch.bin, 'stdio', ...(server === undefined ? [] : [server])],
    env: { HUBGATE_URL: hubUrl, ...(keyed && { HUBGATE_KEY: KEY_PLACE }) },
  };
  return {
    title: 'Claude Desktop',
    steps: [
      ...(keyed
        ? [
            `Put your key in place of ${KEY_PLACE} in the file. An extension (--bundle FILE.mcpb) keeps it in the system's key store instead.`,
          ]
        : []),
      'Quit Claude Desktop and start it again.',
    ],
    file: { path: configPath, merge: (existing) => putEntry(existing, 'mcpServers', name, entry) },
    commands: [`hubgate connect claude-desktop${server === undefined ? '' : ` ${server}`} --bundle hubgate-${name}.mcpb`],
  };
}

/** https://modelcontextprotocol.io/docs/develop/connect-local-servers */
function configPath(platform: NodeJS.Platform, home: string): string {
  const file = 'claude_desktop_config.json';
  if (platform === 'win32') return win32.join(home, 'AppData', 'Roaming', 'Claude', file);
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support', 'Claude', file);
  return posix.join(home, '.config', 'Claude', file);
}
