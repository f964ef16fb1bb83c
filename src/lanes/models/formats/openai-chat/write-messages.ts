import { createHash } from 'node:crypto';
import type { CallPart, ChatRequest, Part, ResultPart, TextPart, Turn } from '../../../../core/chat.ts';
import type { WriteOptions } from '../../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { wrong } from '../_read.ts';
import { writeCache, writePart, type CacheStyle, type ContentPart } from './parts.ts';
import { vendorFormat, writeCallSeal, writeReasoning } from './reasoning.ts';

/** Where vendors of this format differ in what they take. */
export interface ChatQuirks {
  /** What limits the length of the answer is called. */
  readonly maxTokens: 'max_tokens' | 'max_completion_tokens';
  /** The field in which plain reasoning of earlier turns goes back; `always`: `reasoning_content`, which the vendor wants on every assistant message. */
  readonly reasoning: 'none' | 'reasoning' | 'reasoning_content' | 'always';
  /** Takes seals back in `reasoning_details`, as OpenRouter does. */
  readonly seals?: boolean;
  /** False: refuses `stream_options` and sends usage unasked. */
  readonly streamOptions?: boolean;
  readonly cache?: CacheStyle;
  /** Takes `top_k`. */
  readonly topK?: boolean;
  /** Takes `allowed_tools`; for others the list of tools is cut to those allowed. */
  readonly allowedTools?: boolean;
  /** Content that is only text goes as one text, not as a list of parts. */
  readonly plainText?: boolean;
}

/** What one request is written with. */
interface Writing {
  readonly options: WriteOptions;
  readonly quirks: ChatQuirks;
  readonly lost: (what: string) => void;
}

/** The list of `messages`. `lost` hears what they could not hold. */
export function writeMessages(ask: ChatRequest, options: WriteOptions, quirks: ChatQuirks, lost: (what: string) => void): JsonObject[] {
  const writing = { options, quirks, lost };
  const system = ask.system.length === 0 ? [] : [{ role: 'system', content: content(ask.system, 'system', writing) }];
  const messages: JsonObject[] = [...system];
  for (let at = 0; at < ask.turns.length; at++) {
    const turn = ask.turns[at] as Turn;
    if (turn.role === 'assistant') messages.push(writeAssistant(turn, `turns[${at}]`, writing));
    else if (turn.role === 'system') messages.push({ role: 'system', content: content(turn.parts, `turns[${at}]`, writing) });
    else {
      let end = at + 1;
      while (ask.turns[end]?.role === 'user') end++;
      messages.push(...writeUsers(ask.turns.slice(at, end), at, writing));
      at = end - 1;
    }
  }
  return messages;
}

/** User turns that follow each other: all answers of tools first, since nothing may stand between them and the calls. */
function writeUsers(turns: readonly Turn[], first: number, writing: Writing): JsonObject[] {
  const results = turns.flatMap(({ parts }) => parts.filter((part) => part.type === 'result'));
  const tools = results.map((result) => writeResult(result, writing));
  const users = turns.flatMap(({ parts }, at) => {
    // A tool message holds text only: what else a tool gave comes right behind, in the user's name.
    const rest = parts.flatMap((part) => (part.type === 'result' ? part.parts.filter(({ type }) => type !== 'text') : [part]));
    if (rest.length === 0 && parts.length > 0) return [];
    return [{ role: 'user', content: content(rest, `turns[${first + at}]`, writing) }];
  });
  return [...tools, ...users];
}

function writeResult(result: ResultPart, writing: Writing): JsonObject {
  const texts = result.parts.filter((part) => part.type === 'text');
  const last = texts.at(-1);
  if (result.cache !== undefined && last !== undefined && last.cache === undefined) {
    texts[texts.length - 1] = { ...last, cache: result.cache };
  }
  return { role: 'tool', tool_call_id: callId(result.callId), content: content(texts, 'result', writing) };
}

function writeAssistant(turn: Turn, place: string, writing: Writing): JsonObject {
  const { quirks, lost } = writing;
  const calls = turn.parts.filter((part) => part.type === 'call');
  const spoken = turn.parts.filter((part) => part.type !== 'call' && part.type !== 'reasoning');
  const thought = reasoningOf(turn.parts, writing);
  if (calls.some(({ cache }) => cache !== undefined)) lost('cache (calls take no marks)');
  return {
    role: 'assistant',
    content: spoken.length === 0 && calls.length > 0 ? null : content(spoken, place, writing),
    ...(quirks.reasoning === 'always' && { reasoning_content: NO_REASONING }),
    ...thought,
    ...(calls.length > 0 && { tool_calls: calls.map((call) => writeCall(call, writing)) }),
  };
}

function writeCall(call: CallPart, { options, quirks }: Writing): JsonObject {
  const { seal } = call;
  const taken = seal?.family === 'gemini' && options.family === 'gemini' && quirks.seals !== true;
  return {
    id: callId(call.id),
    type: 'function',
    function: { name: call.name, arguments: call.arguments === '' ? '{}' : call.arguments },
    ...(taken && writeCallSeal(seal)),
  };
}

/** The reasoning that this vendor takes back. */
function reasoningOf(parts: readonly Part[], { options, quirks, lost }: Writing): JsonObject {
  const all = parts.filter((part) => part.type === 'reasoning');
  const calls = parts.filter((part) => part.type === 'call' && part.seal !== undefined) as CallPart[];
  const own = all.filter(({ seal }) => seal === undefined || seal.family === options.family);
  if (own.length < all.length || calls.some(({ seal }) => seal?.family !== options.family)) lost('reasoning of another model family');
  const taken = own.filter(
    ({ seal, hidden }) => (seal !== undefined && quirks.seals === true) || (quirks.reasoning !== 'none' && hidden !== true),
  );
  if (taken.length < own.length) lost('reasoning of earlier turns (this provider takes none back)');
  if (quirks.seals !== true) {
    const plain = taken.map(({ text }) => text).join('');
    return plain === '' ? {} : { [quirks.reasoning === 'reasoning' ? 'reasoning' : 'reasoning_content']: plain };
  }
  const written = writeReasoning(taken, vendorFormat);
  const ofCalls = calls.flatMap(({ id, seal }, at) =>
    seal?.family === options.family
      ? [{ type: 'reasoning.encrypted', data: seal.value, id: callId(id), format: vendorFormat(seal.family), index: taken.length + at }]
      : [],
  );
  const details = [...((written['reasoning_details'] as JsonObject[] | undefined) ?? []), ...ofCalls];
  return details.length === 0 ? written : { ...written, reasoning_details: details };
}

/** A text where one is enough, else a list. */
function content(parts: readonly Part[], place: string, { quirks, lost }: Writing): unknown {
  const plain = quirks.plainText === true ? parts.map(asText) : parts;
  const texts = plain.filter((part): part is TextPart => part.type === 'text');
  if (texts.some(({ cache }) => cache !== undefined) && quirks.cache === undefined) lost('cache (this provider takes no marks)');
  const marked = quirks.cache !== undefined && texts.some(({ cache }) => cache !== undefined);
  if (texts.length === plain.length && !marked && (texts.length < 2 || quirks.plainText === true)) {
    return texts.map(({ text }) => text).join('\n\n');
  }
  return plain.map((part, at) => {
    if (!isContent(part)) throw wrong(`${place}.parts[${at}]`, `a ${part.type} cannot stand here.`);
    const cache = 'cache' in part ? part.cache : undefined;
    return { ...writePart(part, `${place}.parts[${at}]`), ...writeCache(cache, quirks.cache, lost) };
  });
}

function asText(part: Part): Part {
  return part.type === 'refusal' ? { type: 'text', text: part.text } : part;
}

function isContent(part: Part): part is ContentPart {
  return part.type !== 'reasoning' && part.type !== 'call' && part.type !== 'result';
}

/** DeepSeek refuses both the absent and the empty field while it thinks. */
const NO_REASONING = ' ';

const LONGEST_ID = 40;

/** OpenAI takes ids of calls up to 40 characters. The same id becomes the same, so that call and answer still match. */
function callId(id: string): string {
  return id.length <= LONGEST_ID ? id : `call_${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}
