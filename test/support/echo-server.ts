import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RecordedRequest {
  readonly method: string;
  /** As it came on the wire, query included, nothing decoded. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in the order and spelling of the wire. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface EchoServer {
  readonly url: string;
  readonly port: number;
  /** Oldest first. */
  readonly requests: RecordedRequest[];
  stop(): Promise<void>;
}

/** Answers a request by writing to the response; everything is there when it is called. */
export type Answer = (request: RecordedRequest, response: ServerResponse) => void | Promise<void>;

/** An HTTP server on loopback that records what it gets. Without an `answer` it sends 200 and what it saw, as JSON; without a wanted port it takes a free one. */
export async function startEchoServer(answer: Answer = echo, wanted = 0): Promise<EchoServer> {
  const requests: RecordedRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', async () => {
      const { method = '', url: path = '', headers, rawHeaders } = incoming;
      const request = { method, path, headers, rawHeaders, body: Buffer.concat(chunks) };
      requests.push(request);
      try {
        await answer(request, response);
      } catch (error) {
        response.destroy(error as Error);
      }
    });
  });
  await new Promise<void>((listening) => server.listen(wanted, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return { url: `http://127.0.0.1:${port}`, port, requests, stop };
}

export function sendJson(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

function echo({ method, path, headers, body }: RecordedRequest, response: ServerResponse): void {
  sendJson(response, 200, { method, path, headers, body: body.toString() });
}
