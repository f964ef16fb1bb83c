import { describe, expect, it } from 'vitest';
import { ERRORS, GatewayError, type ErrorCode } from '../../../../src/core/errors.ts';
import { ProviderError } from '../../../../src/lanes/models/provider-error.ts';
import { wireError } from '../../../../src/lanes/models/wire-errors.ts';

const redact = (text: string): string => text.replaceAll('s3cret', '[secret]');
const openai = (error: GatewayError) => wireError('openai', error, 'req-1', redact);
const anthropic = (error: GatewayError) => wireError('anthropic', error, 'req-1', redact);

describe('an error in the words of OpenAI', () => {
  it.each([
    ['bad_request', 400, 'invalid_request_error', 'bad_request'],
    ['unauthenticated', 401, 'authentication_error', 'invalid_api_key'],
    ['forbidden', 403, 'permission_error', 'forbidden'],
    ['model_unknown', 404, 'invalid_request_error', 'model_not_found'],
    ['body_too_large', 413, 'invalid_request_error', 'body_too_large'],
    ['limit_exceeded', 429, 'rate_limit_error', 'rate_limit_exceeded'],
    ['context_too_long', 400, 'invalid_request_error', 'context_length_exceeded'],
    ['content_refused', 400, 'invalid_request_error', 'content_filter'],
    ['upstream_unauthorized', 502, 'server_error', 'upstream_unauthorized'],
    ['upstream_no_credit', 429, 'rate_limit_error', 'insufficient_quota'],
    ['upstream_limited', 429, 'rate_limit_error', 'rate_limit_exceeded'],
    ['upstream_overloaded', 503, 'server_error', 'overloaded'],
    ['upstream_timeout', 504, 'server_error', 'upstream_timeout'],
    ['upstream_cut', 502, 'server_error', 'upstream_cut'],
  ] as const)('%s', (code, status, type, wireCode) => {
    const { status: is, body } = openai(new GatewayError(code));
    expect(is).toBe(status);
    expect(body).toEqual({ error: { message: ERRORS[code].message, type, param: null, code: wireCode } });
  });

  it('carries the vendor’s own names, without secrets', () => {
    const failure = {
      code: 'model_refused',
      message: 'The s3cret is bad',
      vendor: { type: 'invalid_s3cret', code: 'x_s3cret', param: 'messages' },
    } as const;
    expect(openai(new ProviderError(failure, 'detail with s3cret')).body).toEqual({
      error: { message: 'The [secret] is bad', type: 'invalid_[secret]', param: 'messages', code: 'x_[secret]' },
    });
  });

  it('names the rule that refused', () => {
    const { body } = openai(new GatewayError('rule_refused', 'No.', { rule: 'no-s3cret' }));
    expect(body['error']).toMatchObject({ message: 'No. Rule: no-[secret].' });
  });
});

describe('an error in the words of Anthropic', () => {
  it.each([
    ['bad_request', 400, 'invalid_request_error'],
    ['unauthenticated', 401, 'authentication_error'],
    ['forbidden', 403, 'permission_error'],
    ['model_unknown', 404, 'not_found_error'],
    ['body_too_large', 413, 'request_too_large'],
    ['limit_exceeded', 429, 'rate_limit_error'],
    ['upstream_limited', 429, 'rate_limit_error'],
    ['upstream_no_credit', 402, 'billing_error'],
    ['upstream_overloaded', 529, 'overloaded_error'],
    ['upstream_timeout', 504, 'timeout_error'],
    ['upstream_unauthorized', 502, 'api_error'],
    ['internal', 500, 'api_error'],
  ] as const)('%s', (code, status, type) => {
    const { status: is, body } = anthropic(new GatewayError(code, 'with s3cret'));
    expect(is).toBe(status);
    expect(body).toEqual({ type: 'error', error: { type, message: 'with [secret]' }, request_id: 'req-1' });
  });
});

describe('headers for another try', () => {
  it('say when, in both units, and never earlier than the vendor said', () => {
    const { headers } = openai(new GatewayError('upstream_limited', undefined, { retryAfterMs: 1_200.4 }));
    expect(headers).toEqual({ 'retry-after': '2', 'retry-after-ms': '1201' });
    expect(openai(new GatewayError('upstream_limited', undefined, { retryAfterMs: 0 })).headers['retry-after']).toBe('0');
  });

  it('stop the clients that would try again in vain, and no others', () => {
    const retried = (status: number): boolean => [402, 409, 429].includes(status) || status >= 500;
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const error = new GatewayError(code);
      for (const { headers, status } of [openai(error), anthropic(error)])
        expect({ code, stop: headers['x-should-retry'] }).toEqual({
          code,
          stop: !error.retryable && retried(status) ? 'false' : undefined,
        });
    }
  });

  it('the detail never goes out', () => {
    const error = new GatewayError('upstream_failed', undefined, { detail: 'host 10.0.0.1' });
    expect(JSON.stringify([openai(error), anthropic(error)])).not.toContain('10.0.0.1');
  });
});
