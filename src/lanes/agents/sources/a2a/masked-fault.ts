import { AgentError } from '../../../../core/agents.ts';
import { ERRORS, GatewayError } from '../../../../core/errors.ts';
import type { Mask } from './mask.ts';

/**
 * What was thrown on the way to an agent or by it, as callers and records may have it. Codes and all else that is no text stay as they are, as does
 * `detail`, which only the operator's log has.
 */
export function maskedFault(thrown: unknown, mask: Mask): unknown {
  if (thrown instanceof AgentError) {
    const { code, message, details, outcome } = thrown;
    return new AgentError(code, mask.text(message) ?? 'The agent gave an error.', details && mask.details(details), outcome);
  }
  if (!(thrown instanceof GatewayError)) return thrown;
  const { code, message, detail, retryAfterMs, rule, unsent, cause } = thrown;
  // Failures of the way begin with the host; a person reads what they are about all the same.
  const text = mask.text(message)?.replace(/^\[(?:removed|agent)\]/, 'The agent') ?? ERRORS[code].message;
  return new GatewayError(code, text, {
    unsent,
    ...(detail === undefined ? {} : { detail }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(rule === undefined ? {} : { rule }),
    ...(cause === undefined ? {} : { cause }),
  });
}
