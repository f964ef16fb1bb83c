import type { IncomingHttpHeaders } from 'node:http';
import type { CallRequest } from '../core/call.ts';

/** Of a request at the edge, or of one that the hub makes itself. */
export interface RequestHead {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** What policies may read of a request. The address is asked of the socket only when somebody wants it. */
export class HttpCallRequest implements CallRequest {
  readonly #req: RequestHead;
  readonly size: number;

  /** `size` is that of the body, in bytes. */
  constructor(req: RequestHead, size: number) {
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
