import { openaiCompatible } from './_openai-compatible.ts';

/** https://platform.minimax.io/docs/api-reference/text-openai-api: thinking stands in the text between <think> tags, and goes back there. */
export default openaiCompatible({
  name: 'minimax',
  baseUrl: 'https://api.minimax.io/v1',
  quirks: { maxTokens: 'max_tokens', reasoning: 'none', plainText: true },
  models: false,
});
