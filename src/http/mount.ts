import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Consumer } from '../core/consumer.ts';

/** One request at the edge, with what the edge has found out about it. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The request id; on the answer already, as `x-request-id`. */
  readonly id: string;
  /** Who calls. On an `open` mount nobody was asked: the anonymous consumer. */
  readonly consumer: Consumer;
  /** The path without its query, as it was sent. */
  readonly path: string;
  /** Parsed when first asked for. */
  readonly query: URLSearchParams;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** A path of the hub and who answers there. */
export interface Mount {
  /** A route of Express 5, such as `/mcp/:server` or `/console{/*path}`. At most one parameter in a segment. */
  readonly path: string;
  /** Upper case. Other methods are answered 405; HEAD is taken only where it is listed. */
  readonly methods: readonly string[];
  /** Needs no credential: always, or for some values of the parameters. Who shows one all the same is known only where it is not always so. */
  readonly open?: boolean | ((params: Readonly<Record<string, string>>) => boolean);
  /** False: there is nothing at this address, which is said before the method is looked at (404 before 405). Default: true. */
  exists?(params: Readonly<Record<string, string>>): boolean;
  /** Writes the answer. What it throws becomes an error answer, or ends the connection when the answer has begun. */
  handle(exchange: Exchange, params: Readonly<Record<string, string>>): void | Promise<void>;
}
