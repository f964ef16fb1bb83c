import { type IncomingMessage, ServerResponse, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http';

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * Has the request id on every answer, whoever writes it. The id goes out with the head: a header that is set beforehand makes node put all the others
 * beside it one by one, which costs as much as writing them.
 */
export class EdgeResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  requestId = '';

  override writeHead(status: number, message?: string, headers?: Headers): this;
  override writeHead(status: number, headers?: Headers): this;
  override writeHead(status: number, first?: string | Headers, second?: Headers): this {
    if (typeof first === 'string') this.statusMessage = first;
    const headers = typeof first === 'string' ? second : first;
    if (this.getHeaderNames().length > 0) {
      this.setHeader('x-request-id', this.requestId);
      return super.writeHead(status, headers);
    }
    const lines: OutgoingHttpHeader[] = ['x-request-id', this.requestId];
    if (Array.isArray(headers)) lines.push(...headers);
    else for (const name in headers) lines.push(name, headers[name]!);
    return super.writeHead(status, lines);
  }
}
