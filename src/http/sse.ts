import type { IncomingMessage, ServerResponse } from 'node:http';

export interface EventStreamOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds between comments that keep an idle connection open. Default 15,000; 0 sends none. */
  readonly keepAliveMs?: number;
  /** What is sent then, in place of a comment. */
  readonly keepAlive?: string;
  /** Default `text/event-stream`. */
  readonly contentType?: string;
}

export interface EventFields {
  readonly event?: string;
  readonly id?: string;
  /** Milliseconds after which the client is to come back. */
  readonly retry?: number;
}

/** A `text/event-stream` answer. */
export interface EventStream {
  /** False: wait for `drained()` before sending more, or the stream is closed. */
  send(data: string, fields?: EventFields): boolean;
  comment(text?: string): boolean;
  /** Whole events as they are. */
  write(events: string | Uint8Array): boolean;
  end(): void;
  /** Ended by either side. */
  readonly closed: boolean;
  /** Called once, also when the stream is closed already. */
  onClose(listener: () => void): void;
  /** Resolves when the reader has caught up, or is gone. */
  drained(): Promise<void>;
}

/** Looks at a connection within one span of silence. */
const TICKS = 3;

/** A reader that is this far behind is cut off: nobody else can free the memory. */
const MAX_BEHIND = 8_000_000;

/** Begins the answer at once, so that the client knows its stream is open. Where the client has left already, the stream is closed. */
export function openEventStream(req: IncomingMessage, res: ServerResponse, options: EventStreamOptions = {}): EventStream {
  const { headers, keepAliveMs = 15_000, keepAlive = ': \n\n', contentType = 'text/event-stream' } = options;
  if (!req.complete) req.resume();
  const isClosed = (): boolean => res.writableEnded || res.destroyed;
  let quiet = 0;
  function write(text: string | Uint8Array): boolean {
    if (isClosed()) return false;
    quiet = 0;
    // One event may be larger than what a reader may be behind.
    if (res.writableLength === 0 || res.writableLength + text.length <= MAX_BEHIND) return res.write(text);
    res.destroy();
    return false;
  }
  const comment = (text = ''): boolean => write(`: ${oneLine(text)}\n\n`);

  if (!isClosed()) {
    res.writeHead(200, {
      ...headers,
      'content-type': contentType,
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    res.flushHeaders();
  }
  // `close` has passed on a response that is closed: nothing would stop the timer.
  if (keepAliveMs > 0 && !isClosed()) {
    const timer = setInterval(() => {
      if (++quiet >= TICKS && !res.writableNeedDrain) write(keepAlive);
    }, keepAliveMs / TICKS);
    timer.unref();
    res.once('close', () => clearInterval(timer));
  }

  return {
    send: (data, fields) => write(format(data, fields)),
    comment,
    write,
    end: () => void res.end(),
    get closed() {
      return isClosed();
    },
    onClose(listener) {
      if (res.destroyed) listener();
      else res.once('close', listener);
    },
    drained() {
      if (isClosed() || !res.writableNeedDrain) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          res.off('drain', done).off('close', done);
          resolve();
        };
        res.on('drain', done).on('close', done);
      });
    },
  };
}

function format(data: string, { event, id, retry }: EventFields = {}): string {
  const lines = /[\r\n]/.test(data) ? data.split(/\r\n|\r|\n/).join('\ndata: ') : data;
  const head = (event === undefined ? '' : `event: ${oneLine(event)}\n`) + (id === undefined ? '' : `id: ${oneLine(id)}\n`);
  return `${head}${retry === undefined ? '' : `retry: ${retry}\n`}data: ${lines}\n\n`;
}

function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, ' ');
}
