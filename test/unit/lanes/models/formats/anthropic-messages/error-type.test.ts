import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../../../../../src/core/errors.ts';
import { anthropicErrorType } from '../../../../../../src/lanes/models/formats/anthropic-messages/error-type.ts';

describe('the type of an error', () => {
  it.each<[ErrorCode, string]>([
    ['bad_request', 'invalid_request_error'],
    ['model_refused', 'invalid_request_error'],
    ['context_too_long', 'invalid_request_error'],
    ['unauthenticated', 'authentication_error'],
    ['rule_refused', 'permission_error'],
    ['model_unknown', 'not_found_error'],
    ['body_too_large', 'request_too_large'],
    ['limit_exceeded', 'rate_limit_error'],
    ['upstream_no_credit', 'billing_error'],
    ['upstream_overloaded', 'overloaded_error'],
    ['upstream_timeout', 'timeout_error'],
    // The key of the hub is at fault, not the caller's.
    ['upstream_unauthorized', 'api_error'],
    ['internal', 'api_error'],
  ])('of %s is %s', (code, type) => {
    expect(anthropicErrorType(code)).toBe(type);
  });

  it('is one that the API has, for every error of the hub', () => {
    const known =
      `invalid_request_error authentication_error billing_error permission_error not_found_error conflict_error request_too_large
      rate_limit_error api_error timeout_error overloaded_error`.split(/\s+/);
    for (const code of Object.keys(ERRORS)) expect(known).toContain(anthropicErrorType(code as ErrorCode));
  });
});
