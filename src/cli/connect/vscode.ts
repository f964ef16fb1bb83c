import { posix, win32 } from 'node:path';
import { type ClientSetup, type ConnectTarget, putEntry } from './client-setup.ts';

/**
 * VS Code speaks HTTP, asks for the key once and keeps it in the system's key store
 * (https://code.visualstudio.com/docs/copilot/reference/mcp-configuration, install links: …/guides/mcp-developer-guide).
 */
export function vscode({ name, url, keyed }: ConnectTarget): ClientSetup {
  const input = { type: 'promptString', id: `${name}-key`, description: `Key for ${name} on Hubgate`, password: true };
  const entry = { type: 'http', url, ...(keyed && { headers: { Authorization: `Bearer \${input:${input.id}}` } }) };
  const install = JSON.stringify({ name, ...entry, ...(keyed && { inputs: [input] }) });
  return {
    title: 'VS Code',
    steps: [
      'Open .vscode/mcp.json in VS Code and press Start above the server, or run "MCP: List Servers".',
      ...(keyed ? ['Give your key when VS Code asks for it.'] : []),
    ],
    file: {
      path: (platform, _home, cwd) => (platform === 'win32' ? win32 : posix).join(cwd, '.vscode', 'mcp.json'),
      merge: (existing) => {
        const merged = putEntry(existing, 'servers', name, entry);
        if (!keyed) return merged;
        const inputs = merged.inputs ?? [];
        if (!Array.isArray(inputs)) throw new TypeError('"inputs" holds no list');
        return inputs.some((one) => one?.id === input.id) ? merged : { ...merged, inputs: [...inputs, input] };
      },
    },
    commands: [`code --add-mcp '${install}'`],
    links: [`vscode:mcp/install?${encodeURIComponent(install)}`],
  };
}
