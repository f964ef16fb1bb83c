import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The relay as its users start it. */
export const RELAY = fileURLToPath(new URL('../../../relay/relay.mjs', import.meta.url));

/** The sample MCP server as a process, on a port that stays the same over restarts. */
export class SampleServer {
  #child: ChildProcess | undefined;
  #key: string | undefined;
  port = 0;

  constructor(key?: string) {
    this.#key = key;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp/petstore`;
  }

  async start(): Promise<void> {
    const script = fileURLToPath(new URL('sample-server.ts', import.meta.url));
    const args = [script, String(this.port), ...(this.#key === undefined ? [] : [this.#key])];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    this.port = Number(line.split(' ')[1]);
  }

  /** Like a crash: no stream is ended in order. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}
