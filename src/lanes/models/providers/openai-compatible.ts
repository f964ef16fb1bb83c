import { familyByName, openaiCompatible } from './_openai-compatible.ts';

/** Any other server of OpenAI's chat: only what all of them take is written. */
export default openaiCompatible({
  name: 'openai-compatible',
  keyOptional: true,
  quirks: { maxTokens: 'max_tokens', reasoning: 'none' },
  embeddings: true,
  family: (model) => familyByName(model, 'openai-compatible'),
});
