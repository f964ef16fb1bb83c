import { ERRORS, type ErrorCode } from '../../../../core/errors.ts';

const TYPES: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'authentication_error',
  forbidden: 'permission_error',
  host_not_allowed: 'permission_error',
  origin_not_allowed: 'permission_error',
  rule_refused: 'permission_error',
  not_found: 'not_found_error',
  tool_unknown: 'not_found_error',
  model_unknown: 'not_found_error',
  conflict: 'conflict_error',
  body_too_large: 'request_too_large',
  limit_exceeded: 'rate_limit_error',
  upstream_limited: 'rate_limit_error',
  upstream_no_credit: 'billing_error',
  upstream_overloaded: 'overloaded_error',
  unavailable: 'overloaded_error',
  upstream_timeout: 'timeout_error',
};

/** `error.type` of the Messages API for an error of the hub. */
export function anthropicErrorType(code: ErrorCode): string {
  return TYPES[code] ?? (ERRORS[code].status < 500 ? 'invalid_request_error' : 'api_error');
}
