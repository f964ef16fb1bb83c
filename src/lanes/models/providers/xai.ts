import { openaiCompatible } from './_openai-compatible.ts';

/** https://docs.x.ai/docs/api-reference */
export default openaiCompatible({
  name: 'xai',
  baseUrl: 'https://api.x.ai/v1',
  quirks: { maxTokens: 'max_completion_tokens', reasoning: 'none' },
});
