import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program that answers calls. */
export interface Target {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where it answers. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The model to ask it for, where it answers for models. */
  readonly model?: string;
  /** How it is asked to convert between OpenAI's format and Anthropic's; absent when it cannot. */
  readonly converted?: { readonly model: string; readonly headers: Readonly<Record<string, string>> };
  /** Answers 200 when the program is ready; absent: ready when its port is open. */
  readonly readyPath?: string;
}

/** Builds the target for a free port and the address of the service behind it. */
export type MakeTarget = (port: number, upstream: string) => Target;

/** One of the programs that a scenario compares. */
export interface Contender {
  readonly name: string;
  readonly make: MakeTarget;
  /** The bench kit has a copy of its own, which it uses. */
  readonly isInKit: boolean;
  /** Why it cannot run here; undefined when it can. */
  absence?(): string | undefined;
}

export const MCP_PATH = '/mcp';
export const CHAT_PATH = '/v1/chat/completions';

/** The file below bench/. */
export const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A folder below the system's temporary folder that goes when this process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hubgate-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a script of bench/reference on the Node that runs this. */
export const reference =
  (script: string, path: string, env: Record<string, string> = {}): MakeTarget =>
  (port, upstream) => ({
    command: [process.execPath, place(`reference/${script}`)],
    env: { PORT: String(port), UPSTREAM: upstream, ...env },
    path,
    headers: {},
  });

/** Linux has it where somebody installed it. */
const NGINX = 'nginx';

/** nginx as one process that relays: what the machine can do. */
export const nginx: Contender = {
  name: NGINX,
  isInKit: true,
  make(port, upstream) {
    const folder = temporaryFolder();
    const file = join(folder, 'nginx.conf');
    const text = readFileSync(place('fixtures/nginx.conf'), 'utf8');
    writeFileSync(file, text.replaceAll('@PORT@', String(port)).replaceAll('@UPSTREAM@', new URL(upstream).host));
    return { command: [NGINX, '-p', folder, '-c', file], env: {}, path: CHAT_PATH, headers: {} };
  },
  absence: () => (spawnSync(NGINX, ['-v']).status === 0 ? undefined : 'not on this machine'),
};

/** The services behind the targets. */
export const upstream = reference('upstream.mjs', '');
