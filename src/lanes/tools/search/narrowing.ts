import { GatewayError } from '../../../core/errors.ts';
import type { Exchange } from '../../../http/mount.ts';
import { isCount } from './answer-search.ts';
import { MOST_FOUND } from '../doors/search-settings.ts';

/** `?query=TEXT&top=K`: the list of the URL is narrowed to what matches. It depends on the URL and the caller alone, never on the conversation (MCP 2026-07-28 server/tools). */
export interface Narrowing {
  readonly query: string;
  /** That of the server's `search` when absent. */
  readonly top?: number;
}

/** Throws GatewayError `bad_request`. */
export function narrowingOf(exchange: Exchange): Narrowing | undefined {
  if (!exchange.req.url!.includes('?')) return undefined;
  const query = exchange.query.get('query');
  const top = exchange.query.get('top');
  if (query === null) return undefined;
  if (query.trim() === '') throw new GatewayError('bad_request', '?query= is empty: write what the tools should do, or leave it out.');
  if (top === null) return { query };
  const count = /^\d{1,3}$/.test(top) ? Number(top) : undefined;
  if (!isCount(count)) throw new GatewayError('bad_request', `?top= is a whole number from 1 to ${MOST_FOUND}.`);
  return { query, top: count };
}
