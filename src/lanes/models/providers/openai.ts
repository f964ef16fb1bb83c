import { OPENAI_QUIRKS } from '../formats/openai-chat/openai-chat.ts';
import { openaiCompatible } from './_openai-compatible.ts';

/** https://platform.openai.com/docs/api-reference */
export default openaiCompatible({
  name: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  quirks: OPENAI_QUIRKS,
  embeddings: true,
  responses: true,
});
