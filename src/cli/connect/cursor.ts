import { posix, win32 } from 'node:path';
import { type ClientSetup, type ConnectTarget, putEntry } from './client-setup.ts';

/** Cursor speaks HTTP and resolves `${env:VAR}` in headers (https://cursor.com/docs/mcp, install links: …/mcp/install-links). */
export function cursor({ name, url, keyed }: ConnectTarget): ClientSetup {
  const entry = { url, ...(keyed && { headers: { Authorization: 'Bearer ${env:HUBGATE_KEY}' } }) };
  const config = encodeURIComponent(Buffer.from(JSON.stringify(entry)).toString('base64'));
  return {
    title: 'Cursor',
    steps: [
      ...(keyed ? ['Set HUBGATE_KEY to your key in the environment in which Cursor starts, then start Cursor again.'] : []),
      'Check with Cursor Settings, Tools & MCP.',
    ],
    file: {
      path: (platform, home) => (platform === 'win32' ? win32 : posix).join(home, '.cursor', 'mcp.json'),
      merge: (existing) => putEntry(existing, 'mcpServers', name, entry),
    },
    links: [`cursor://anysphere.cursor-deeplink/mcp/install?name=${encodeURIComponent(name)}&config=${config}`],
  };
}
