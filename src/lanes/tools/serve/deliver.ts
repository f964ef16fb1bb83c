import type { ServerResponse } from 'node:http';
import { GatewayError } from '../../../core/errors.ts';
import type { ToolsChunk } from '../../../core/tools.ts';
import type { Exchange } from '../../../http/mount.ts';
import { openEventStream, type EventStream } from '../../../http/sse.ts';
import { errorMessage, notificationMessage, resultMessage, type Rejection, type RpcId, type RpcRequest } from '../mcp/message.ts';
import type { Started } from '../operations.ts';
import { RPC, type WireFailure } from '../wire-errors.ts';
import type { EncodeResult } from './caller.ts';

/** Milliseconds after which a call without an answer gets an event stream, whose comments keep the connection alive. */
const PATIENCE_MS = 15_000;

/** Writes one JSON body in one write. */
export function sendJson(res: ServerResponse, status: number, body: string, headers?: Readonly<Record<string, string>>): void {
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers });
  res.end(body);
}

export function sendRejection(res: ServerResponse, id: RpcId | null, { status, error }: Rejection): void {
  sendJson(res, status, errorMessage(id, error));
}

/**
 * Writes the answer of an operation: plain JSON when the first thing that comes is the result, an event stream when the tool speaks before it
 * or takes long. Nothing is written twice, and nothing once the client has left.
 */
export async function deliver(exchange: Exchange, request: RpcRequest, started: Started, encode: EncodeResult): Promise<void> {
  const answer = new Answer(exchange, request, encode);
  try {
    const handled = await started.handled;
    if ('reply' in handled) answer.result(encode(request.method, handled.reply));
    else await answer.stream(handled.stream);
  } catch (error) {
    answer.failure(started.failure(error));
  } finally {
    answer.close();
  }
}

/** One request's answer, as JSON for as long as possible. */
class Answer {
  readonly #exchange: Exchange;
  readonly #request: RpcRequest;
  readonly #encode: EncodeResult;
  readonly #timer: NodeJS.Timeout | undefined;
  #events: EventStream | undefined;
  #finished = false;

  constructor(exchange: Exchange, request: RpcRequest, encode: EncodeResult) {
    this.#exchange = exchange;
    this.#request = request;
    this.#encode = encode;
    if (takesEvents(exchange)) this.#timer = setTimeout(() => this.#open(), PATIENCE_MS);
  }

  async stream(chunks: AsyncIterable<ToolsChunk>): Promise<void> {
    for await (const chunk of chunks) {
      if (chunk.type === 'result') this.result(this.#encode(this.#request.method, chunk.result));
      else if (takesEvents(this.#exchange)) await this.#say(chunk);
    }
    // A policy may have kept it for itself.
    if (!this.#finished) throw new GatewayError('internal', undefined, { detail: 'the stream of the call ended without a result' });
  }

  result(json: string): void {
    this.#finish(200, resultMessage(this.#request.id, json));
  }

  failure(wire: WireFailure): void {
    if ('result' in wire) this.result(this.#encode(this.#request.method, wire.result));
    // A missing capability is the one error of a handler that has an HTTP status of its own (2026-07-28 basic/transports).
    else this.#finish(wire.error.code === RPC.missingCapability ? 400 : 200, errorMessage(this.#request.id, wire.error));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#events?.end();
  }

  async #say(chunk: Exclude<ToolsChunk, { type: 'result' }>): Promise<void> {
    const events = this.#events ?? this.#open();
    if (events === undefined) return;
    const message =
      chunk.type === 'notification'
        ? notificationMessage(chunk.method, chunk.params)
        : JSON.stringify({ jsonrpc: '2.0', id: chunk.id, method: chunk.method, params: chunk.params });
    if (!events.send(message, { event: 'message' })) await events.drained();
  }

  /** Undefined when the client has left. */
  #open(): EventStream | undefined {
    const { req, res } = this.#exchange;
    if (!res.destroyed) this.#events = openEventStream(req, res);
    return this.#events;
  }

  #finish(status: number, message: string): void {
    if (this.#finished) return;
    this.#finished = true;
    const { res } = this.#exchange;
    if (this.#events !== undefined) this.#events.send(message, { event: 'message' });
    else if (!res.headersSent && !res.destroyed) sendJson(res, status, message);
  }
}

export function takesEvents({ req }: Exchange): boolean {
  return req.headers.accept?.includes('text/event-stream') === true;
}
