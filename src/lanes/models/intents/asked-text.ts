import { isObject } from '../../../core/json.ts';
import type { ModelsInput } from '../../../core/models.ts';
import { modelSegments } from '../segments.ts';

/** Characters: what comes after says little more of what a text is about. */
const LONGEST = 1_000;
/** Characters of a text that means little without what was said before it: "yes, do that". */
const SHORT = 20;
/** What coding agents put among the words of the user. */
const REMINDER = /^\s*<system-reminder>/;

/**
 * What the caller wants, in any format: the last message of the user, and before it, if it is short, the one that the user said before. Results of tools are
 * nobody's words, so that what a conversation is about stays while tools are called. Empty when the user has said nothing.
 */
export function askedText(input: ModelsInput): string {
  const texts: string[] = [];
  for (const said of saidByUser(input)) {
    texts.unshift(said);
    if (texts.length === 2 || said.length >= SHORT) break;
  }
  const [first = '', last] = texts;
  if (last === undefined) return first.slice(0, LONGEST);
  return `${first.slice(0, LONGEST - last.length - 1)}\n${last}`;
}

/** The texts of the user's messages, the last first. */
function* saidByUser({ body }: ModelsInput): Generator<string> {
  // One format has messages, the other input.
  const conversation = body['messages'] ?? body['input'];
  if (typeof conversation === 'string') return yield conversation.trim();
  if (!Array.isArray(conversation)) return;
  for (const message of (conversation as readonly unknown[]).toReversed()) {
    if (!isObject(message) || message['role'] !== 'user') continue;
    const text = textOf(message);
    if (text !== '') yield text;
  }
}

function textOf(message: object): string {
  const texts: string[] = [];
  const segments = modelSegments.segments({ model: '', stream: false, body: { messages: [message] } });
  for (const { text, origin } of segments) if (origin === 'user' && !REMINDER.test(text)) texts.push(text);
  return texts.join('\n').trim();
}
