import type {
  CallPart,
  DocumentPart,
  ImagePart,
  Part,
  ReasoningPart,
  ResultPart,
  Source,
  TextPart,
  Turn,
} from '../../../../../core/chat.ts';
import type { JsonObject } from '../../../../../core/json.ts';
import { wrong } from '../../_read.ts';
import { cacheControl, type Draft } from './cache-marks.ts';
import { parseInput } from '../parse-input.ts';

export interface Message {
  readonly role: Turn['role'];
  content: JsonObject[];
}

export interface MessageRules {
  /** The model takes `role: system` between turns. */
  readonly systemTurns: boolean;
  readonly family: string;
}

/**
 * Turns as messages: turns of one role are joined, answers of tools stand first in theirs, reasoning before the calls it led to. A system turn
 * keeps its role where the model takes it (after a user turn, before an answer), else it goes into the next user turn.
 */
export function writeMessages(turns: readonly Turn[], rules: MessageRules, draft: Draft): readonly JsonObject[] {
  const messages: Message[] = [];
  let held: JsonObject[] = [];
  const written = turns
    .map(({ role, parts }, index) => ({
      role,
      blocks: parts.flatMap((part, at) => writePart(part, role, `turns[${index}].parts[${at}]`, rules, draft)),
    }))
    .filter(({ blocks }) => blocks.length > 0);
  for (const [index, { role, blocks }] of written.entries()) {
    const keeps = rules.systemTurns && answersNext(written, index) && messages.length > 0 && messages.at(-1)?.role !== 'assistant';
    if (role === 'system' && !keeps) held.push(...blocks);
    else if (role === 'user') {
      join(messages, 'user', [...held, ...blocks]);
      held = [];
    } else join(messages, role, blocks);
  }
  if (held.length > 0) join(messages, 'user', held);
  for (const message of messages) message.content = ordered(message);
  if (messages.length === 0) throw wrong('messages', 'there is nothing to answer.');
  if (messages[0]?.role !== 'user') throw wrong('messages', 'the model wants a conversation that begins with the user.');
  return messages.map(({ role, content }) => ({ role, content }));
}

function join(messages: Message[], role: Turn['role'], blocks: readonly JsonObject[]): void {
  const last = messages.at(-1);
  if (last?.role === role) last.content.push(...blocks);
  else messages.push({ role, content: [...blocks] });
}

/** Between this turn and the next answer stand system turns at most. */
function answersNext(turns: readonly Pick<Turn, 'role'>[], index: number): boolean {
  return turns.slice(index + 1).find((turn) => turn.role !== 'system')?.role !== 'user';
}

function ordered({ role, content }: Message): JsonObject[] {
  if (role === 'user') return [...content.filter(isResult), ...content.filter((block) => !isResult(block))];
  const call = content.findIndex((block) => block['type'] === 'tool_use');
  if (call < 0) return content;
  const after = content.slice(call);
  return [...content.slice(0, call), ...after.filter(isThinking), ...after.filter((block) => !isThinking(block))];
}

function isResult(block: JsonObject): boolean {
  return block['type'] === 'tool_result';
}

function isThinking(block: JsonObject): boolean {
  return block['type'] === 'thinking' || block['type'] === 'redacted_thinking';
}

function writePart(part: Part, role: Turn['role'], place: string, rules: MessageRules, draft: Draft): JsonObject[] {
  switch (part.type) {
    case 'text':
      return writeText(part, draft);
    case 'refusal':
      return writeText({ type: 'text', text: part.text }, draft);
    case 'image':
      only('user', role, place, part);
      return [writeImage(part, place, draft)];
    case 'document':
      only('user', role, place, part);
      return [writeDocument(part, place, draft)];
    case 'result':
      only('user', role, place, part);
      return [writeResult(part, place, draft)];
    case 'call':
      only('assistant', role, place, part);
      return [writeCall(part, place, draft)];
    case 'reasoning':
      only('assistant', role, place, part);
      return writeReasoningPart(part, place, rules, draft);
    case 'audio':
      throw wrong(place, 'the model takes no audio.');
  }
}

function only(wanted: Turn['role'], role: Turn['role'], place: string, part: Part): void {
  if (role !== wanted) throw wrong(place, `"${part.type}" stands in turns of role ${wanted} only.`);
}

/** The API refuses empty texts. */
export function writeText({ text, cache }: TextPart, draft: Draft): JsonObject[] {
  return text === '' ? [] : [{ type: 'text', text, ...cacheControl(cache, draft) }];
}

function writeSource(source: Source): JsonObject {
  if (source.type === 'url') return { type: 'url', url: source.url };
  if (source.type === 'file') return { type: 'file', file_id: source.id };
  return { type: 'base64', media_type: source.mediaType, data: source.data };
}

function writeImage({ source, detail, cache }: ImagePart, place: string, draft: Draft): JsonObject {
  if (detail !== undefined && detail !== 'auto') draft.dropped.add(`${place}.detail`);
  return { type: 'image', source: writeSource(source), ...cacheControl(cache, draft) };
}

function writeDocument({ source, name, cache }: DocumentPart, place: string, draft: Draft): JsonObject {
  return {
    type: 'document',
    source: documentSource(source, place),
    ...(name !== undefined && { title: name }),
    ...cacheControl(cache, draft),
  };
}

const TEXTUAL = /^text\/|^application\/(?:json|xml|yaml|x-yaml)\b/;

/** PDF as bytes, text as text: there is nothing else. */
function documentSource(source: Source, place: string): JsonObject {
  if (source.type !== 'base64' || source.mediaType === 'application/pdf') return writeSource(source);
  if (!TEXTUAL.test(source.mediaType)) throw wrong(place, `the model takes PDF and text, not ${source.mediaType}.`);
  return { type: 'text', media_type: 'text/plain', data: Buffer.from(source.data, 'base64').toString('utf8') };
}

const LEGAL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;

export function checkName(name: string, place: string): string {
  if (!LEGAL_NAME.test(name)) throw wrong(place, `the tool name "${name}" may have only letters, digits, _ and -, 128 at most.`);
  return name;
}

function writeCall(part: CallPart, place: string, draft: Draft): JsonObject {
  const input = parseInput(part.arguments);
  if (!input) throw wrong(`${place}.arguments`, `the arguments of the call of "${part.name}" are no JSON object.`);
  return { type: 'tool_use', id: legalId(part.id), name: checkName(part.name, place), input, ...cacheControl(part.cache, draft) };
}

function writeResult(part: ResultPart, place: string, draft: Draft): JsonObject {
  const content = part.parts.flatMap((inner, at) =>
    writePart(inner, 'user', `${place}.parts[${at}]`, { systemTurns: false, family: '' }, draft),
  );
  return {
    type: 'tool_result',
    tool_use_id: legalId(part.callId),
    ...(content.length > 0 && { content }),
    ...(part.isError && { is_error: true }),
    ...cacheControl(part.cache, draft),
  };
}

function writeReasoningPart(part: ReasoningPart, place: string, { family }: MessageRules, draft: Draft): JsonObject[] {
  if (part.cache) draft.dropped.add(`${place}.cache`);
  if (!part.seal) {
    draft.dropped.add('reasoning without a signature');
    return [];
  }
  if (part.seal.family !== family) {
    draft.dropped.add('reasoning of another model family');
    return [];
  }
  if (part.hidden) return [{ type: 'redacted_thinking', data: part.seal.value }];
  return [{ type: 'thinking', thinking: part.text, signature: part.seal.value }];
}

const LEGAL_ID = /^[a-zA-Z0-9_-]+$/;

/** Same in, same out, so that a call and its answer still meet; the end keeps ids apart that differ in illegal characters only (FNV-1a). */
function legalId(id: string): string {
  if (LEGAL_ID.test(id)) return id;
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193) >>> 0;
  return `${id.replaceAll(/[^a-zA-Z0-9_-]/g, '_')}_${hash.toString(36)}`;
}
