import type { ModelFailure } from '../../../../core/chat.ts';
import type { ErrorCode } from '../../../../core/errors.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { maybe } from '../_read.ts';

/** By `error.type`. `invalid_request_error` is looked at closer. */
const CODES = new Map<string, ErrorCode>([
  ['invalid_request_error', 'model_refused'],
  ['authentication_error', 'upstream_unauthorized'],
  ['permission_error', 'upstream_unauthorized'],
  ['billing_error', 'upstream_no_credit'],
  ['not_found_error', 'model_unknown'],
  ['request_too_large', 'body_too_large'],
  ['rate_limit_error', 'upstream_limited'],
  ['overloaded_error', 'upstream_overloaded'],
  ['timeout_error', 'upstream_timeout'],
]);

const STATUS_CODES = new Map<number, ErrorCode>([
  [400, 'model_refused'],
  [401, 'upstream_unauthorized'],
  [402, 'upstream_no_credit'],
  [403, 'upstream_unauthorized'],
  [404, 'model_unknown'],
  [408, 'upstream_timeout'],
  [413, 'body_too_large'],
  [422, 'model_refused'],
  [429, 'upstream_limited'],
  [503, 'upstream_overloaded'],
  [504, 'upstream_timeout'],
  [529, 'upstream_overloaded'],
]);

/** `error.details.error_code`: money, whatever the status is. No wait helps. */
const SPENT = /spend_limit|^ramp_limit_exceeded$|^linked_organization_billing_unavailable$/;
/** An empty account is a plain `invalid_request_error`. */
const SPENT_WORDS = /credit balance is too low|reached your specified (?:workspace )?API usage limits/i;
const TOO_LONG = /prompt is too long|exceeds? context limit|model_context_window/i;
const FILTERED = /content filtering policy/i;

/** What may be shown to a caller: nothing about the account. */
const SHOWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['model_refused', 'context_too_long', 'content_refused', 'body_too_large']);

/** What an error of the Messages API means: the `error` member of a body or of an event, with the HTTP status where there is one. */
export function readError(error: JsonObject, status?: number): ModelFailure {
  const type = maybe.text(error['type']);
  const message = maybe.text(error['message']);
  const detail = maybe.text(maybe.object(error['details'])['error_code']);
  const code = classify(CODES.get(type ?? '') ?? STATUS_CODES.get(status ?? 0) ?? 'upstream_failed', message ?? '', detail ?? '');
  return {
    code,
    ...(message !== undefined && SHOWN.has(code) && { message }),
    ...(type !== undefined && { vendor: { type, ...(detail !== undefined && { code: detail }) } }),
  };
}

function classify(code: ErrorCode, message: string, detail: string): ErrorCode {
  if (SPENT.test(detail)) return 'upstream_no_credit';
  if (detail === 'organization_on_hold') return 'upstream_unauthorized';
  if (code !== 'model_refused') return code;
  if (SPENT_WORDS.test(message)) return 'upstream_no_credit';
  if (TOO_LONG.test(message)) return 'context_too_long';
  return FILTERED.test(message) ? 'content_refused' : code;
}
