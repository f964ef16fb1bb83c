import { posix, win32 } from 'node:path';
import { type ClientSetup, type ConnectTarget, putEntry } from './client-setup.ts';

/** Claude Code speaks HTTP and resolves `${VAR}` in headers (https://code.claude.com/docs/en/mcp). */
export function claudeCode({ name, url, keyed }: ConnectTarget): ClientSetup {
  const authorization = 'Bearer ${HUBGATE_KEY}';
  const entry = { type: 'http', url, ...(keyed && { headers: { Authorization: authorization } }) };
  return {
    title: 'Claude Code',
    steps: [
      ...(keyed ? ['Set HUBGATE_KEY to your key in the environment in which you start claude.'] : []),
      'Start claude in this folder and check with /mcp.',
    ],
    file: {
      path: (platform, _home, cwd) => (platform === 'win32' ? win32 : posix).join(cwd, '.mcp.json'),
      merge: (existing) => putEntry(existing, 'mcpServers', name, entry),
    },
    // Single quotes, so that the shell leaves the reference to Claude Code.
    commands: [`claude mcp add --transport http ${name} ${url}${keyed ? ` --header 'Authorization: ${authorization}'` : ''}`],
  };
}
