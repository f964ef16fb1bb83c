import { GatewayError } from '../core/errors.ts';
import type { Exchange } from './mount.ts';

/** Most that one search gives, and that a narrowed list has. */
export const MOST_FOUND = 100;

/** `?query=TEXT&top=K`: of a list only the best that match. */
export interface Narrowing {
  readonly query: string;
  /** From 1 to 100; absent when the caller did not say. */
  readonly top?: number;
}

/** Undefined for the whole list. Throws GatewayError `bad_request`. */
export function readNarrowing(exchange: Pick<Exchange, 'req' | 'query'>): Narrowing | undefined {
  // Most requests have none: nothing is parsed for them.
  if (!(exchange.req.url as string).includes('?')) return undefined;
  const [query, top] = [exchange.query.get('query'), exchange.query.get('top')];
  if (query === null && top === null) return undefined;
  if (query === null)
    throw new GatewayError('bad_request', '?top= goes with ?query= only: say in that what you look for, or leave out both.');
  if (query.trim() === '') throw new GatewayError('bad_request', '?query= is empty: say in it what you look for, or leave it out.');
  if (top === null) return { query };
  if (!/^\d{1,3}$/.test(top) || Number(top) < 1 || Number(top) > MOST_FOUND)
    throw new GatewayError('bad_request', `?top= is a whole number from 1 to ${MOST_FOUND}.`);
  return { query, top: Number(top) };
}

/** The URL asks for a narrowed list: it depends on the URL and the caller alone, never on the conversation (MCP 2026-07-28 server/tools). */
export function hasQuery(exchange: Pick<Exchange, 'req' | 'query'>): boolean {
  return exchange.req.url!.includes('?') && exchange.query.has('query');
}
