import { olderMaxTokens, openaiCompatible } from './_openai-compatible.ts';

/** https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope: Singapore; keys of other regions need their baseUrl. */
export default openaiCompatible({
  name: 'dashscope',
  baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
  quirks: { maxTokens: 'max_tokens', reasoning: 'none', topK: true },
  adapt: olderMaxTokens,
  embeddings: true,
  models: false,
});
