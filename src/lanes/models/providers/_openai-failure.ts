import type { ModelFailure } from '../../../core/chat.ts';
import type { WireHeaders } from '../../../core/contracts/provider.ts';
import { readError } from '../formats/openai-chat/failures.ts';

/** What a failed answer of OpenAI, or of a server that speaks like it, means. A `retry-after` that is a date is left to who has a clock. */
export function openaiFailure(status: number, headers: WireHeaders, body: unknown): ModelFailure {
  const failure = readError(body, status);
  const retryAfterMs = milliseconds(headers['retry-after-ms'], 1) ?? milliseconds(headers['retry-after'], 1000);
  return retryAfterMs === undefined ? failure : { ...failure, retryAfterMs };
}

function milliseconds(header: WireHeaders[string], unit: number): number | undefined {
  const text = typeof header === 'string' ? header.trim() : '';
  return /^\d+(?:\.\d+)?$/.test(text) ? Math.ceil(Number(text) * unit) : undefined;
}
