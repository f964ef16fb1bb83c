import { familyByName, openaiCompatible } from './_openai-compatible.ts';

/** https://openrouter.ai/docs/api-reference: models of many makers, each taking back the seals of its own family. */
export default openaiCompatible({
  name: 'openrouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  quirks: { maxTokens: 'max_tokens', reasoning: 'reasoning_content', seals: true, cache: 'cache_control', topK: true },
  embeddings: true,
  family: (model) => familyByName(model, 'openrouter'),
});
