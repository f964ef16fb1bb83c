import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { availableParallelism, setPriority } from 'node:os';

const START_MS = 30_000;
const STOP_MS = 5_000;
const POLL_MS = 20;
/** A nice value. */
const PRIORITY = -15;

/** Keeps a program on some cores; Linux has it, not always installed. */
const PIN = 'taskset';

/** Whether programs can be kept on one core each: the server on core 0, what loads it on core 1. */
export const canPin = availableParallelism() > 1 && spawnSync(PIN, ['-c', '0,1', 'true']).status === 0;

export interface Program {
  readonly pid: number;
  readonly origin: string;
  stop(): Promise<void>;
}

interface Start {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly readyPath?: string;
  readonly core: number;
  readonly logFile: string;
}

/**
 * Runs a program on one core, before other programs of the machine where that is permitted. It is killed when this process ends.
 * What is started here leads a session of its own, since the kernel weighs whole sessions against each other.
 */
export function spawnOnCore(core: number, command: readonly string[], options: SpawnOptions): ChildProcess {
  const [file = '', ...args] = canPin ? [PIN, '-c', String(core), ...command] : command;
  const child = spawn(file, args, { ...options, detached: true });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  try {
    setPriority(child.pid!, PRIORITY);
    writeFileSync(`/proc/${child.pid}/autogroup`, String(PRIORITY));
  } catch {
    // Only root may; without it the figures vary more on a busy machine.
  }
  return child;
}

/** Starts a server and waits until it is ready. Throws with the end of its log when it does not get there. */
export async function startProgram({ name, command, env, port, readyPath, core, logFile }: Start): Promise<Program> {
  const log = openSync(logFile, 'w');
  const child = spawnOnCore(core, command, { env: { ...process.env, ...env }, stdio: ['ignore', log, log] });
  const origin = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + START_MS;
  while (!(await isReady(port, readyPath && origin + readyPath))) {
    if (hasEnded(child) || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${name} does not start:\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
    }
    await new Promise((resolve) => void setTimeout(resolve, POLL_MS));
  }
  const stop = async (): Promise<void> => {
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
  };
  return { pid: child.pid!, origin, stop };
}

/** A port of loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;

function isReady(port: number, url: string | undefined): Promise<boolean> {
  if (url !== undefined) {
    return fetch(url, { signal: AbortSignal.timeout(1000) }).then(
      (answer) => answer.ok,
      () => false,
    );
  }
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => void socket.destroy()).on('error', () => {});
    socket.on('close', (hadError) => resolve(!hadError));
  });
}
