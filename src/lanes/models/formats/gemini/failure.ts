import type { ModelFailure } from '../../../../core/chat.ts';
import type { ErrorCode } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { maybe } from '../_read.ts';
import { given } from '../_given.ts';

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'upstream_unauthorized',
  402: 'upstream_no_credit',
  403: 'upstream_unauthorized',
  404: 'model_unknown',
  408: 'upstream_timeout',
  413: 'body_too_large',
  429: 'upstream_limited',
  503: 'upstream_overloaded',
  504: 'upstream_timeout',
  529: 'upstream_overloaded',
};

/** What the words of a 400 tell more exactly: it has no code of its own. `prompt is too long` is Claude's on Vertex. */
const BY_WORDS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/api key (?:not valid|expired|not found)/i, 'upstream_unauthorized'],
  [/token count .*(?:exceeds|only supports)|prompt is too long/is, 'context_too_long'],
  [/payload size exceeds/i, 'body_too_large'],
];

/** Failures whose words are about the caller's request, not the hub's account: those of an unknown model may name a project. */
const TOLD = new Set<ErrorCode>(['model_refused', 'context_too_long', 'content_refused', 'body_too_large']);

const MALFORMED = new Set(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS', 'MALFORMED_RESPONSE']);

/** A failure by its HTTP status and the `error` of its body (`google.rpc.Status`: code, message, status, details). */
export function failureOf(status: number, error: JsonObject): ModelFailure {
  const details = maybe.list(error['details']).map(maybe.object);
  const message = maybe.text(error['message']);
  const reason = maybe.text(detail(details, 'ErrorInfo')['reason']);
  const code = codeOf(status, { message: message ?? '', reason, details });
  // Claude on Vertex names its errors in `type`.
  const vendor = given<NonNullable<ModelFailure['vendor']>>({
    type: maybe.text(error['status']) ?? maybe.text(error['type']),
    code: reason,
  });
  return given<ModelFailure>({
    code,
    message: TOLD.has(code) ? message : undefined,
    vendor: Object.keys(vendor).length === 0 ? undefined : vendor,
    retryAfterMs: milliseconds(detail(details, 'RetryInfo')['retryDelay']),
  });
}

interface Words {
  readonly message: string;
  readonly reason: string | undefined;
  readonly details: readonly JsonObject[];
}

function codeOf(status: number, { message, reason, details }: Words): ErrorCode {
  if (reason === 'API_KEY_INVALID') return 'upstream_unauthorized';
  if (reason === 'BILLING_DISABLED') return 'upstream_no_credit';
  if (status === 429 && isSpent(message, details)) return 'upstream_no_credit';
  if (status === 400 || status === 422) return BY_WORDS.find(([words]) => words.test(message))?.[1] ?? 'model_refused';
  return BY_STATUS[status] ?? 'upstream_failed';
}

/**
 * Every 429 says "You exceeded your current quota, please check your plan and billing details", those of a minute too: what tells is which quota.
 * Waiting does not bring back one of a day, nor one of zero, nor money.
 */
function isSpent(message: string, details: readonly JsonObject[]): boolean {
  const quotas = maybe.list(detail(details, 'QuotaFailure')['violations']).map((one) => maybe.text(maybe.object(one)['quotaId']) ?? '');
  if (quotas.length > 0 && quotas.every((id) => id.includes('PerDay'))) return true;
  return /\blimit: 0\b|credits? (?:is|are) depleted|spending cap|billing account/i.test(message);
}

function detail(details: readonly JsonObject[], name: string): JsonObject {
  return details.find((one) => one['@type'] === `type.googleapis.com/google.rpc.${name}`) ?? {};
}

/** A protobuf duration: `3s`, `0.5s`. */
function milliseconds(duration: unknown): number | undefined {
  const seconds = /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(maybe.text(duration) ?? '')?.[1];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000);
}

/** The model's answer was no use to Google itself. */
export function malformed(reason: string | undefined): ModelFailure | undefined {
  return reason !== undefined && MALFORMED.has(reason) ? { code: 'upstream_failed', vendor: { type: reason } } : undefined;
}

/** The prompt was refused, and there is no candidate. */
export function blocked(body: JsonObject): ModelFailure | undefined {
  const { blockReason, blockReasonMessage } = maybe.object(body['promptFeedback']);
  if (typeof blockReason !== 'string' || maybe.list(body['candidates']).some(isObject)) return undefined;
  return given<ModelFailure>({
    code: 'content_refused',
    message: maybe.text(blockReasonMessage) ?? `The provider refuses the prompt (${blockReason}).`,
    vendor: { type: blockReason },
  });
}

/** An error in the place of an answer. */
export function errorIn(body: JsonObject): ModelFailure | undefined {
  const { error } = body;
  return isObject(error) ? failureOf(maybe.number(error['code']) ?? 500, error) : undefined;
}
