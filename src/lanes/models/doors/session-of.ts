import { isObject } from '../../../core/json.ts';
import type { Arrival } from '../calls/arrival.ts';

/** Headers in which callers name a session; the first that is there. */
const HEADERS = ['x-hubgate-session', 'x-session-id'] as const;

/**
 * What the calls of one session have in common, so that the vendor's prompt cache is met again: a header, OpenAI's `prompt_cache_key`, Anthropic's
 * `metadata.user_id`. Undefined for a call that says nothing of it.
 */
export function sessionOf({ exchange, body }: Arrival): string | undefined {
  const { headers } = exchange.req;
  for (const name of HEADERS) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  const { prompt_cache_key: key, metadata } = body;
  if (typeof key === 'string' && key !== '') return key;
  const user = isObject(metadata) ? metadata['user_id'] : undefined;
  return typeof user === 'string' && user !== '' ? user : undefined;
}
