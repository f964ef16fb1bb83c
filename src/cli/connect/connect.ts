import { copyFile, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBundle } from './bundle.ts';
import { claudeCode } from './claude-code.ts';
import { claudeDesktop } from './claude-desktop.ts';
import type { ClientFile, ClientSetup, ConnectTarget } from './client-setup.ts';
import { cursor } from './cursor.ts';
import { mcpUrl } from './mcp-url.ts';
import { vscode } from './vscode.ts';

const CLIENTS = new Map<string, (target: ConnectTarget) => ClientSetup>([
  ['claude-desktop', claudeDesktop],
  ['claude-code', claudeCode],
  ['cursor', cursor],
  ['vscode', vscode],
]);

interface ConnectOptions {
  /** One of claude-desktop, claude-code, cursor, vscode. */
  readonly client: string;
  /** A virtual server, service or upstream server; absent: every tool the consumer may use. */
  readonly server?: string | undefined;
  /** The hub's address, without credentials. */
  readonly hubUrl: string;
  /** Put the hub into the client's file; else only say how. */
  readonly write: boolean;
  /** Write an `.mcpb` bundle for Claude Desktop to this file instead. */
  readonly bundle?: string | undefined;
  /** The hub has consumers, so a call needs a key. */
  readonly keyed: boolean;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly cwd: string;
}

/**
 * `hubgate connect`: connects a client to the hub, or says how. Holds, prints and writes no key.
 * @returns the text to print
 * @throws {TypeError} for a client, server or address that cannot be one
 */
export async function connect(options: ConnectOptions): Promise<string> {
  const { client, server, hubUrl, bundle, platform, home, cwd } = options;
  const setupOf = CLIENTS.get(client);
  if (setupOf === undefined) throw new TypeError(`"${client}" is not a client. There are ${[...CLIENTS.keys()].join(', ')}.`);
  if (bundle !== undefined && client !== 'claude-desktop') throw new TypeError('--bundle makes an extension for claude-desktop only.');
  const url = mcpUrl(hubUrl, server);
  const { username, password } = new URL(url);
  if (username !== '' || password !== '')
    throw new TypeError('The address of the hub must not hold a name or password; give a key to the client.');
  const name = server ?? 'hubgate';
  if (bundle !== undefined) return bundled(resolve(cwd, bundle), name, url, options.keyed);

  const launch = { node: process.execPath, bin: fileURLToPath(new URL('../../../bin/hubgate.js', import.meta.url)) };
  const setup = setupOf({ name, url, hubUrl, server, keyed: options.keyed, launch });
  const heading = `${setup.title}: ${name} at ${url}`;
  const path = setup.file?.path(platform, home, cwd) ?? '';
  if (!options.write || setup.file === undefined) return text(heading, ways(setup, path), setup.steps);
  const written = await write(setup.file, path).catch((error: unknown) => refusal(path, error));
  return text(heading, typeof written === 'string' ? [written] : [written.refused, ...ways(setup, path)], setup.steps);
}

async function bundled(file: string, name: string, url: string, keyed: boolean): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
  await writeBundle({ file, name, url, keyed, version });
  const steps = [
    'Open the file, or drag it into Settings, Extensions of Claude Desktop.',
    keyed ? 'Give your key when Claude Desktop asks for it; it goes to the key store of the system.' : 'Press Install.',
  ];
  return text(`Claude Desktop: ${name} at ${url}`, [`Wrote ${file}`], steps);
}

/** Puts the hub into the client's file; the former content stays beside it as `.bak`. */
async function write(file: ClientFile, path: string): Promise<string> {
  // A file that lies elsewhere and is linked here stays linked.
  const target = await realpath(path).catch(() => path);
  const before = await readFile(target, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const empty = before === undefined || before.trim() === '';
  const existing: unknown = empty ? {} : JSON.parse(before.replace(/^\uFEFF/, ''));
  const merged = file.merge(existing);
  if (JSON.stringify(merged) === JSON.stringify(existing)) return `${path} has it already.`;
  await mkdir(dirname(target), { recursive: true });
  if (before !== undefined) await copyFile(target, `${target}.bak`);
  const mode = before === undefined ? 0o600 : (await stat(target)).mode;
  await writeFile(`${target}.new`, `${JSON.stringify(merged, null, 2)}\n`, { mode });
  await rename(`${target}.new`, target);
  return before === undefined ? `Wrote ${path}` : `Wrote ${path}; what it held before is in ${target}.bak`;
}

/** A file with comments, or of another shape, is a person's to edit. */
function refusal(path: string, error: unknown): { refused: string } {
  if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
  // The text of a SyntaxError quotes the file, which may hold keys.
  const why = error.name === 'SyntaxError' ? 'it is not plain JSON (comments?)' : error.message;
  return { refused: `Left ${path} as it is: ${why}. Put this in by hand:` };
}

function ways({ file, commands = [], links = [] }: ClientSetup, path: string): string[] {
  return [
    ...(file === undefined ? [] : [`Into ${path} (--write does it):\n${JSON.stringify(file.merge({}), null, 2)}`]),
    ...commands.map((command) => `Or run:\n${command}`),
    ...links.map((link) => `Or open:\n${link}`),
  ];
}

function text(heading: string, parts: readonly string[], steps: readonly string[]): string {
  const numbered = steps.map((step, index) => `${index + 1}. ${step}`).join('\n');
  return `${[heading, ...parts, `Then:\n${numbered}`].join('\n\n')}\n`;
}
