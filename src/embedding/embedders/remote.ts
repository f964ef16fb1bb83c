import { defineEmbedder } from '../../core/contracts/embedder.ts';
import { GatewayError, type ErrorCode } from '../../core/errors.ts';

/** Embeds texts by a route of the hub itself. `model` of the answer is as the vendor names it. */
export type AskRoute = (
  model: string,
  texts: readonly string[],
  signal?: AbortSignal,
) => Promise<{ readonly model: string; readonly vectors: readonly (readonly number[])[] }>;

export interface RemoteOptions {
  /** As callers of the hub name it. */
  readonly model: string;
  /** Lent by the hub. */
  readonly ask?: AskRoute | undefined;
}

/** Texts in a request: any vendor takes them, and reading the answer takes a few milliseconds. */
const BATCH = 32;
/** Characters of a text that are sent: vendors refuse what is longer than their model reads, commonly 8,000 tokens. */
const LONGEST = 16_384;
/** What the vendor, or a rule of the hub, has against a text and not against the hub. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'bad_request',
  'model_refused',
  'context_too_long',
  'content_refused',
  'body_too_large',
  'rule_refused',
]);

/** Any model that a route of the hub leads to, as the hub's own call: under its limits, with its fallbacks, on record. Asked for as `hub:NAME`. */
export default defineEmbedder<RemoteOptions>({
  name: 'remote',
  options: {
    type: 'object',
    additionalProperties: false,
    required: ['model'],
    properties: { model: { type: 'string', minLength: 1 }, ask: {} },
  },
  async create({ model, ask }) {
    if (ask === undefined) throw new GatewayError('bad_request', 'A route of this hub is named by embedding.model: hub:NAME.');
    // Callers read why their answer is degraded: what the vendor says of one call is none of another's business.
    const told = (error: unknown): never => {
      const { code, message, detail } = GatewayError.from(error);
      const unknown = code === 'model_unknown' ? ': the model is unknown' : '';
      throw new GatewayError(code, `The route of embeddings ${model} fails${unknown}; the log of the hub says why.`, {
        detail: [code, message, detail].filter((part) => part !== undefined).join(': '),
      });
    };
    const refused = (error: unknown): never => {
      const { code, message } = GatewayError.from(error);
      if (!REFUSALS.has(code)) return told(error);
      throw new GatewayError('bad_request', `The route of embeddings ${model} refuses a text.`, { detail: `${code}: ${message}` });
    };
    const first = await ask(model, ['ready']).catch(told);
    const dims = first.vectors[0]!.length;
    return {
      id: `hub:${model}@${first.model}`,
      dims,
      batch: BATCH,
      async embed(texts, _as, signal) {
        if (texts.length === 0) return [];
        // No vendor takes an empty text.
        const given = texts.map((text) => (text.trim() === '' ? '-' : text.slice(0, LONGEST)));
        const answer = await ask(model, given, signal).catch(refused);
        // Another target of the route has answered, or its model was changed: vectors of two models are never compared.
        if (answer.model !== first.model || answer.vectors.some((vector) => vector.length !== dims))
          throw new GatewayError('unavailable', `The route of embeddings ${model} has answered by another model than before.`);
        return answer.vectors.map(unit);
      },
    };
  },
});

function unit(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector);
  return Float32Array.from(vector, (value) => (length === 0 ? 0 : value / length));
}
