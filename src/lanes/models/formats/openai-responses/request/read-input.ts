import type { CacheMark, DocumentPart, ImagePart, Part, ReasoningPart, Seal, Source, TextPart, Turn } from '../../../../../core/chat.ts';
import { isObject, type JsonObject } from '../../../../../core/json.ts';
import { list, object, optional, text, wrong } from '../../_read.ts';
import { readSeal } from '../../_seals.ts';
import { CALL_SEAL, NATIVE } from '../seals.ts';

interface Reading {
  readonly system: TextPart[];
  readonly turns: { role: Turn['role']; parts: Part[] }[];
  /** What the last turn is made of: items of one sort that follow each other are one turn. */
  sort: 'model' | 'results' | 'message';
  /** Names of tools by the ids of their calls. */
  readonly names: Map<string, string>;
  /** Of the call that comes next. */
  seal: Seal | undefined;
  readonly unread: string[];
}

/** `input`, a text or items, as what stands before the first turn and the turns. What has no place is added to `unread`. */
export function readInput(input: unknown, unread: string[]): { system: readonly TextPart[]; turns: readonly Turn[] } {
  if (typeof input === 'string') return { system: [], turns: [{ role: 'user', parts: [{ type: 'text', text: input }] }] };
  const reading: Reading = { system: [], turns: [], sort: 'message', names: new Map(), seal: undefined, unread };
  for (const [index, item] of list(input, 'input').entries()) readItem(object(item, `input[${index}]`), `input[${index}]`, reading);
  return reading;
}

function readItem(item: JsonObject, place: string, reading: Reading): void {
  const type = optional(item['type'], `${place}.type`, text) ?? 'message';
  if (type === 'message') return readMessage(item, place, reading);
  if (type === 'reasoning') return readReasoning(item, place, reading);
  if (type === 'function_call' || type === 'custom_tool_call') return readCall(item, place, reading);
  if (type === 'function_call_output' || type === 'custom_tool_call_output') return readOutput(item, place, reading);
  if (type === 'item_reference') {
    throw wrong(place, 'an item_reference needs a vendor that keeps items. Send the item itself.');
  }
  throw wrong(`${place}.type`, `an item of type ${type} has a meaning at OpenAI only, and this model is spoken to in another format.`);
}

function add(reading: Reading, sort: Reading['sort'], role: Turn['role'], parts: readonly Part[]): void {
  if (parts.length === 0) return;
  const last = reading.turns.at(-1);
  if (last && sort !== 'message' && reading.sort === sort) last.parts.push(...parts);
  else reading.turns.push({ role, parts: [...parts] });
  reading.sort = sort;
}

function readMessage(item: JsonObject, place: string, reading: Reading): void {
  const parts = readContent(item['content'], `${place}.content`, reading.unread);
  const { role } = item;
  if (role === 'user') return add(reading, 'message', 'user', parts);
  if (role === 'assistant') return add(reading, 'model', 'assistant', parts);
  if (role !== 'system' && role !== 'developer') throw wrong(`${place}.role`, 'must be user, assistant, system or developer.');
  const texts = parts.filter((part) => part.type === 'text');
  if (reading.turns.length === 0 && texts.length === parts.length) reading.system.push(...texts);
  else add(reading, 'message', 'system', parts);
}

function readCall(item: JsonObject, place: string, reading: Reading): void {
  const id = text(item['call_id'], `${place}.call_id`);
  const name = text(item['name'], `${place}.name`);
  // What a custom tool takes is free text; all other formats know objects only.
  const given =
    item['type'] === 'function_call'
      ? text(item['arguments'], `${place}.arguments`)
      : JSON.stringify({ input: text(item['input'], `${place}.input`) });
  reading.names.set(id, name);
  add(reading, 'model', 'assistant', [{ type: 'call', id, name, arguments: given, ...(reading.seal && { seal: reading.seal }) }]);
  reading.seal = undefined;
}

function readOutput(item: JsonObject, place: string, reading: Reading): void {
  const callId = text(item['call_id'], `${place}.call_id`);
  const name = optional(item['name'], `${place}.name`, text) ?? reading.names.get(callId);
  const parts = readContent(item['output'], `${place}.output`, reading.unread).map((part, index) => {
    if (part.type === 'text' || part.type === 'image' || part.type === 'document') return part;
    throw wrong(`${place}.output[${index}]`, 'must be input_text, input_image or input_file.');
  });
  add(reading, 'results', 'user', [{ type: 'result', callId, ...(name !== undefined && { name }), parts }]);
}

/** What was thought, and what only its vendor can read. The one may be there without the other. */
function readReasoning(item: JsonObject, place: string, reading: Reading): void {
  const summaries = optional(item['summary'], `${place}.summary`, list) ?? [];
  const contents = optional(item['content'], `${place}.content`, list) ?? [];
  const texts = [...summaries, ...contents].map((part, index) => text(object(part, place)['text'], `${place}.summary[${index}].text`));
  const encrypted = optional(item['encrypted_content'], `${place}.encrypted_content`, text);
  const seal = encrypted === undefined ? undefined : readSeal(encrypted, NATIVE);
  if (seal?.family.endsWith(CALL_SEAL)) {
    reading.seal = { family: seal.family.slice(0, -CALL_SEAL.length), value: seal.value };
    return;
  }
  add(reading, 'model', 'assistant', reasoningParts(texts, seal));
}

/** A seal of the native family holds the reasoning; one of another family signs the text beside it, unless there is none. */
function reasoningParts(texts: readonly string[], seal: Seal | undefined): ReasoningPart[] {
  const joined = texts.join('\n\n');
  if (!seal) return joined === '' ? [] : [{ type: 'reasoning', text: joined }];
  if (seal.family !== NATIVE && texts.length > 0) return [{ type: 'reasoning', text: joined, seal }];
  const hidden: ReasoningPart = { type: 'reasoning', text: '', seal, hidden: true };
  return joined === '' ? [hidden] : [{ type: 'reasoning', text: joined }, hidden];
}

function readContent(value: unknown, place: string, unread: string[]): Part[] {
  if (typeof value === 'string') return [{ type: 'text', text: value }];
  return list(value, place).map((item, index) => readPart(object(item, `${place}[${index}]`), `${place}[${index}]`, unread));
}

function readPart(part: JsonObject, place: string, unread: string[]): Part {
  const type = text(part['type'], `${place}.type`);
  const cache = readCache(part['prompt_cache_breakpoint'], `${place}.prompt_cache_breakpoint`);
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return { type: 'text', text: text(part['text'], `${place}.text`), ...cache };
    case 'refusal':
      return { type: 'refusal', text: text(part['refusal'], `${place}.refusal`) };
    case 'input_image':
      return { ...readImage(part, place), ...cache };
    case 'input_file':
      if (isGiven(part['detail'])) unread.push(`${place}.detail`);
      return { ...readFile(part, place), ...cache };
    case 'input_audio': {
      const audio = object(part['input_audio'], `${place}.input_audio`);
      const format = text(audio['format'], `${place}.input_audio.format`);
      return { type: 'audio', data: text(audio['data'], `${place}.input_audio.data`), format };
    }
    default:
      throw wrong(`${place}.type`, `${type} is no content that can be sent to this model.`);
  }
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

function readCache(value: unknown, place: string): { cache?: CacheMark } {
  if (!isObject(value)) return {};
  const ttl = optional(value['ttl'], `${place}.ttl`, text);
  if (ttl !== undefined && ttl !== '30m' && ttl !== '12h') throw wrong(`${place}.ttl`, 'must be 30m or 12h.');
  return { cache: ttl === undefined ? {} : { ttl } };
}

function readImage(part: JsonObject, place: string): ImagePart {
  const detail = optional(part['detail'], `${place}.detail`, text);
  const source = isGiven(part['file_id'])
    ? ({ type: 'file', id: text(part['file_id'], `${place}.file_id`) } as const)
    : readUrl(text(part['image_url'], `${place}.image_url`));
  return { type: 'image', source, ...(detail !== undefined && { detail }) };
}

function readFile(part: JsonObject, place: string): DocumentPart {
  const name = optional(part['filename'], `${place}.filename`, text);
  return { type: 'document', source: readFileSource(part, place), ...(name !== undefined && { name }) };
}

function readFileSource(part: JsonObject, place: string): Source {
  if (isGiven(part['file_id'])) return { type: 'file', id: text(part['file_id'], `${place}.file_id`) };
  if (isGiven(part['file_url'])) return readUrl(text(part['file_url'], `${place}.file_url`));
  const source = readUrl(text(part['file_data'], `${place}.file_data`));
  if (source.type !== 'base64') throw wrong(`${place}.file_data`, 'must be a data: URL with base64, such as data:application/pdf;base64,…');
  return source;
}

/** A `data:` URL with base64 is taken apart; its text may be large, so that only its head is looked at. */
function readUrl(url: string): Source {
  const comma = url.startsWith('data:') ? url.indexOf(',') : -1;
  const head = url.slice('data:'.length, Math.max(comma, 0));
  if (!head.endsWith(';base64')) return { type: 'url', url };
  return { type: 'base64', mediaType: head.slice(0, head.indexOf(';')), data: url.slice(comma + 1) };
}
