import pino from 'pino';
import type { Logger } from '../core/logger.ts';
import type { Redactor } from '../core/redact.ts';
import { formatLine } from './log-line.ts';

export interface LogOptions {
  /** Default `info`. */
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Short lines for a person. Default: when stderr is a terminal. */
  readonly pretty?: boolean;
  readonly redactor: Redactor;
  /** Default: stderr, written in the background. */
  readonly destination?: { write(line: string): void };
}

export type Log = Logger & {
  /** Writes out what is held back; also done every 200 ms and at exit. */
  flush(): void;
};

const HELD_BACK = 4_096;
const FLUSH_MS = 200;
/** Headers whose value is a credential, wherever in a line they are. */
const CREDENTIALS = /"((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|api-key)":(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\])/gi;

/** The log of the process: JSON lines, or short lines for a person. Every line passes the redactor last. */
export function createLog(options: LogOptions): Log {
  const { level = 'info', pretty = process.stderr.isTTY, redactor } = options;
  const { write, flush } = options.destination === undefined ? stderr() : { ...bound(options.destination), flush() {} };
  const log = pino(
    { level, base: undefined, formatters: { level: (label) => ({ level: label }) } },
    {
      write(line: string) {
        const masked = redactor.redact(line).replace(CREDENTIALS, '"$1":"[redacted]"');
        write(pretty ? formatLine(masked) : masked);
      },
    },
  );
  return Object.assign(log satisfies Logger, { flush }) as Log;
}

function bound(destination: { write(line: string): void }): { write(line: string): void } {
  return { write: (line) => destination.write(line) };
}

function stderr(): { write(line: string): void; flush(): void } {
  const stream = pino.destination({ fd: 2, sync: false, minLength: HELD_BACK });
  // A log that nobody reads any more is no reason to stop.
  stream.on('error', () => {});
  const flush = (): void => {
    try {
      stream.flushSync();
    } catch {
      // The descriptor is closed: there is nowhere left to say so.
    }
  };
  setInterval(() => stream.flush(), FLUSH_MS).unref();
  process.once('exit', flush);
  return { write: (line) => void stream.write(line), flush };
}
