import type { ModelFailure } from '../../../core/chat.ts';
import type { WireHeaders } from '../../../core/contracts/provider.ts';
import { isObject } from '../../../core/json.ts';
import { failureOf } from '../formats/gemini/failure.ts';

/** What a failed answer of the Gemini API or of Vertex AI means. The body is one error, or a list of it where a stream was asked. */
export function geminiFailure(status: number, headers: WireHeaders, body: unknown): ModelFailure {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  const error = isObject(first) && isObject(first['error']) ? first['error'] : {};
  const retryAfterMs = milliseconds(headers['retry-after-ms'], 1) ?? milliseconds(headers['retry-after'], 1000);
  return { ...(retryAfterMs !== undefined && { retryAfterMs }), ...failureOf(status, error) };
}

function milliseconds(value: WireHeaders[string], unit: number): number | undefined {
  return typeof value === 'string' && /^\d{1,9}(?:\.\d{1,9})?$/.test(value) ? Math.ceil(Number(value) * unit) : undefined;
}
