import type { Handled } from '../../../core/call.ts';
import type { Asked, ChatSurface, DoorCodec } from '../../../core/contracts/provider.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { ModelsReply } from '../../../core/models.ts';
import type { UpstreamResponse } from '../../../core/upstream.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import type { Trial } from './arrival.ts';
import { convert } from './convert.ts';
import { settledUsage } from './estimate.ts';
import { createFrameAssembly } from '../passing/frame-assembly.ts';
import { FrameWatch } from '../passing/frame-watch.ts';
import { reported } from '../provider-error.ts';
import { isBroken, PassedReply, readFrame } from '../passing/passed.ts';
import { relay } from '../passing/relay.ts';
import { ask, askedOf, asksForUsage, checkEvents, collect, passedBody } from './request.ts';
import { scanReply } from '../passing/scan-reply.ts';

/** Carries out a call of a door that holds a conversation: byte for byte where the vendor speaks the caller's format, else by way of the neutral form. */
export function converse(call: LiveCall<'models'>, trial: Trial, codec: DoorCodec): Promise<Handled<'models'>> {
  const { chat } = trial.account.provider;
  const asked = askedOf(call, trial);
  const own = chat.find((surface) => surface.codec.format === codec.format);
  if (own !== undefined) return pass(call, trial, codec, own, asked);
  return convert(call, trial, codec, chat, asked);
}

async function pass(
  call: LiveCall<'models'>,
  trial: Trial,
  codec: DoorCodec,
  surface: ChatSurface,
  asked: Asked,
): Promise<Handled<'models'>> {
  const { http } = trial.host;
  const request = { ...surface.address(asked), body: passedBody(call, trial, surface, asked) };
  if (!asked.stream) {
    const answer = await ask(call, trial, request, http.send, ({ body }: UpstreamResponse) => body);
    return { reply: passedReply(call, codec, trial.account.mask.bytes(answer.body)) };
  }
  const answer = await ask(call, trial, request, http.open, collect);
  checkEvents(answer);
  const { account, route } = trial;
  const family = account.provider.family(asked.model);
  const hidesUsage = codec.format === 'openai-chat' && !asksForUsage(call.input.body);
  const watch = new FrameWatch({ codec: surface.codec, family, hidesUsage, failure: (failure) => reported(call, account, failure) });
  const split = route.chain.onStream.length > 0;
  const reply = split ? assembling(codec, watch) : undefined;
  const options = { watch, split, mask: account.mask, settle: () => settle(call, watch) };
  return { stream: relay(answer.body, reply === undefined ? options : { ...options, reply }) };
}

function passedReply(call: LiveCall<'models'>, codec: DoorCodec, bytes: Buffer): ModelsReply {
  const { body, usage, model } = scanReply(codec, bytes);
  call.modelServed = model;
  call.usage = settledUsage(call.input.body, usage, Math.ceil(bytes.length / 8), true);
  return new PassedReply(bytes, body);
}

/** Keeps what was used, however the stream ends. */
function settle(call: LiveCall<'models'>, watch: FrameWatch): void {
  const { usage, model } = watch.usage;
  call.modelServed = model;
  if (watch.refused && usage === undefined) return;
  // An event is a token or so, and what was asked was read before the first.
  call.usage = settledUsage(call.input.body, usage, watch.frames, watch.complete);
}

/** The whole answer, for policies that want one, in the format of the frames and with all that is in them. */
function assembling({ format }: DoorCodec, watch: FrameWatch): (frame: Buffer) => (() => ModelsReply) | undefined {
  const assembly = createFrameAssembly(format);
  return (frame) => {
    const { event, data } = readFrame(frame.toString());
    // What the hub cannot read, no policy has looked at.
    if (isBroken(data)) throw new GatewayError('upstream_failed', 'The provider sent an event that is not JSON.');
    assembly.add(data, event);
    if (!watch.complete) return undefined;
    return () => ({ body: assembly.body });
  };
}
