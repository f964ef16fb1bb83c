import type { IncomingMessage } from 'node:http';
import type { CallRequest } from '../core/call.ts';

/** What policies may read of a request. The address is asked of the socket only when somebody wants it. */
export class HttpCallRequest implements CallRequest {
  readonly #req: IncomingMessage;
  readonly size: number;

  /** `size` is that of the body, in bytes. */
  constructor(req: IncomingMessage, size: number) {
    this.#req = req;
    this.size = size;
  }

  get headers(): CallRequest['headers'] {
    return this.#req.headers;
  }

  get ip(): string {
    return this.#req.socket.remoteAddress ?? '';
  }
}
