// vLLM: OpenAI's chat completions with the reasoning in the answer. No authentication unless it was started with a key.
import { chat, embeddings } from './openai.mjs';

export const vllm = {
  name: 'vllm',
  fail: (status, _fault, message) => ({
    status,
    headers: {},
    json: {
      error: {
        message: message ?? 'The server failed',
        type: status >= 500 ? 'InternalServerError' : 'BadRequestError',
        param: null,
        code: status,
      },
    },
  }),
  says: {
    'too-long': [
      400,
      "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens. Please reduce the length of the messages.",
    ],
  },
  routes: [
    ['POST', /^\/v1\/chat\/completions$/, (request) => chat(request, { reasoning: 'reasoning_content' })],
    ['POST', /^\/v1\/embeddings$/, embeddings],
    [
      'GET',
      /^\/v1\/models$/,
      () => ({ json: { object: 'list', data: [{ id: 'vllm-mock', object: 'model', created: 1767225600, owned_by: 'vllm' }] } }),
    ],
  ],
};
