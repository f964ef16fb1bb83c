import type { AgentOperation } from '../../../../core/agents.ts';
import { GatewayError } from '../../../../core/errors.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { retryAfterMs } from '../../../../core/units/retry-after.ts';
import type { UpstreamResponse, UpstreamStream } from '../../../../core/upstream.ts';
import { notAnAnswer } from '../../wires/error-bodies.ts';
import type { Wire } from '../../wires/wire.ts';

/** Bytes of a whole answer: files are in it as base64. */
export const LARGEST_ANSWER = 64_000_000;
/** Characters of an answer that is none, for the operator. */
const SHOWN = 300;

/**
 * The result in an agent's whole answer. Throws AgentError for an error in the words of A2A, and GatewayError for all others: what refuses the hub
 * itself (401, 403, 429) is not the caller's matter, whatever words it has.
 *
 * @param now milliseconds since the epoch, for a date in `retry-after`
 */
export function readAnswer(operation: AgentOperation, wire: Wire, { status, headers, body }: UpstreamResponse, now: number): JsonObject {
  const text = body.toString();
  try {
    if (status === 401 || status === 403 || status === 429) throw notAnAnswer(status, text.slice(0, SHOWN));
    const value = parsed(text);
    if (value === undefined && text !== '') throw notAnAnswer(status, text.slice(0, SHOWN));
    return wire.readReply(operation, status, value);
  } catch (thrown) {
    const waitMs = thrown instanceof GatewayError ? retryAfterMs(headers['retry-after'], now) : undefined;
    if (waitMs === undefined) throw thrown;
    const { code, message, detail } = thrown as GatewayError;
    throw new GatewayError(code, message, { retryAfterMs: waitMs, ...(detail === undefined ? {} : { detail }) });
  }
}

/** Takes the rest of an answer that turned out not to be a stream. */
export async function readWhole({ status, headers, body }: UpstreamStream): Promise<UpstreamResponse> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > LARGEST_ANSWER) throw new GatewayError('upstream_too_large');
    pieces.push(piece);
  }
  return { status, headers, body: Buffer.concat(pieces) };
}

/** Undefined for what is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
