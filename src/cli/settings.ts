import { resolve } from 'node:path';

/** What every command is told by its options, with the environment behind them. */
export interface CommandOptions {
  readonly config: string;
  readonly data: string;
  readonly host?: string;
  readonly port?: number;
  readonly adminHost?: string;
  readonly adminPort?: number;
}

/** Addresses that a command has no options for are those of a hub that was started without any. */
export const ADDRESSES = { host: '127.0.0.1', port: 8700, adminHost: '127.0.0.1', adminPort: 8701 } as const;

export interface Settings {
  /** Absolute. */
  readonly configFile: string;
  /** Absolute. */
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly store: string;
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A failure that a person can act on: the text goes to stderr as it is, the command ends with `code`. */
export class CommandError extends Error {
  readonly code: 1 | 2;

  constructor(message: string, code: 1 | 2 = 1) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
  }
}

export function readSettings({ config, data, host, port, adminHost, adminPort }: CommandOptions, env: NodeJS.ProcessEnv): Settings {
  return {
    configFile: resolve(config),
    dataDir: resolve(data),
    host: host ?? ADDRESSES.host,
    port: port ?? ADDRESSES.port,
    adminHost: adminHost ?? ADDRESSES.adminHost,
    adminPort: adminPort ?? ADDRESSES.adminPort,
    store: env.HUBGATE_STORE || 'sqlite:',
    state: env.HUBGATE_STATE || 'memory:',
    env,
  };
}

/** Runs what throws a TypeError for a name or address that cannot be one, as a matter of usage. */
export async function asUsage<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof TypeError ? new CommandError(error.message, 2) : error;
  }
}

/** The address of the hub's public listener: `HUBGATE_URL`, else made of host and port. */
export function hubUrl({ env, host, port }: Settings): string {
  return env.HUBGATE_URL || localUrl(host, port);
}

/** An address on this machine; a listener on every address is reached by loopback. */
export function localUrl(host: string, port: number): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`;
  if (host === '::') return `http://[::1]:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
