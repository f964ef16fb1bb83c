import { isObject, type JsonObject } from './json.ts';

/** The models lane: what its calls move. Bodies are those of the format that the caller speaks, so that unknown fields survive. */
export interface ModelsLane {
  operation: ModelsOperation;
  input: ModelsInput;
  reply: ModelsReply;
  chunk: ModelsChunk;
}

/** `chat`, `responses` and `embeddings` are OpenAI's, `messages` and `count_tokens` Anthropic's; `models` is the list, in both. */
export type ModelsOperation = 'chat' | 'responses' | 'messages' | 'count_tokens' | 'embeddings' | 'models';

export interface ModelsInput {
  /** As the caller asks for it. */
  readonly model: string;
  readonly stream: boolean;
  /** The request as the caller's format has it, parsed once. */
  readonly body: JsonObject;
}

/** A whole answer in the caller's format. Parsed when somebody looks. */
export interface ModelsReply {
  readonly body: JsonObject;
}

/** One event of a streamed answer in the caller's format. Parsed when somebody looks. */
export interface ModelsChunk {
  /** The name of the event, in formats that name theirs. */
  readonly event?: string;
  /** The JSON of the event; an empty object for one that is none, such as `[DONE]`. */
  readonly data: JsonObject;
  /** On the event that completes the answer: all of it. */
  readonly reply?: ModelsReply;
}

/** Characters of what is asked: what follows is mostly material, not the wish. */
const LONGEST = 1000;
/** What coding agents put into messages of the user, beside what the user wrote. */
const INSERTED = ['system-reminder', 'environment_context', 'user_instructions'] as const;
const DATA = /data:[^,;\s]{0,100};base64,[A-Za-z0-9+/=]*/g;
/** Characters of a message that are searched for what is to be left out. */
const LONGEST_SEARCHED = 200_000;

/**
 * What the user wants, from a request in any format: as many of the user's messages as it takes to have `enough` characters, at most `most` of them,
 * newest first, and of these the first 1,000 characters. Results of tools are nobody's words, and pictures, files and what agents insert are none either.
 * Empty when the user has said nothing.
 */
export function askedText({ messages, input }: JsonObject, { enough, most }: { readonly enough: number; readonly most: number }): string {
  if (typeof input === 'string') return cut(written(input));
  const turns = Array.isArray(messages) ? messages : Array.isArray(input) ? input : [];
  const texts: string[] = [];
  let length = 0;
  for (let at = turns.length - 1; at >= 0 && texts.length < most && length < Math.min(enough, LONGEST); at -= 1) {
    const text = userText(turns[at]);
    if (text === '') continue;
    texts.push(text);
    length += text.length;
  }
  return cut(texts.join('\n'));
}

function userText(turn: unknown): string {
  if (!isObject(turn) || turn['role'] !== 'user') return '';
  const { content } = turn;
  if (typeof content === 'string') return written(content);
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => (isObject(part) && (part['type'] === 'text' || part['type'] === 'input_text') ? part['text'] : undefined))
    .filter((text) => typeof text === 'string')
    .map(written)
    .filter((text) => text !== '')
    .join('\n');
}

/** What the user wrote of it. */
function written(text: string): string {
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

function cut(text: string): string {
  return text.slice(0, LONGEST).toWellFormed();
}
