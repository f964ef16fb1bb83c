import type { ModelFailure } from '../../../core/chat.ts';
import type { WireHeaders } from '../../../core/contracts/provider.ts';
import { isObject } from '../../../core/json.ts';
import { readError } from '../formats/anthropic-messages/read-error.ts';

/** A failed answer of the Messages API. `retry-after` counts only where a wait can help: not on spent money. A body that is no JSON is not shown. */
export function anthropicFailure(status: number, headers: WireHeaders, body: unknown): ModelFailure {
  const error = isObject(body) && isObject(body['error']) ? body['error'] : {};
  const failure = readError(error, status);
  const retryAfterMs = failure.code === 'upstream_no_credit' ? undefined : readWait(headers);
  return { ...failure, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** An HTTP date would need a clock, and this vendor sends none. */
function readWait(headers: WireHeaders): number | undefined {
  return milliseconds(headers['retry-after-ms'], 1) ?? milliseconds(headers['retry-after'], 1000);
}

function milliseconds(value: string | readonly string[] | undefined, unit: number): number | undefined {
  const text = typeof value === 'string' ? value : value?.[0];
  if (text === undefined || !/^\s*\d+(?:\.\d+)?\s*$/.test(text)) return undefined;
  return Math.round(Number(text) * unit);
}
