import type { ModelFailure } from '../../../../core/chat.ts';
import type { ErrorCode } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { maybe } from '../_read.ts';
import { given } from '../_given.ts';

/** By the vendor's `code` or `type`: what a status does not tell, and all there is inside a stream. */
const BY_NAME: Readonly<Partial<Record<string, ErrorCode>>> = {
  context_length_exceeded: 'context_too_long',
  content_filter: 'content_refused',
  content_policy_violation: 'content_refused',
  data_inspection_failed: 'content_refused',
  insufficient_quota: 'upstream_no_credit',
  credit_balance_exhausted: 'upstream_no_credit',
  billing_hard_limit_reached: 'upstream_no_credit',
  billing_not_active: 'upstream_no_credit',
  Arrearage: 'upstream_no_credit',
  invalid_api_key: 'upstream_unauthorized',
  authentication_error: 'upstream_unauthorized',
  model_not_found: 'model_unknown',
  DeploymentNotFound: 'model_unknown',
  rate_limit_exceeded: 'upstream_limited',
  rate_limit_error: 'upstream_limited',
  overloaded: 'upstream_overloaded',
  overloaded_error: 'upstream_overloaded',
  engine_overloaded: 'upstream_overloaded',
  invalid_request_error: 'model_refused',
  BadRequestError: 'model_refused',
};

const BY_STATUS: Readonly<Partial<Record<number, ErrorCode>>> = {
  400: 'model_refused',
  401: 'upstream_unauthorized',
  402: 'upstream_no_credit',
  403: 'upstream_unauthorized',
  404: 'model_unknown',
  408: 'upstream_timeout',
  413: 'body_too_large',
  422: 'model_refused',
  429: 'upstream_limited',
  503: 'upstream_overloaded',
  504: 'upstream_timeout',
  529: 'upstream_overloaded',
};

/** Their words speak of the request, not of the hub's account, as those of an unknown model or deployment may: they may be shown. */
const SHOWN: ReadonlySet<ErrorCode> = new Set(['model_refused', 'context_too_long', 'content_refused', 'body_too_large']);

/** The names win over these statuses, which vendors use for many things. */
const VAGUE: ReadonlySet<number> = new Set([400, 403, 404, 422, 429]);

const TOO_LONG = /context.{0,10}length|maximum context|context window|prompt is too long|too many (?:input )?tokens/i;

/**
 * What an error says, of OpenAI and of those who speak like it: `{error: {…}}`, `{error: "text"}` (Ollama), `{object: "error", …}` (vLLM, Mistral),
 * `{detail}` (FastAPI), `{message}`. Text that is no JSON is some proxy's: it is read, but never shown. Without `status` (inside a stream) a
 * numeric code stands in for it, as at OpenRouter.
 */
export function readError(body: unknown, status?: number): ModelFailure {
  const error = errorOf(body);
  const { type, param, message } = words(error);
  const code = maybe.text(error['code']) ?? (typeof error['code'] === 'number' ? String(error['code']) : undefined);
  const read = classify(status ?? numeric(code), type, code, message ?? '');
  const vendor = given({ type, code, param });
  return given({
    code: read,
    message: SHOWN.has(read) && isObject(body) && message ? message : undefined,
    vendor: Object.keys(vendor).length === 0 ? undefined : vendor,
  });
}

function errorOf(body: unknown): JsonObject {
  if (!isObject(body)) return typeof body === 'string' ? { message: body } : {};
  if (isObject(body['error'])) return body['error'];
  return typeof body['error'] === 'string' ? { message: body['error'] } : body;
}

function words(error: JsonObject): { type?: string; param?: string; message?: string } {
  const { message, detail } = error;
  // Pydantic's list of faults, at Mistral one level deeper.
  const said = message ?? detail;
  const text = typeof said === 'string' ? said : said === undefined || said === null ? undefined : JSON.stringify(said);
  return given({ type: maybe.text(error['type']), param: maybe.text(error['param']), message: text?.slice(0, LONGEST_MESSAGE) });
}

const LONGEST_MESSAGE = 2000;

function numeric(code: string | undefined): number | undefined {
  return code !== undefined && /^[45]\d\d$/.test(code) ? Number(code) : undefined;
}

function classify(status: number | undefined, type: string | undefined, code: string | undefined, message: string): ErrorCode {
  const named = nameOf(code) ?? nameOf(type);
  const plain = status === undefined ? named : BY_STATUS[status];
  const read = named !== undefined && (status === undefined || VAGUE.has(status)) ? specific(named, plain) : (plain ?? 'upstream_failed');
  return read === 'model_refused' && TOO_LONG.test(message) ? 'context_too_long' : read;
}

/** `invalid_request_error` is the type of nearly everything: there the status knows more. */
function specific(named: ErrorCode, plain: ErrorCode | undefined): ErrorCode {
  return named === 'model_refused' ? (plain ?? named) : named;
}

function nameOf(name: string | undefined): ErrorCode | undefined {
  return name !== undefined && Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
}
