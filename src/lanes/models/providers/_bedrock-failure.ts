import type { ModelFailure } from '../../../core/chat.ts';
import type { WireHeaders } from '../../../core/contracts/provider.ts';
import type { ErrorCode } from '../../../core/errors.ts';
import { maybe } from '../formats/_read.ts';
import { codeByWords, describe, failureOf } from '../formats/bedrock-converse/failure.ts';

const BY_STATUS: ReadonlyMap<number, ErrorCode> = new Map([
  [401, 'upstream_unauthorized'],
  [402, 'upstream_no_credit'],
  [403, 'upstream_unauthorized'],
  [404, 'model_unknown'],
  [408, 'upstream_timeout'],
  [413, 'body_too_large'],
  [429, 'upstream_limited'],
  [503, 'upstream_overloaded'],
  [504, 'upstream_timeout'],
]);

/**
 * A failed answer of bedrock-runtime: by the exception that the header `x-amzn-errortype` or the body names, else by its status. Bodies of the
 * OpenAI interface are read too.
 */
export function bedrockFailure(status: number, headers: WireHeaders, body: unknown): ModelFailure {
  const fields = maybe.object(body);
  const error = maybe.object(fields['error']);
  const message = maybe.text(fields['message']) ?? maybe.text(fields['Message']) ?? maybe.text(error['message']);
  const exception = maybe.text(headers['x-amzn-errortype']) ?? maybe.text(fields['__type']) ?? '';
  const failure = failureOf(exception, message) ?? describe(byStatus(status, message), message, maybe.text(error['type']));
  const retryAfterMs = readRetryAfter(headers);
  return retryAfterMs === undefined ? failure : { ...failure, retryAfterMs };
}

function byStatus(status: number, message: string | undefined): ErrorCode {
  return BY_STATUS.get(status) ?? (status === 400 || status === 422 ? codeByWords(message) : 'upstream_failed');
}

/** Seconds; a date needs a clock. */
function readRetryAfter(headers: WireHeaders): number | undefined {
  const value = maybe.text(headers['retry-after']);
  return value !== undefined && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) * 1000 : undefined;
}
