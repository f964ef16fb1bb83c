// What the APIs of OpenAI have in common.
import { Refusal } from './serve.mjs';

export const CREATED = 1767225600; // fixed, so that answers can be compared whole

export const openaiError = (status, fault, message, code) => {
  const known = {
    400: ['invalid_request_error', 'bad_request', 'Bad request'],
    401: ['invalid_request_error', 'invalid_api_key', 'Incorrect API key provided.'],
    403: ['invalid_request_error', 'forbidden', 'Forbidden'],
    413: ['invalid_request_error', 'request_too_large', 'Request too large'],
    404: ['invalid_request_error', 'model_not_found', 'Not found'],
    429: ['requests', 'rate_limit_exceeded', 'Rate limit reached for requests'],
    503: ['server_error', 'overloaded', 'The engine is currently overloaded, please try again later'],
  }[status] ?? ['server_error', null, 'The server had an error while processing your request'];
  return {
    status,
    headers: {
      'x-request-id': 'req_mock',
      ...(status === 429 && {
        'retry-after': String(fault?.retry ?? 1),
        'retry-after-ms': String((fault?.retry ?? 1) * 1000),
        'x-ratelimit-remaining-requests': '0',
      }),
    },
    json: { error: { message: message ?? known[2], type: known[0], param: null, code: code ?? known[1] } },
  };
};

/** Errors that say more than their status. */
export const OPENAI_SAYS = {
  'too-long': [
    400,
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    'context_length_exceeded',
  ],
  'no-credit': [429, 'You exceeded your current quota, please check your plan and billing details.', 'insufficient_quota'],
  refused: [400, 'Your request was rejected as a result of our safety system.', 'content_policy_violation'],
};

export function bearer({ headers }) {
  const key = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (!key) throw new Refusal(401, "You didn't provide an API key.", null);
  if (key.includes('bad')) throw new Refusal(401, `Incorrect API key provided: ${key}.`, 'invalid_api_key');
}

/** At most four explicit marks, as the real API has it. */
export function hasBreakpoint(items) {
  const marks = items.flatMap((item) => (Array.isArray(item.content) ? item.content : [])).filter((part) => part.prompt_cache_breakpoint);
  if (marks.length > 4) throw new Refusal(400, 'At most 4 prompt_cache_breakpoint markers are allowed.', 'too_many_breakpoints');
  return marks.length > 0;
}
