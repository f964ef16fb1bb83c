import type { ServerResponse } from 'node:http';
import type { CallEvent, Handled } from '../../../core/call.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { ModelsChunk, ModelsReply } from '../../../core/models.ts';
import type { Exchange } from '../../../http/mount.ts';
import { openEventStream, type EventStream } from '../../../http/sse.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import { DONE } from '../formats/openai-chat/openai-chat.ts';
import type { Account } from '../routes/account.ts';
import type { Route } from '../routes/route.ts';
import { wireError, type ErrorFormat } from '../wire-errors.ts';
import type { Arrival } from '../calls/arrival.ts';
import { withoutAddress } from '../calls/request.ts';
import { PassedChunk, PassedReply } from '../passing/passed.ts';
import { contextOf } from '../calls/write-context.ts';

/** Milliseconds after which a stream without a first event is opened all the same, so that its comments keep the connection alive. */
const PATIENCE_MS = 15_000;
const KEEP_ALIVE = { openai: ': keep-alive\n\n', anthropic: 'event: ping\ndata: {"type":"ping"}\n\n' } as const;
const EVENT_STREAM = 'text/event-stream; charset=utf-8';

/** Writes the answer of a call: one JSON body, or events as they come. Nothing is written once the client has left. */
export async function deliver(call: LiveCall<'models'>, arrival: Arrival<Exchange>, handled: Promise<Handled<'models'>>): Promise<void> {
  const answer = new Answer(call, arrival);
  try {
    const what = await handled;
    if ('stream' in what) await answer.stream(what.stream);
    else if (call.input.stream && arrival.door.codec !== undefined)
      // A policy has answered in the place of the vendor.
      await answer.events(arrival.door.codec.replay(what.reply.body, contextOf(call, arrival)));
    else answer.whole(what.reply);
  } catch (error) {
    answer.fail(withoutAddress(GatewayError.from(error), accountsOf(arrival.route)));
  } finally {
    answer.close();
  }
}

class Answer {
  readonly #call: LiveCall<'models'>;
  readonly #arrival: Arrival<Exchange>;
  readonly #timer: NodeJS.Timeout | undefined;
  #events: EventStream | undefined;
  #last: ModelsChunk | undefined;

  constructor(call: LiveCall<'models'>, arrival: Arrival<Exchange>) {
    this.#call = call;
    this.#arrival = arrival;
    if (call.input.stream) this.#timer = setTimeout(() => this.#open(), PATIENCE_MS);
  }

  whole(reply: ModelsReply): void {
    const { res } = this.#arrival.exchange;
    if (res.destroyed) return;
    const bytes = reply instanceof PassedReply ? reply.bytes : Buffer.from(JSON.stringify(reply.body));
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length, ...this.#headers() });
    res.end(bytes);
  }

  async stream(chunks: AsyncIterable<ModelsChunk>): Promise<void> {
    for await (const chunk of chunks) {
      const events = this.#events ?? this.#open();
      this.#call.firstByteAt ??= Date.now();
      this.#last = chunk;
      if (!events.write(bytesOf(chunk))) await events.drained();
      if (events.closed) return;
    }
  }

  async events(chunks: readonly ModelsChunk[]): Promise<void> {
    const events = this.#events ?? this.#open();
    for (const chunk of chunks) if (!events.write(bytesOf(chunk))) await events.drained();
  }

  fail(error: GatewayError): void {
    const { exchange, door, host } = this.#arrival;
    if (error.status >= 500) host.log.error({ requestId: exchange.id, code: error.code, detail: error.detail }, error.message);
    if (exchange.res.destroyed) return;
    if (this.#events === undefined) sendFailure(exchange.res, exchange.id, door.errors, error, host.redact, this.#headers(true));
    else this.#events.write(this.#failureEvent(error));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#events?.end();
  }

  #open(): EventStream {
    clearTimeout(this.#timer);
    const { exchange, door } = this.#arrival;
    const headers = this.#headers();
    const options = { headers, contentType: EVENT_STREAM, keepAlive: KEEP_ALIVE[door.errors] };
    return (this.#events = openEventStream(exchange.req, exchange.res, options));
  }

  /** The error event of the format: the status has been sent, so this is the only signal. */
  #failureEvent(error: GatewayError): string {
    const { exchange, door, host } = this.#arrival;
    const { body } = wireError(door.errors, error, exchange.id, host.redact);
    if (door.errors === 'anthropic') return `event: error\ndata: ${JSON.stringify(body)}\n\n`;
    if (door.operation !== 'responses') return `data: ${JSON.stringify(body)}\n\n`;
    const { message, code, param } = body['error'] as Record<string, unknown>;
    const sequence_number = this.#last === undefined ? 0 : lastSequence(this.#last) + 1;
    return `event: error\ndata: ${JSON.stringify({ type: 'error', code, message, param, sequence_number })}\n\n`;
  }

  #headers(failed = false): Record<string, string> {
    const { exchange, door } = this.#arrival;
    const headers: Record<string, string> = door.errors === 'anthropic' ? { 'request-id': exchange.id } : {};
    const { events, attempts } = this.#call;
    // Who has been told to wait by a vendor, and has waited, should not be sent to wait again.
    if (failed && attempts > 1) headers['x-should-retry'] = 'false';
    if (events.length === 0) return headers;
    const dropped = droppedOf(events);
    if (dropped !== '') headers['x-hubgate-dropped'] = headerText(dropped);
    const cached = events.findLast(({ type }) => type === 'cached')?.detail;
    if (cached !== undefined) headers['x-hubgate-cache'] = headerText(cached);
    const intent = events.find(({ type }) => type === 'intent')?.detail;
    if (intent !== undefined) headers['x-hubgate-intent'] = headerText(intent.split(',')[0]!);
    return headers;
  }
}

/** What the target that answers did not get: the others do not matter to the caller. */
function droppedOf(events: readonly CallEvent[]): string {
  const from = events.findLastIndex(({ type }) => type === 'retried' || type === 'fallback') + 1;
  return events
    .slice(from)
    .filter(({ type }) => type === 'dropped')
    .map(({ detail }) => detail)
    .join(', ');
}

function* accountsOf({ plan }: Route): Generator<Account> {
  for (const { choices } of plan.pools) for (const { accounts } of choices) yield* accounts.all;
}

/** Bytes of a header that are sent; a request may have any number of fields. */
const LONGEST_HEADER = 2_000;

/** Names of fields come from callers. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, LONGEST_HEADER);
}

/** Events of the Responses API are numbered. */
function lastSequence(chunk: ModelsChunk): number {
  if (!(chunk instanceof PassedChunk)) return Number(chunk.data['sequence_number'] ?? -1);
  const numbers = [...chunk.bytes.toString('latin1').matchAll(/"sequence_number"\s*:\s*(\d+)/g)];
  return Number(numbers.at(-1)?.[1] ?? -1);
}

function bytesOf(chunk: ModelsChunk): Buffer | string {
  if (chunk instanceof PassedChunk) return chunk.bytes;
  const { event, data } = chunk;
  // By its data: policies may have put the chunk into another.
  if (data === DONE.data) return 'data: [DONE]\n\n';
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** The error answer of a door, where nothing has been written. */
export function sendFailure(
  res: ServerResponse,
  requestId: string,
  format: ErrorFormat,
  error: GatewayError,
  redact: (text: string) => string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const { status, body, headers: own } = wireError(format, error, requestId, redact);
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers, ...own });
  res.end(bytes);
}
