import { AgentError } from '../../../../../core/agents.ts';
import { ERRORS, GatewayError, type ErrorCode } from '../../../../../core/errors.ts';

const WHO = 'The application behind this agent';
const SENTENCES: Partial<Record<ErrorCode, string>> = {
  upstream_unreachable: `${WHO} could not be reached.`,
  upstream_timeout: `${WHO} did not answer in time.`,
  upstream_failed: `${WHO} gave an answer that could not be read.`,
  upstream_cut: `${WHO} broke off its answer.`,
  upstream_too_large: `${WHO} gave an answer that is larger than the hub takes.`,
  upstream_limited: `${WHO} limits the rate of requests. Try again later.`,
  upstream_overloaded: `${WHO} cannot answer now. Try again shortly.`,
  upstream_unauthorized: `${WHO} does not accept the hub's credential.`,
  egress_refused: `The hub may not connect to the application behind this agent.`,
};

/** What callers read of a fault. The messages of the way name hosts, which are nobody's business outside. */
export function sentenceOf(code: ErrorCode): string {
  return SENTENCES[code] ?? ERRORS[code].message;
}

/** A fault on the way to an application as callers may have it; what it said is for the log. */
export function unaddressed(thrown: unknown): unknown {
  if (thrown instanceof AgentError) return thrown;
  const { code, message, detail = message, retryAfterMs, unsent } = GatewayError.from(thrown);
  return new GatewayError(code, sentenceOf(code), { detail, unsent, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}
