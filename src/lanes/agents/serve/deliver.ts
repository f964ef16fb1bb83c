import type { Handled } from '../../../core/call.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Exchange } from '../../../http/mount.ts';
import { openEventStream, type EventStream } from '../../../http/sse.ts';
import type { Arrival } from '../calls/arrival.ts';
import { agentErrorFrom } from '../wires/agent-errors.ts';
import type { WireAnswer } from '../wires/wire.ts';

/** Milliseconds after which a stream without a first event is opened all the same, so that its comments keep the connection alive. */
const PATIENCE_MS = 5_000;

/** Writes the answer of a call: one JSON body, or events as they come. Nothing is written once the client has left. */
export async function deliver(exchange: Exchange, arrival: Arrival, handled: Promise<Handled<'agents'>>): Promise<void> {
  const { call, operation, wire, id, serving } = arrival;
  const { req, res } = exchange;
  let events: EventStream | undefined;
  const open = (): EventStream => (events ??= openEventStream(req, res));
  const streams = operation === 'message/stream' || operation === 'tasks/resubscribe';
  const timer = streams ? setTimeout(open, PATIENCE_MS) : undefined;
  if (streams) serving.streams.add(call);
  try {
    const what = await handled;
    if ('stream' in what) {
      for await (const { event } of what.stream) {
        const stream = open();
        call.firstByteAt ??= Date.now();
        if (stream.closed) return;
        if (!stream.send(wire.writeEvent(event, id))) await stream.drained();
      }
    } else if (streams) open().send(wire.writeEvent(what.reply.result, id));
    else sendAnswer(exchange, wire.writeReply(operation, what.reply.result, id));
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    if (error.status >= 500) serving.log.error({ requestId: exchange.id, code: error.code, detail: error.detail }, error.message);
    const told = agentErrorFrom(thrown);
    if (error.retryAfterMs !== undefined && !res.headersSent) res.setHeader('retry-after', Math.ceil(error.retryAfterMs / 1000));
    if (events === undefined) sendAnswer(exchange, wire.writeError(told, id));
    // Readers of HTTP+JSON know it by the name of the event alone.
    else events.send(wire.writeStreamError(told, id), { event: 'error' });
  } finally {
    clearTimeout(timer);
    serving.streams.delete(call);
    events?.end();
  }
}

/** Writes a whole answer, where there is still somebody to read it. */
export function sendAnswer({ res }: Pick<Exchange, 'res'>, { status, contentType, body }: WireAnswer): void {
  if (res.destroyed || res.headersSent) return;
  if (body === undefined) {
    res.writeHead(status).end();
    return;
  }
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length });
  res.end(bytes);
}
