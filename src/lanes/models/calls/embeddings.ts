import type { Handled } from '../../../core/call.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Usage } from '../../../core/usage.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import type { Trial } from './arrival.ts';
import { settledUsage } from './estimate.ts';
import { PassedReply } from '../passing/passed.ts';
import { ask, askedOf, bytesFor } from './request.ts';
import { checkWhole, parseAnswer } from '../passing/scan-reply.ts';

/** Carries out an `embeddings` call: bytes pass where the vendor speaks OpenAI's format. */
export async function embed(call: LiveCall<'models'>, trial: Trial): Promise<Handled<'models'>> {
  const { account } = trial;
  const surface = account.provider.embeddings;
  if (surface === undefined)
    throw new GatewayError('bad_request', `The provider of ${call.input.model} makes no embeddings. Ask for a model of another one.`);
  const { http } = trial.host;
  const asked = askedOf(call, trial);
  const { codec } = surface;
  const send = (body: string | Buffer) => ask(call, trial, { ...surface.address(asked), body }, http.send, (response) => response.body);
  if (codec === undefined) {
    const { body } = await send(bytesFor(call, trial, asked.model));
    checkWhole(body);
    // Vectors are most of it: the few numbers at its end are found without reading them.
    const usage = /"usage"\s*:\s*\{[^{}]*?"prompt_tokens"\s*:\s*(\d+)/.exec(body.toString('latin1', Math.max(0, body.length - 512)))?.[1];
    call.usage = embeddedUsage(call.input.body, usage === undefined ? {} : { inputTokens: Number(usage), totalTokens: Number(usage) });
    return { reply: new PassedReply(account.mask.bytes(body)) };
  }
  const written = codec.write(call.input.body, asked.model);
  if (written.dropped.length > 0) call.note('dropped', written.dropped.join(', '));
  const answer = await send(JSON.stringify(written.body));
  const { vectors, usage } = codec.read(parseAnswer(account.mask.bytes(answer.body)));
  call.usage = embeddedUsage(call.input.body, usage);
  const tokens = call.usage.inputTokens;
  const encode = call.input.body['encoding_format'] === 'base64' ? base64 : (vector: readonly number[]) => vector;
  return {
    reply: {
      body: {
        object: 'list',
        model: call.input.model,
        data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encode(vector) })),
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      },
    },
  };
}

/** OpenAI's own client asks for this unless told otherwise: 32-bit floats, little endian. */
function base64(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64');
}

/** Embeddings have no output. */
function embeddedUsage(body: JsonObject, reported: Usage): Usage {
  return reported.inputTokens === undefined ? settledUsage(body, reported, 0, false) : reported;
}
