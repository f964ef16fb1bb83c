import type { Turn } from '../../../../core/chat.ts';
import { isObject } from '../../../../core/json.ts';
import { wrong } from '../_read.ts';
import type { Block, Blocks } from './blocks.ts';
import { afterSomething } from './cache.ts';

/** What the user says where a format must have something said. */
const OPENING = 'Continue.';

interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: Block[];
  /** The path of its first turn. */
  readonly place: string;
}

/**
 * `messages`: user and assistant by turns, the user first, and the results of a message's calls together at the beginning of the next one. A system
 * turn between others is said by the user. Throws GatewayError `bad_request` when calls and results do not match.
 */
export function writeMessages(turns: readonly Turn[], blocks: Blocks): readonly { role: string; content: readonly Block[] }[] {
  const messages: Message[] = [];
  for (const [i, turn] of turns.entries()) {
    const place = `turns[${i}]`;
    const content = blocks.content(turn.parts, place);
    if (content.every((block) => 'cachePoint' in block)) continue;
    const role = turn.role === 'assistant' ? 'assistant' : 'user';
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...content);
    else messages.push({ role, content, place });
  }
  if (messages[0]?.role !== 'user') messages.unshift({ role: 'user', content: [{ text: OPENING }], place: 'turns[0]' });
  for (const [i, message] of messages.entries()) matchResults(messages[i - 1], message);
  const last = messages.at(-1);
  if (last !== undefined && idsOf(last.content, 'toolUse').length > 0) throw wrong(last.place, 'its calls have no results.');
  return messages.map(({ role, content }) => ({ role, content: resultsFirst(content).filter(afterSomething) }));
}

function matchResults(before: Message | undefined, { content, place }: Message): void {
  const results = new Set(idsOf(content, 'toolResult'));
  const calls = before === undefined ? [] : idsOf(before.content, 'toolUse');
  for (const id of calls) if (!results.delete(id)) throw wrong(place, `a result of the call ${id} of the turn before is missing.`);
  for (const id of results) throw wrong(place, `the result of ${id} belongs to no call of the turn before.`);
}

function idsOf(content: readonly Block[], kind: 'toolUse' | 'toolResult'): unknown[] {
  return content.flatMap((block) => {
    const value = block[kind];
    return isObject(value) ? [value['toolUseId']] : [];
  });
}

/** Each with the cache point that follows it. */
function resultsFirst(content: readonly Block[]): readonly Block[] {
  const results: Block[] = [];
  const others: Block[] = [];
  let list = others;
  for (const block of content) {
    if (!('cachePoint' in block)) list = 'toolResult' in block ? results : others;
    list.push(block);
  }
  return [...results, ...others];
}
