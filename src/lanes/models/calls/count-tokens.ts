import type { Handled } from '../../../core/call.ts';
import type { DoorCodec } from '../../../core/contracts/provider.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import type { Trial } from './arrival.ts';
import { estimateInput } from './estimate.ts';
import { PassedReply } from '../passing/passed.ts';
import { inlineMedia } from './media.ts';
import { ask, askedOf, bytesFor } from './request.ts';
import { checkWhole, parseAnswer } from '../passing/scan-reply.ts';

/** Carries out `count_tokens`: by the vendor where it counts, else by an estimate, which the record says. */
export async function countTokens(call: LiveCall<'models'>, trial: Trial, codec: DoorCodec): Promise<Handled<'models'>> {
  const { account } = trial;
  const surface = account.provider.countTokens;
  if (surface === undefined) {
    call.note('estimated', `the provider ${account.name} counts no tokens`);
    call.answeredHere = true;
    return { reply: { body: { input_tokens: estimateInput(call.input.body) } } };
  }
  const { http } = trial.host;
  const asked = askedOf(call, trial);
  const { model } = asked;
  const { write, read } = surface;
  const path = surface.path(model);
  if (write === undefined || read === undefined) {
    const request = { path, headers: { ...surface.headers, ...versionOf(asked.headers) } };
    const answer = await ask(call, trial, { ...request, body: bytesFor(call, trial, model) }, http.send, (response) => response.body);
    checkWhole(answer.body);
    return { reply: new PassedReply(account.mask.bytes(answer.body)) };
  }
  // Counting needs no limit of the answer, which Anthropic's request must have.
  let neutral = codec.readRequest({ max_tokens: 1, ...call.input.body });
  const [chat] = account.provider.chat;
  if (chat?.inlinesMedia === true) neutral = await inlineMedia(neutral, http, call.attemptCancellation, chat.keepsLink);
  const body = JSON.stringify(write({ ...neutral, model }));
  const answer = await ask(call, trial, { path, headers: { ...surface.headers }, body }, http.send, (response) => response.body);
  const count = read(parseAnswer(account.mask.bytes(answer.body)));
  if (!Number.isFinite(count)) throw new GatewayError('upstream_failed', 'The provider answered without a count.');
  return { reply: { body: { input_tokens: count } } };
}

/** What Anthropic's own clients say of the API they mean. */
function versionOf(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ['anthropic-version', 'anthropic-beta']) if (typeof headers[name] === 'string') kept[name] = headers[name];
  return kept;
}
