import type { Handled } from '../../../core/call.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import type { Arrival } from './arrival.ts';
import { replaceValue } from '../passing/body-edits.ts';
import { estimatedUsage } from './estimate.ts';
import { PassedReply } from '../passing/passed.ts';
import { ask, askedOf } from './request.ts';
import { parseAnswer } from '../passing/scan-reply.ts';

/** Carries out an `embeddings` call: bytes pass where the vendor speaks OpenAI's format. */
export async function embed(call: LiveCall<'models'>, arrival: Arrival): Promise<Handled<'models'>> {
  const { account } = arrival.route;
  const surface = account.provider.embeddings;
  if (surface === undefined)
    throw new GatewayError('bad_request', `The provider of ${call.input.model} makes no embeddings. Ask for a model of another one.`);
  const { http } = arrival.host;
  const asked = askedOf(call, arrival);
  const { path, headers = {} } = surface.address(asked);
  const { codec } = surface;
  const send = (body: string | Buffer) => ask(call, arrival, { path, headers, body }, http.send, (response) => response.body);
  if (codec === undefined) {
    const bytes = call.input.body === arrival.body ? arrival.bytes : Buffer.from(JSON.stringify(call.input.body));
    const { body } = await send(
      call.input.body['model'] === asked.model ? bytes : replaceValue(bytes, 'model', JSON.stringify(asked.model)),
    );
    // Vectors are most of it: the few numbers at its end are found without reading them.
    const usage = /"usage"\s*:\s*\{\s*"prompt_tokens"\s*:\s*(\d+)/.exec(body.toString('latin1', Math.max(0, body.length - 512)))?.[1];
    call.usage = usage === undefined ? estimatedUsage(call.input.body, 0) : { inputTokens: Number(usage), totalTokens: Number(usage) };
    return { reply: new PassedReply(body) };
  }
  const written = codec.write(call.input.body, asked.model);
  if (written.dropped.length > 0) call.note('dropped', written.dropped.join(', '));
  const answer = await send(JSON.stringify(written.body));
  const { vectors, usage } = codec.read(parseAnswer(answer.body));
  call.usage = usage.inputTokens === undefined ? estimatedUsage(call.input.body, 0) : usage;
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
