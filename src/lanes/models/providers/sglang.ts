import { openaiCompatible } from './_openai-compatible.ts';

/** https://docs.sglang.ai/basic_usage/openai_api_completions.html */
export default openaiCompatible({
  name: 'sglang',
  baseUrl: 'http://127.0.0.1:30000/v1',
  keyOptional: true,
  quirks: { maxTokens: 'max_tokens', reasoning: 'reasoning_content', topK: true },
  embeddings: true,
});
