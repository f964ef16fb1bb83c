import { GatewayError } from '../core/errors.ts';

/** How far a request had come when it failed. */
export interface Progress {
  /** `host[:port]` of the upstream. */
  readonly host: string;
  /** The request, or a part of it, has left. */
  readonly sent: boolean;
  /** The head of the answer is here. */
  readonly answered: boolean;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve at the moment',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate chain is self-signed',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate cannot be verified',
};

/** What a person needs to know before trying again. */
function carriedOut({ sent }: Progress): string {
  return sent ? 'The request was sent and may have been carried out.' : 'The request was not sent.';
}

export function timedOut(progress: Progress, timeoutMs: number): GatewayError {
  const what = progress.answered ? 'did not finish its answer' : 'did not answer';
  return new GatewayError('upstream_timeout', `${progress.host} ${what} within ${timeoutMs / 1000} s. ${carriedOut(progress)}`, {
    unsent: !progress.sent,
  });
}

/** Nothing came for too long, in the middle of an answer. */
export function silent(progress: Progress, idleMs: number): GatewayError {
  const message = `${progress.host} stopped in the middle of its answer, for ${idleMs / 1000} s. ${carriedOut(progress)}`;
  return new GatewayError('upstream_timeout', message);
}

export function tooLarge(host: string, maxBytes: number): GatewayError {
  return new GatewayError('upstream_too_large', `The answer of ${host} is larger than ${maxBytes} bytes, the most the hub takes here.`);
}

/** An error of the HTTP client or of the socket, as a GatewayError. Names the host and nothing else of the address. */
export function failure(thrown: Error & { code?: unknown }, progress: Progress): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const code = String(thrown.code ?? '');
  const options = { detail: `${code} ${thrown.message}`.trim(), cause: thrown, unsent: !progress.sent };
  const { host } = progress;
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
    return new GatewayError('bad_request', `The request to ${host} cannot be sent: ${thrown.message}.`, options);
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    return new GatewayError('upstream_timeout', `${host} did not take a connection in time. ${carriedOut(progress)}`, options);
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new GatewayError('upstream_too_large', `The headers that ${host} answered with are larger than 16 KiB.`, options);
  }
  if (progress.answered) return new GatewayError('upstream_failed', `${host} broke off its answer. ${carriedOut(progress)}`, options);
  if (thrown.name === 'HTTPParserError')
    return new GatewayError('upstream_failed', `${host} answered with something that is not HTTP.`, options);
  if (progress.sent) {
    return new GatewayError('upstream_unreachable', `${host} closed the connection without an answer. ${carriedOut(progress)}`, options);
  }
  const reason = Object.hasOwn(REASONS, code) ? REASONS[code] : 'the connection failed';
  return new GatewayError('upstream_unreachable', `${host} could not be reached: ${reason}. ${carriedOut(progress)}`, options);
}
