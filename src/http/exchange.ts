import type { IncomingMessage, ServerResponse } from 'node:http';
import { ANONYMOUS } from '../core/consumer.ts';
import type { Consumer } from '../core/consumer.ts';
import type { Exchange } from './mount.ts';
import { pathOf } from './request-line.ts';

const EXCHANGE = Symbol('exchange');

/** The edge's own view of an exchange: it learns the consumer on the way. */
export class EdgeExchange implements Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly id: string;
  readonly startedAt = Date.now();
  consumer: Consumer = ANONYMOUS;
  #query: URLSearchParams | undefined;

  constructor(req: IncomingMessage, res: ServerResponse, id: string) {
    this.req = req;
    this.res = res;
    this.id = id;
    (req as IncomingMessage & { [EXCHANGE]?: EdgeExchange })[EXCHANGE] = this;
  }

  get path(): string {
    return pathOf(this.req.url as string);
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams((this.req.url as string).slice(this.path.length + 1)));
  }
}

/** The exchange of a request that the edge has taken. */
export function exchangeOf(req: IncomingMessage): EdgeExchange {
  return (req as IncomingMessage & { [EXCHANGE]?: EdgeExchange })[EXCHANGE] as EdgeExchange;
}
