import { isObject, type JsonObject } from '../core/json.ts';

/** Which of the user's messages say what is wanted. */
export const QUERIES = ['last', 'conversation'] as const;
export type QueryMessages = (typeof QUERIES)[number];

/** Characters that are looked at: what follows is mostly material, not the wish. */
const LONGEST = 1000;
/** Characters: less than this rarely says what it is about, such as "and the second one too". */
const SHORT = 40;
/** What coding agents put into messages of the user, beside what the user wrote. */
const INSERTED = ['system-reminder', 'environment_context', 'user_instructions'] as const;
const DATA = /data:[^,;\s]{0,100};base64,[A-Za-z0-9+/=]*/g;
/** Characters of a message that are searched for what is to be left out. */
const LONGEST_SEARCHED = 200_000;

/**
 * What the tools are to be found by, from a request in any format; empty when there is nothing. That is the user's last message, and the one before it
 * when that is short, or with `conversation` as many as fit, newest first. Results of tools are none, and neither are pictures and files.
 */
export function queryOf(body: JsonObject, messages: QueryMessages): string {
  const { input } = body;
  if (typeof input === 'string') return cut(cleaned(input));
  const turns = Array.isArray(body['messages']) ? body['messages'] : Array.isArray(input) ? input : [];
  let query = '';
  for (let at = turns.length - 1; at >= 0 && query.length < LONGEST; at -= 1) {
    const text = userText(turns[at]);
    if (text === '') continue;
    const complete = query !== '' || text.length >= SHORT;
    query = query === '' ? text : `${query}\n${text}`;
    if (complete && messages === 'last') break;
  }
  return cut(query);
}

function userText(turn: unknown): string {
  if (!isObject(turn) || turn['role'] !== 'user') return '';
  const { content } = turn;
  if (typeof content === 'string') return cleaned(content);
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => (isObject(part) && (part['type'] === 'text' || part['type'] === 'input_text') ? part['text'] : undefined))
    .filter((text) => typeof text === 'string')
    .map(cleaned)
    .filter((text) => text !== '')
    .join('\n');
}

function cleaned(text: string): string {
  let left = text.slice(0, LONGEST_SEARCHED);
  for (const name of INSERTED) left = without(left, `<${name}>`, `</${name}>`);
  return left.replace(DATA, ' ').trim();
}

/** In one pass: a message may be full of beginnings that have no end. */
function without(text: string, open: string, close: string): string {
  let kept = '';
  let from = 0;
  for (;;) {
    const start = text.indexOf(open, from);
    const end = start < 0 ? -1 : text.indexOf(close, start);
    if (end < 0) return kept + text.slice(from);
    kept += text.slice(from, start);
    from = end + close.length;
  }
}

function cut(query: string): string {
  return query.slice(0, LONGEST).toWellFormed();
}
