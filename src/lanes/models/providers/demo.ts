import { openaiCompatible } from './_openai-compatible.ts';

/** The demo model inside the hub. */
export default openaiCompatible({
  name: 'demo',
  baseUrl: 'demo:model/v1',
  keyOptional: true,
  quirks: { maxTokens: 'max_completion_tokens', reasoning: 'reasoning_content', allowedTools: true },
  embeddings: true,
});
