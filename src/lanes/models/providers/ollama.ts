import { olderMaxTokens, openaiCompatible } from './_openai-compatible.ts';

/** https://docs.ollama.com/api/openai-compatibility: what it ignores is taken out, so that the caller hears of it. */
export default openaiCompatible({
  name: 'ollama',
  baseUrl: 'http://127.0.0.1:11434/v1',
  keyOptional: true,
  quirks: { maxTokens: 'max_tokens', reasoning: 'reasoning' },
  adapt: olderMaxTokens,
  refuses: ['tool_choice', 'logprobs', 'n', 'user'],
  inlinesMedia: true,
  embeddings: true,
});
