import type { ModelFailure } from '../../../../core/chat.ts';
import type { ErrorCode } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { maybe } from '../_read.ts';

/** What the codes of `response.error` and of the `error` event mean to the hub. What is not here failed at the vendor. */
const CODES = new Map<string, ErrorCode>([
  ['rate_limit_exceeded', 'upstream_limited'],
  ['insufficient_quota', 'upstream_no_credit'],
  ['credit_balance_exhausted', 'upstream_no_credit'],
  ['billing_hard_limit_reached', 'upstream_no_credit'],
  ['context_length_exceeded', 'context_too_long'],
  ['model_not_found', 'model_unknown'],
  ['invalid_api_key', 'upstream_unauthorized'],
  ['overloaded', 'upstream_overloaded'],
  ['server_is_overloaded', 'upstream_overloaded'],
  ['slow_down', 'upstream_overloaded'],
  ['timeout', 'upstream_timeout'],
  ['vector_store_timeout', 'upstream_timeout'],
  ['content_filter', 'content_refused'],
  ['data_residency_mismatch', 'model_refused'],
  ['failed_to_download_image', 'model_refused'],
  ['unsupported_image_media_type', 'model_refused'],
]);
const TYPES = new Map<string, ErrorCode>([
  ['invalid_request_error', 'model_refused'],
  ['authentication_error', 'upstream_unauthorized'],
  ['rate_limit_error', 'upstream_limited'],
  ['insufficient_quota', 'upstream_no_credit'],
  ['overloaded_error', 'upstream_overloaded'],
]);
/** Not `model_unknown`: its words may name a project. */
const SHOWN: readonly ErrorCode[] = ['model_refused', 'context_too_long', 'content_refused', 'body_too_large'];

function classify(code: string, type: string, message: string): ErrorCode {
  // One code for a prompt that is malformed and for one that was flagged: only the words tell.
  if (code === 'invalid_prompt') return /flagged|polic(?:y|ies)/i.test(message) ? 'content_refused' : 'model_refused';
  const known = CODES.get(code);
  if (known) return known;
  if (/policy/.test(code)) return 'content_refused';
  if (/^(?:invalid|empty)_|^image_/.test(code)) return 'model_refused';
  return TYPES.get(type) ?? 'upstream_failed';
}

/** The failure in `response.error`, or in an `error` event, whose fields stand at the top or inside `error`. */
export function readFailure(value: JsonObject): ModelFailure {
  const error = isObject(value['error']) ? value['error'] : value;
  const code = maybe.text(error['code']);
  const given = maybe.text(error['type']);
  const type = given === 'error' ? undefined : given;
  const message = maybe.text(error['message']);
  const param = maybe.text(error['param']);
  const failure = classify(code ?? '', type ?? '', message ?? '');
  const vendor = { ...(type && { type }), ...(code && { code }), ...(param && { param }) };
  return {
    code: failure,
    ...(message && SHOWN.includes(failure) && { message }),
    ...(Object.keys(vendor).length > 0 && { vendor }),
  };
}
