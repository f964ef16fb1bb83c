import type { JsonObject } from '../../../core/json.ts';
import { olderMaxTokens, openaiCompatible } from './_openai-compatible.ts';

/** https://docs.cohere.com/docs/compatibility-api */
export default openaiCompatible({
  name: 'cohere',
  baseUrl: 'https://api.cohere.ai/compatibility/v1',
  quirks: { maxTokens: 'max_tokens', reasoning: 'none', plainText: true },
  adapt: (body) => onOrOff(olderMaxTokens(body)),
  refuses: [
    'store',
    'metadata',
    'logit_bias',
    'top_logprobs',
    'n',
    'modalities',
    'prediction',
    'audio',
    'service_tier',
    'parallel_tool_calls',
  ],
  embeddings: true,
  models: false,
});

/** It knows the efforts `none` and `high` only. */
function onOrOff(body: JsonObject): JsonObject {
  const { reasoning_effort: effort } = body;
  return typeof effort !== 'string' || effort === 'none' || effort === 'high' ? body : { ...body, reasoning_effort: 'high' };
}
