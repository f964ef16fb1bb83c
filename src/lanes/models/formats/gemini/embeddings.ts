import type { EmbeddingsCodec } from '../../../../core/contracts/provider.ts';
import { GatewayError } from '../../../../core/errors.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { list, maybe, number, optional, wrong } from '../_read.ts';
import { given } from '../_given.ts';
import { usageOf } from './usage.ts';

/** What is written, and `encoding_format`, which is the caller's affair alone. */
const KNOWN = new Set(['model', 'input', 'dimensions', 'encoding_format']);

/** batchEmbedContents of the Gemini API. */
export const geminiEmbeddings: EmbeddingsCodec = {
  write(body, model) {
    const outputDimensionality = optional(body['dimensions'], 'dimensions', number);
    const requests = readTexts(body['input']).map((text) =>
      given<JsonObject>({ model: `models/${model}`, content: { parts: [{ text }] }, outputDimensionality }),
    );
    return { body: { requests }, dropped: Object.keys(body).filter((field) => !KNOWN.has(field)) };
  },
  read(body) {
    const vectors = maybe.list(body['embeddings']).map((one) => maybe.object(one)['values']);
    if (vectors.length === 0 || !vectors.every(isVector)) {
      throw new GatewayError('upstream_failed', 'The provider sent embeddings that are no lists of numbers.');
    }
    return { vectors, usage: usageOf(body['usageMetadata']) ?? {} };
  },
};

function readTexts(input: unknown): readonly string[] {
  const inputs = typeof input === 'string' ? [input] : list(input, 'input');
  if (inputs.length === 0) throw wrong('input', 'must have at least one text.');
  return inputs.map((one) => {
    if (typeof one !== 'string') throw wrong('input', 'must be a text or a list of texts: Gemini takes no tokens.');
    return one;
  });
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number');
}
