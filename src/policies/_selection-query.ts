import type { JsonObject } from '../core/json.ts';
import { askedText } from '../core/models.ts';

/** Which of the user's messages say what is wanted. */
export const QUERIES = ['last', 'conversation'] as const;
export type QueryMessages = (typeof QUERIES)[number];

/** Characters: less than this rarely says what it is about, such as "and the second one too". */
const SHORT = 40;

/**
 * What the tools are to be found by; empty when there is nothing. That is the user's last message, and the one before it when that is short, or with
 * `conversation` as many as fit into what is read, newest first.
 */
export function queryOf(body: JsonObject, messages: QueryMessages): string {
  return askedText(body, messages === 'last' ? { enough: SHORT, most: 2 } : { enough: Infinity, most: Infinity });
}
