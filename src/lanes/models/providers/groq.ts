import { openaiCompatible } from './_openai-compatible.ts';

/** https://console.groq.com/docs/openai */
export default openaiCompatible({
  name: 'groq',
  baseUrl: 'https://api.groq.com/openai/v1',
  quirks: { maxTokens: 'max_completion_tokens', reasoning: 'none' },
  refuses: ['logprobs', 'logit_bias', 'top_logprobs', 'prompt_cache_key', 'verbosity', 'store'],
});
