import { describe, expect, it } from 'vitest';
import { openaiFailure } from '../../../../../src/lanes/models/providers/_openai-failure.ts';

const error = (fields: object) => ({ error: { message: 'words', type: null, param: null, code: null, ...fields } });

describe('a failed answer', () => {
  it.each([
    // OpenAI
    [400, error({ type: 'invalid_request_error', param: 'temperature', code: 'decimal_above_max_value' }), 'model_refused', 'words'],
    [400, error({ type: 'invalid_request_error', code: 'context_length_exceeded' }), 'context_too_long', 'words'],
    [401, error({ type: 'invalid_request_error', code: 'invalid_api_key' }), 'upstream_unauthorized', undefined],
    [403, error({ code: 'unsupported_country_region_territory' }), 'upstream_unauthorized', undefined],
    [404, error({ type: 'invalid_request_error', code: 'model_not_found' }), 'model_unknown', undefined],
    [413, error({}), 'body_too_large', 'words'],
    [422, error({ type: 'invalid_request_error' }), 'model_refused', 'words'],
    [429, error({ type: 'requests', code: 'rate_limit_exceeded' }), 'upstream_limited', undefined],
    [429, error({ type: 'insufficient_quota', code: 'insufficient_quota' }), 'upstream_no_credit', undefined],
    [429, error({ code: 'credit_balance_exhausted' }), 'upstream_no_credit', undefined],
    [500, error({ type: 'server_error' }), 'upstream_failed', undefined],
    [503, error({ code: 'overloaded' }), 'upstream_overloaded', undefined],
    // Azure
    [400, error({ code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } }), 'content_refused', 'words'],
    [404, { error: { code: 'DeploymentNotFound', message: 'gone' } }, 'model_unknown', undefined],
    [401, { error: { code: '401', message: 'denied' } }, 'upstream_unauthorized', undefined],
    [429, { error: { code: '429', message: 'slow' } }, 'upstream_limited', undefined],
    // OpenRouter
    [402, { error: { code: 402, message: 'credits' } }, 'upstream_no_credit', undefined],
    [408, { error: { code: 408, message: 'late' } }, 'upstream_timeout', undefined],
    // Ollama
    [404, { error: "model 'x' not found" }, 'model_unknown', undefined],
    [503, { error: 'server busy' }, 'upstream_overloaded', undefined],
    // vLLM, Mistral, FastAPI
    [
      400,
      { object: 'error', message: "This model's maximum context length is 10 tokens.", type: 'BadRequestError', code: 400 },
      'context_too_long',
      "This model's maximum context length is 10 tokens.",
    ],
    [
      422,
      { object: 'error', message: { detail: [{ type: 'extra_forbidden' }] }, type: 'invalid_request_error' },
      'model_refused',
      '{"detail":[{"type":"extra_forbidden"}]}',
    ],
    [422, { detail: [{ msg: 'Field required' }] }, 'model_refused', '[{"msg":"Field required"}]'],
    [404, { detail: 'Not Found' }, 'model_unknown', undefined],
    [401, { message: 'no' }, 'upstream_unauthorized', undefined],
    // No JSON, nothing, codes that nobody knows
    [502, '<html>Bad Gateway</html>', 'upstream_failed', undefined],
    [400, '<html>Bad request at 10.0.0.7</html>', 'model_refused', undefined],
    [413, 'Request too large', 'body_too_large', undefined],
    [400, 'the prompt is too long', 'context_too_long', undefined],
    [504, '', 'upstream_timeout', undefined],
    [529, null, 'upstream_overloaded', undefined],
    [400, { error: { code: 'constructor', message: 'odd' } }, 'model_refused', 'odd'],
    [418, {}, 'upstream_failed', undefined],
  ])('%i %j is %s', (status, body, code, message) => {
    expect(openaiFailure(status, {}, body)).toMatchObject({ code, ...(message !== undefined && { message }) });
    if (message === undefined) expect(openaiFailure(status, {}, body)).not.toHaveProperty('message');
  });

  it("keeps the vendor's names", () => {
    expect(openaiFailure(400, {}, error({ type: 'invalid_request_error', param: 'n', code: 'x' })).vendor).toEqual({
      type: 'invalid_request_error',
      param: 'n',
      code: 'x',
    });
    expect(openaiFailure(500, {}, '')).toEqual({ code: 'upstream_failed' });
  });

  it.each([
    [{ 'retry-after-ms': '250', 'retry-after': '3' }, 250],
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, undefined],
    [{}, undefined],
  ])('waits as %j says', (headers, ms) => {
    expect(openaiFailure(429, headers, error({})).retryAfterMs).toBe(ms);
  });
});
