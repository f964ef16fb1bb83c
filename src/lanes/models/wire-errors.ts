import type { ErrorCode, GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { anthropicErrorType } from './formats/anthropic-messages/error-type.ts';
import { ProviderError } from './provider-error.ts';

/** Whose words an error is told in. */
export type ErrorFormat = 'openai' | 'anthropic';

export interface WireError {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
}

/** OpenAI's `code`, where its clients look for one. */
const OPENAI_CODES: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'invalid_api_key',
  model_unknown: 'model_not_found',
  context_too_long: 'context_length_exceeded',
  content_refused: 'content_filter',
  limit_exceeded: 'rate_limit_exceeded',
  upstream_limited: 'rate_limit_exceeded',
  upstream_no_credit: 'insufficient_quota',
  upstream_overloaded: 'overloaded',
};

/** Clients obey, whatever a vendor says. */
const LONGEST_WAIT_MS = 3_600_000;

/** The hub's own messages about a request begin with the place. */
const PARAM = /^([a-z_]+(?:[.[][\w.[\]]*)?): /;

/** Anthropic's status where it is not the hub's (reference: overloaded 529, billing 402). */
const ANTHROPIC_STATUS: Partial<Record<ErrorCode, number>> = { upstream_overloaded: 529, upstream_no_credit: 402 };

/** An error as clients of a format read it. What policies and vendors say is masked by `redact`. */
export function wireError(format: ErrorFormat, error: GatewayError, requestId: string, redact: (text: string) => string): WireError {
  const message = redact(sentence(error));
  const status = format === 'anthropic' ? (ANTHROPIC_STATUS[error.code] ?? error.status) : error.status;
  const body =
    format === 'anthropic'
      ? { type: 'error', error: { type: anthropicErrorType(error.code), message }, request_id: requestId }
      : { error: openaiError(error, status, message, redact) };
  return { status, body, headers: retryHeaders(error, status) };
}

function openaiError(error: GatewayError, status: number, message: string, redact: (text: string) => string): JsonObject {
  // A caller would take what the vendor says of the hub's key for its own key's fault.
  const { type, code, param } = error instanceof ProviderError && error.code !== 'upstream_unauthorized' ? error.vendor : {};
  const masked = (text: string | undefined): string | null => (text === undefined ? null : redact(text));
  return {
    message,
    type: masked(type ?? openaiType(status)),
    param: masked(param ?? PARAM.exec(message)?.[1]),
    code: masked(OPENAI_CODES[error.code] ?? code) ?? error.code,
  };
}

function openaiType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** The official clients try again on 409, 429 and from 500 on unless told otherwise. */
function retryHeaders({ retryable, retryAfterMs }: GatewayError, status: number): Record<string, string> {
  const headers: Record<string, string> = {};
  if (retryAfterMs !== undefined && retryable) {
    const wait = Math.min(retryAfterMs, LONGEST_WAIT_MS);
    headers['retry-after'] = String(Math.ceil(wait / 1000));
    headers['retry-after-ms'] = String(Math.ceil(wait));
  }
  if (!retryable && (status === 402 || status === 409 || status === 429 || status >= 500)) headers['x-should-retry'] = 'false';
  return headers;
}

function sentence({ message, rule }: GatewayError): string {
  return rule === undefined ? message : `${message} Rule: ${rule}.`;
}
