import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const READY_MS = 20_000;
const STOP_MS = 10_000;

export interface HubOptions {
  /** Contents by path below the hub's folder; `hubgate.yaml` is its configuration. */
  readonly files: Readonly<Record<string, string>>;
  /** Besides PATH and HOME, which is the hub's folder. */
  readonly env?: Readonly<Record<string, string>>;
  /** After those that `serve` gets here anyway. */
  readonly args?: readonly string[];
  /** Leaves the folder when the hub is stopped. */
  readonly keepDir?: boolean;
}

/** A hub in a process and a folder of its own. Values are of the process that runs now: a restart changes `pid` and what was printed. */
export interface Hub {
  readonly url: string;
  readonly adminUrl: string;
  readonly adminToken: string;
  readonly dir: string;
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Writes a file below the hub's folder. */
  write(path: string, text: string): Promise<void>;
  /** Sends the signal and waits for the end; gives the exit code, null when the signal ended it. */
  kill(signal?: NodeJS.Signals): Promise<number | null>;
  /** Ends what still runs and starts again on the same ports and folder. */
  restart(): Promise<void>;
  /** Ends the hub and removes its folder. */
  stop(): Promise<void>;
}

/** Runs `hubgate serve` on free loopback ports and waits until it is ready; throws with what it printed when it does not get there. */
export async function startHub(options: HubOptions): Promise<Hub> {
  const dir = await mkdtemp(join(tmpdir(), 'hubgate-test-'));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  };
  const removeDir = async (): Promise<void> => {
    if (!options.keepDir) await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    for (const [path, text] of Object.entries(options.files)) await write(path, text);
    let run = await launch(dir, options, '0', '0');
    const readToken = (): Promise<string> => readFile(join(dir, 'data/admin-token'), 'utf8').then((text) => text.trim());
    const adminToken = options.env?.HUBGATE_ADMIN_TOKEN ?? (await readToken());
    const { url, adminUrl } = run;
    return {
      url,
      adminUrl,
      adminToken,
      dir,
      get pid() {
        return run.pid;
      },
      stdout: () => run.stdout(),
      stderr: () => run.stderr(),
      write,
      kill: (signal = 'SIGTERM') => run.end(signal),
      async restart() {
        await run.end('SIGTERM');
        run = await launch(dir, options, new URL(url).port, new URL(adminUrl).port);
      },
      async stop() {
        await run.end('SIGTERM');
        await removeDir();
      },
    };
  } catch (error) {
    await removeDir();
    throw error;
  }
}

interface Run {
  readonly url: string;
  readonly adminUrl: string;
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

async function launch(dir: string, { env, args = [] }: HubOptions, port: string, adminPort: string): Promise<Run> {
  const serve = ['serve', '--config', join(dir, 'hubgate.yaml'), '--data', join(dir, 'data'), '--port', port, '--admin-port', adminPort];
  const child = spawn(process.execPath, [MAIN, ...serve, ...args], {
    cwd: dir,
    env: { PATH: process.env.PATH, HOME: dir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  try {
    const url = await ready(child, () => out);
    const adminUrl = /^\s*admin\s+(http:\/\/\S+)$/m.exec(out)?.[1];
    if (adminUrl === undefined) throw new Error('printed no line "admin http://…"');
    return { url, adminUrl, pid: child.pid ?? 0, stdout: () => out, stderr: () => errors, end: (signal) => end(child, signal) };
  } catch (error) {
    await end(child, 'SIGKILL');
    throw new Error(`The hub ${(error as Error).message}\n--- stdout\n${out}\n--- stderr\n${errors}`, { cause: error });
  }
}

/** The URL of the line that says the hub serves. */
function ready(child: ChildProcess, printed: () => string): Promise<string> {
  return new Promise((found, failed) => {
    const timer = setTimeout(() => failed(new Error(`was not ready within ${READY_MS} ms`)), READY_MS);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      act();
    };
    child.stdout?.on('data', () => {
      const url = /^hubgate ready (http:\/\/\S+)$/m.exec(printed())?.[1];
      if (url !== undefined) settle(() => found(url));
    });
    child.once('error', (error) => settle(() => failed(error)));
    child.once('close', (code) => settle(() => failed(new Error(`ended with code ${code} before it was ready`))));
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'close');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.kill(signal);
    await gone;
    clearTimeout(timer);
  }
  return child.exitCode;
}
