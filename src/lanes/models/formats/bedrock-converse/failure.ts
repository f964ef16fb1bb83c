import type { ModelFailure } from '../../../../core/chat.ts';
import type { ErrorCode } from '../../../../core/errors.ts';

/** Exceptions of bedrock-runtime and of the door before it, by name. */
const EXCEPTIONS: ReadonlyMap<string, ErrorCode> = new Map([
  ['ThrottlingException', 'upstream_limited'],
  ['ServiceQuotaExceededException', 'upstream_limited'],
  ['ModelNotReadyException', 'upstream_overloaded'],
  ['ServiceUnavailableException', 'upstream_overloaded'],
  ['ValidationException', 'model_refused'],
  ['AccessDeniedException', 'upstream_unauthorized'],
  ['UnrecognizedClientException', 'upstream_unauthorized'],
  ['InvalidSignatureException', 'upstream_unauthorized'],
  ['IncompleteSignatureException', 'upstream_unauthorized'],
  ['MissingAuthenticationTokenException', 'upstream_unauthorized'],
  ['ExpiredTokenException', 'upstream_unauthorized'],
  ['ResourceNotFoundException', 'model_unknown'],
  ['ModelTimeoutException', 'upstream_timeout'],
  ['ModelErrorException', 'upstream_failed'],
  ['ModelStreamErrorException', 'upstream_failed'],
  ['InternalServerException', 'upstream_failed'],
]);

/** What a ValidationException is about, by its words: it has no code. */
const VALIDATIONS: readonly (readonly [RegExp, ErrorCode])[] = [
  [
    /input is too long|prompt is too long|too many (?:input )?tokens|context (?:window|length)|maximum (?:context|input)/i,
    'context_too_long',
  ],
  [/model identifier is invalid|model .{0,80}(?:not found|does not exist|end of its life)/i, 'model_unknown'],
  [/content filter/i, 'content_refused'],
];

/** Failures whose words are about the caller's request, not the hub's account: those of an unknown model may name a project. */
const TOLD = new Set<ErrorCode>(['model_refused', 'context_too_long', 'content_refused', 'body_too_large']);

/**
 * A failure by the name of its exception: `ThrottlingException` of a header or `throttlingException` of a stream, with a namespace before `#` or an
 * address after `:`. Undefined for a name that is not known.
 */
export function failureOf(exception: string, message: string | undefined): ModelFailure | undefined {
  const name = exception.slice(exception.indexOf('#') + 1).split(':', 1)[0] ?? '';
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const known = EXCEPTIONS.get(type);
  if (known === undefined) return undefined;
  const code = known === 'model_refused' ? codeByWords(message) : known;
  return describe(code, message, type);
}

/** `model_refused`, or what the words of the refusal make more exact. */
export function codeByWords(message = ''): ErrorCode {
  return VALIDATIONS.find(([words]) => words.test(message))?.[1] ?? 'model_refused';
}

export function describe(code: ErrorCode, message: string | undefined, type: string | undefined): ModelFailure {
  return {
    code,
    ...(message !== undefined && TOLD.has(code) ? { message } : {}),
    ...(type === undefined ? {} : { vendor: { type } }),
  };
}
