import { olderMaxTokens, openaiCompatible } from './_openai-compatible.ts';

/** https://docs.together.ai/docs/inference/openai-compatibility */
export default openaiCompatible({
  name: 'together',
  baseUrl: 'https://api.together.ai/v1',
  quirks: { maxTokens: 'max_tokens', reasoning: 'none', topK: true },
  adapt: olderMaxTokens,
  embeddings: true,
});
