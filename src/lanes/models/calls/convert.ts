import type { Handled } from '../../../core/call.ts';
import type { ChatEvent, ChatRequest } from '../../../core/chat.ts';
import type { Asked, ChatSurface, DoorCodec, WireFrame } from '../../../core/contracts/provider.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { ModelsChunk } from '../../../core/models.ts';
import { estimateTokens } from '../../../core/units/tokens.ts';
import type { Usage } from '../../../core/usage.ts';
import type { UpstreamResponse, UpstreamStream } from '../../../core/upstream.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import { createAwsEventStreamReader } from '../../../upstreams/aws-event-stream.ts';
import { createEventStreamReader } from '../../../upstreams/event-stream.ts';
import { reported } from '../provider-error.ts';
import type { Trial } from './arrival.ts';
import { Assembly } from './assemble.ts';
import { settledUsage } from './estimate.ts';
import { inlineMedia } from './media.ts';
import { ask, checkEvents, collect, says } from './request.ts';
import type { Mask } from '../passing/mask.ts';
import { parseAnswer } from '../passing/scan-reply.ts';
import { contextOf } from './write-context.ts';

const CONTENT_TYPES = { sse: 'text/event-stream', 'aws-event-stream': 'application/vnd.amazon.eventstream' } as const;

/** Carries out a call by way of the neutral form, for a vendor who does not speak the caller's format. */
export async function convert(
  call: LiveCall<'models'>,
  trial: Trial,
  codec: DoorCodec,
  surfaces: readonly ChatSurface[],
  asked: Asked,
): Promise<Handled<'models'>> {
  const { http } = trial.host;
  const { account } = trial;
  const family = account.provider.family(asked.model);
  let read = codec.readRequest(call.input.body);
  const [first] = surfaces;
  if (first?.inlinesMedia === true) read = await inlineMedia(read, http, call.attemptCancellation, first.keepsLink);
  const { surface, body, dropped } = writeBest({ ...read, model: asked.model }, surfaces, family);
  noteDropped(call, codec, read, dropped);
  const request = { ...surface.address(asked), body: JSON.stringify(surface.adapt?.(body, asked) ?? body) };
  if (!asked.stream) {
    const answer = await ask(call, trial, request, http.send, (response: UpstreamResponse) => response.body);
    const reply = surface.codec.readReply(parseAnswer(account.mask.bytes(answer.body)), family);
    call.modelServed = reply.model;
    call.usage = settledUsage(call.input.body, reply.usage, Math.ceil(answer.body.length / 8), true);
    return { reply: { body: codec.writeReply({ ...reply, usage: call.usage }, contextOf(call, trial)) } };
  }
  const answer = await ask(call, trial, request, http.open, collect);
  checkEvents(answer, CONTENT_TYPES[surface.codec.framing]);
  return { stream: translate(call, trial, codec, eventsOf(answer, surface, family, account.mask)) };
}

interface Written {
  readonly surface: ChatSurface;
  readonly body: JsonObject;
  readonly dropped: readonly string[];
}

/**
 * The request for the surface that loses least of it: OpenAI's chat, say, keeps stop sequences, and its Responses API keeps reasoning. The first
 * of equals. Throws what the first throws when none can hold it.
 */
function writeBest(ask: ChatRequest, surfaces: readonly ChatSurface[], family: string): Written {
  let best: Written | undefined;
  let refusal: unknown;
  for (const surface of surfaces) {
    try {
      const written = write(ask, surface, family);
      if (best === undefined || written.dropped.length < best.dropped.length) best = written;
      if (best.dropped.length === 0) return best;
    } catch (error) {
      refusal ??= error;
    }
  }
  if (best === undefined) throw refusal ?? new GatewayError('not_implemented', 'This provider holds no conversations.');
  return best;
}

function write(ask: ChatRequest, surface: ChatSurface, family: string): Written {
  const { body, dropped } = surface.codec.writeRequest(ask, { model: ask.model, family });
  const refused = (surface.refuses ?? []).filter((field) => says(body, field));
  if (refused.length === 0) return { surface, body, dropped };
  const kept = Object.fromEntries(Object.entries(body).filter(([field]) => !refused.includes(field)));
  return { surface, body: kept, dropped: [...dropped, ...refused] };
}

/** In the caller's words: a field of the neutral form has the name that the caller gave it. */
function noteDropped(call: LiveCall<'models'>, { fieldNames }: DoorCodec, read: ChatRequest, dropped: readonly string[]): void {
  const named = dropped.map((field) => {
    const [name = ''] = /^\w+/.exec(field) ?? [];
    const own = (fieldNames as Readonly<Record<string, string>>)[name];
    return own === undefined ? field : own + field.slice(name.length);
  });
  const all = [...new Set([...read.unread, ...named])];
  if (all.length > 0) call.note('dropped', all.join(', '));
}

/** The steps of a vendor's stream. Throws GatewayError for what it reports, for what cannot be read, and for an end without the vendor's mark. */
async function* eventsOf({ body }: UpstreamStream, { codec }: ChatSurface, family: string, mask: Mask): AsyncGenerator<ChatEvent> {
  const frames = codec.framing === 'sse' ? createEventStreamReader() : createAwsEventStreamReader();
  const reader = codec.streamReader(family);
  const read = function* (found: readonly WireFrame[]): Generator<ChatEvent> {
    for (const frame of found) yield* reader.read({ ...frame, data: mask.text(frame.data) });
  };
  for await (const piece of body) {
    for (const event of read(frames.push(piece))) {
      yield event;
      if (event.type === 'end') return;
    }
  }
  let last: ChatEvent[];
  try {
    last = [...read(frames.close())];
  } catch (cause) {
    // Half a frame: whatever is wrong with it, the stream was cut.
    throw new GatewayError('upstream_cut', undefined, { cause });
  }
  for (const event of last) {
    yield event;
    if (event.type === 'end') return;
  }
  yield* reader.close();
}

/** Writes the steps of one format as the frames of another, and keeps what was used, however the stream ends. */
async function* translate(
  call: LiveCall<'models'>,
  trial: Trial,
  codec: DoorCodec,
  events: AsyncIterable<ChatEvent>,
): AsyncGenerator<ModelsChunk> {
  const context = contextOf(call, trial);
  const writer = codec.streamWriter(context);
  const assembly = trial.route.chain.onStream.length > 0 ? new Assembly() : undefined;
  const used: { -readonly [K in keyof Usage]: Usage[K] } = {};
  let characters = 0;
  let isComplete = false;
  /** The vendor has done nothing that it could charge for. */
  let refused = false;
  const settle = (): Usage => (call.usage = settledUsage(call.input.body, used, estimateTokens(characters), isComplete));
  try {
    for await (const event of events) {
      if (event.type === 'error') {
        refused = characters === 0 && Object.keys(used).length === 0;
        throw reported(call, trial.account, event.failure);
      }
      if (event.type === 'start') call.modelServed = event.model;
      else if (event.type === 'usage') Object.assign(used, event.usage);
      else if ('text' in event) characters += event.text.length;
      assembly?.add(event);
      if (event.type !== 'end') {
        yield* writer.write(event);
        continue;
      }
      isComplete = true;
      // Formats that must say what was used get the estimate where the vendor said nothing.
      if (used.outputTokens === undefined) {
        const estimate: ChatEvent = { type: 'usage', usage: settle() };
        assembly?.add(estimate);
        yield* writer.write(estimate);
      }
      const last = writer.write(event);
      const reply = assembly && { body: codec.writeReply(assembly.reply, context) };
      for (const [index, chunk] of last.entries()) yield index === last.length - 1 && reply ? { ...chunk, reply } : chunk;
      return;
    }
    throw new GatewayError('upstream_cut');
  } finally {
    if (!refused) settle();
  }
}
