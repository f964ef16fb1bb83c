import { openaiCompatible } from './_openai-compatible.ts';

/** https://docs.vllm.ai/en/latest/serving/openai_compatible_server */
export default openaiCompatible({
  name: 'vllm',
  baseUrl: 'http://127.0.0.1:8000/v1',
  keyOptional: true,
  quirks: { maxTokens: 'max_tokens', reasoning: 'reasoning_content', topK: true },
  embeddings: true,
});
