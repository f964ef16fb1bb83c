/**
 * Every error that the hub itself raises: the only place that knows code, HTTP status and retryability.
 * `message` is public and says what to do next; what only the operator may see goes into `detail`.
 */
export const ERRORS = {
  bad_request: { status: 400, retryable: false, message: 'The request is not valid.' },
  unauthenticated: { status: 401, retryable: false, message: 'A valid key is needed. Send it as "Authorization: Bearer KEY".' },
  forbidden: { status: 403, retryable: false, message: 'This consumer may not do that.' },
  host_not_allowed: {
    status: 403,
    retryable: false,
    message: 'The Host header names an address this hub does not serve. Add it to allowedHosts.',
  },
  origin_not_allowed: {
    status: 403,
    retryable: false,
    message: 'The Origin header names a site this hub does not serve. Add it to allowedOrigins.',
  },
  not_found: { status: 404, retryable: false, message: 'There is nothing at this address.' },
  method_not_allowed: { status: 405, retryable: false, message: 'This address does not take that method.' },
  not_acceptable: { status: 406, retryable: false, message: 'The Accept header must take what this address answers with.' },
  conflict: { status: 409, retryable: false, message: 'The resource is in a state that does not allow this.' },
  precondition_failed: { status: 412, retryable: false, message: 'The resource has changed since it was read. Read it again.' },
  body_too_large: { status: 413, retryable: false, message: 'The request body is larger than this address takes.' },
  uri_too_long: { status: 414, retryable: false, message: 'The address is longer than 8 KiB.' },
  unsupported_media_type: { status: 415, retryable: false, message: 'This address takes application/json.' },
  limit_exceeded: { status: 429, retryable: true, message: 'A limit is reached. Try again later.' },
  headers_too_large: { status: 431, retryable: false, message: 'A request has at most 100 headers of 16 KiB together.' },
  client_closed: { status: 499, retryable: false, message: 'The caller went away.' },
  internal: { status: 500, retryable: false, message: 'The hub failed on this request. The request id is in the log.' },
  not_implemented: { status: 501, retryable: false, message: 'This is not built yet.' },
  upstream_unreachable: { status: 502, retryable: true, message: 'The upstream could not be reached.' },
  upstream_failed: { status: 502, retryable: true, message: 'The upstream gave an answer that could not be read.' },
  upstream_too_large: { status: 502, retryable: false, message: 'The answer of the upstream is larger than the hub takes.' },
  egress_refused: { status: 502, retryable: false, message: 'The hub may not connect to that address.' },
  unavailable: { status: 503, retryable: true, message: 'This is not ready yet. Try again shortly.' },
  upstream_timeout: { status: 504, retryable: true, message: 'The upstream did not answer in time.' },
  http_version: { status: 505, retryable: false, message: 'This hub speaks HTTP/1.1.' },
  tool_unknown: { status: 404, retryable: false, message: 'Unknown tool.' },
  model_unknown: { status: 404, retryable: false, message: 'Unknown model.' },
  /** The upstream refused the request as wrong. */
  model_refused: { status: 400, retryable: false, message: 'The provider refuses the request as it is.' },
  context_too_long: { status: 400, retryable: false, message: 'The request is longer than the model takes.' },
  content_refused: { status: 400, retryable: false, message: 'The provider refuses the content of the request.' },
  upstream_unauthorized: { status: 502, retryable: false, message: "The provider does not accept the hub's credential." },
  upstream_no_credit: { status: 429, retryable: false, message: "The hub's account at the provider has no credit left." },
  upstream_limited: { status: 429, retryable: true, message: 'The provider limits the rate of requests. Try again later.' },
  upstream_overloaded: { status: 503, retryable: true, message: 'The provider is overloaded. Try again shortly.' },
  upstream_cut: { status: 502, retryable: true, message: 'The answer of the provider broke off.' },
  rule_refused: { status: 403, retryable: false, message: 'A rule of this server refuses the call.' },
} as const satisfies Record<string, { status: number; retryable: boolean; message: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** An error that a caller may see. Policies throw it to refuse a call. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  /** For the operator's log; never sent. */
  readonly detail: string | undefined;
  /** Milliseconds after which another try may succeed. */
  readonly retryAfterMs: number | undefined;
  /** The rule that refused, as the configuration names it. */
  readonly rule: string | undefined;
  /** The upstream has certainly not got the request: a second try elsewhere carries it out once. */
  readonly unsent: boolean;

  constructor(
    code: ErrorCode,
    message?: string,
    options: { detail?: string; retryAfterMs?: number; rule?: string; unsent?: boolean; cause?: unknown } = {},
  ) {
    super(message ?? ERRORS[code].message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.detail = options.detail;
    this.retryAfterMs = options.retryAfterMs;
    this.rule = options.rule;
    this.unsent = options.unsent ?? false;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  /**
   * Any thrown value as a GatewayError. An error in the words of a protocol says by `outcome` what it is to the hub; all others become
   * `internal` and keep their text in `detail`.
   */
  static from(thrown: unknown): GatewayError {
    if (thrown instanceof GatewayError) return thrown;
    if (thrown instanceof Error && 'outcome' in thrown && Object.hasOwn(ERRORS, thrown.outcome as string)) {
      return new GatewayError(thrown.outcome as ErrorCode, thrown.message, { cause: thrown });
    }
    const detail = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return new GatewayError('internal', undefined, { detail, cause: thrown });
  }
}
