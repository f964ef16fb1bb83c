import type {
  CallPart,
  DocumentPart,
  ImagePart,
  Part,
  ReasoningPart,
  ResultPart,
  Seal,
  Source,
  TextPart,
} from '../../../../../core/chat.ts';
import type { JsonObject } from '../../../../../core/json.ts';
import { flag, list, object, optional, text, wrong } from '../../_read.ts';
import { readSeal } from '../../_seals.ts';
import { callSeal, NATIVE } from '../block-seals.ts';
import { readCache } from './cache-marks.ts';

export interface Reading {
  /** What had no place, by the caller's names. */
  readonly unread: Set<string>;
  /** Names of the tools called so far, by the id of the call. */
  readonly calls: Map<string, string>;
}

/** `content` of a message: a text, or blocks. */
export function readContent(content: unknown, place: string, reading: Reading): Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  const parts: Part[] = [];
  let seal: Seal | undefined;
  for (const [index, value] of list(content, place).entries()) {
    const part = readBlock(object(value, `${place}[${index}]`), `${place}[${index}]`, reading);
    const ofCall = part.type === 'reasoning' && part.hidden ? callSeal(part.seal) : undefined;
    if (ofCall) {
      seal = ofCall;
    } else if (part.type === 'call' && seal) {
      parts.push({ ...part, seal });
      seal = undefined;
    } else {
      parts.push(part);
    }
  }
  return parts;
}

/** `content` that may hold text alone. */
export function readTexts(content: unknown, place: string, reading: Reading): TextPart[] {
  return readContent(content, place, reading).map((part, index) => {
    if (part.type !== 'text') throw wrong(`${place}[${index}]`, `only text stands here, not "${part.type}".`);
    return part;
  });
}

function readBlock(block: JsonObject, place: string, reading: Reading): Part {
  const type = text(block['type'], `${place}.type`);
  switch (type) {
    case 'text':
      return readText(block, place, reading);
    case 'image':
      return readImage(block, place);
    case 'document':
      return readDocument(block, place, reading);
    case 'thinking':
      return readThinking(block, place);
    case 'redacted_thinking':
      return { type: 'reasoning', text: '', seal: readSeal(text(block['data'], `${place}.data`), NATIVE), hidden: true };
    case 'tool_use':
      return readToolUse(block, place, reading);
    case 'tool_result':
      return readToolResult(block, place, reading);
    default:
      throw wrong(place, `a block of type "${type}" can go to a model of this format only, and this one speaks another.`);
  }
}

function readText(block: JsonObject, place: string, { unread }: Reading): TextPart {
  const citations = block['citations'];
  if (Array.isArray(citations) && citations.length > 0) unread.add('messages[].content[].citations');
  return { type: 'text', text: text(block['text'], `${place}.text`), ...readCache(block['cache_control'], `${place}.cache_control`) };
}

function readSource(source: JsonObject, place: string): Source {
  const type = text(source['type'], `${place}.type`);
  switch (type) {
    case 'base64':
      return {
        type: 'base64',
        mediaType: text(source['media_type'], `${place}.media_type`),
        data: text(source['data'], `${place}.data`),
      };
    case 'url':
      return { type: 'url', url: text(source['url'], `${place}.url`) };
    case 'file':
      return { type: 'file', id: text(source['file_id'], `${place}.file_id`) };
    default:
      throw wrong(`${place}.type`, `"${type}" is no source of this block.`);
  }
}

function readImage(block: JsonObject, place: string): ImagePart {
  return {
    type: 'image',
    source: readSource(object(block['source'], `${place}.source`), `${place}.source`),
    ...readCache(block['cache_control'], `${place}.cache_control`),
  };
}

function readDocument(block: JsonObject, place: string, reading: Reading): DocumentPart {
  const source = object(block['source'], `${place}.source`);
  const name = optional(block['title'], `${place}.title`, text);
  if (optional(block['citations'], `${place}.citations`, object)?.['enabled'] === true)
    reading.unread.add('messages[].content[].citations');
  if (optional(block['context'], `${place}.context`, text)) reading.unread.add('messages[].content[].context');
  return {
    type: 'document',
    source: documentSource(source, `${place}.source`, reading),
    ...(name !== undefined && { name }),
    ...readCache(block['cache_control'], `${place}.cache_control`),
  };
}

function documentSource(source: JsonObject, place: string, reading: Reading): Source {
  if (source['type'] === 'text') return plain(text(source['data'], `${place}.data`));
  if (source['type'] !== 'content') return readSource(source, place);
  const texts = readTexts(source['content'], `${place}.content`, reading);
  return plain(texts.map((part) => part.text).join('\n'));
}

function plain(data: string): Source {
  return { type: 'base64', mediaType: 'text/plain', data: Buffer.from(data, 'utf8').toString('base64') };
}

function readThinking(block: JsonObject, place: string): ReasoningPart {
  const signature = optional(block['signature'], `${place}.signature`, text);
  return {
    type: 'reasoning',
    text: text(block['thinking'], `${place}.thinking`),
    ...(signature && { seal: readSeal(signature, NATIVE) }),
  };
}

function readToolUse(block: JsonObject, place: string, { calls }: Reading): CallPart {
  const name = text(block['name'], `${place}.name`);
  const id = text(block['id'], `${place}.id`);
  if (optional(block['toolset_name'], `${place}.toolset_name`, text) !== undefined) {
    throw wrong(place, `"${name}" belongs to a toolset of Anthropic, and the model of this call does not have it.`);
  }
  calls.set(id, name);
  return {
    type: 'call',
    id,
    name,
    arguments: JSON.stringify(object(block['input'], `${place}.input`)),
    ...readCache(block['cache_control'], `${place}.cache_control`),
  };
}

function readToolResult(block: JsonObject, place: string, reading: Reading): ResultPart {
  const callId = text(block['tool_use_id'], `${place}.tool_use_id`);
  const name = reading.calls.get(callId);
  const content = block['content'] ?? [];
  const parts = readContent(content, `${place}.content`, reading).map((part, index) => {
    if (part.type === 'text' || part.type === 'image' || part.type === 'document') return part;
    throw wrong(`${place}.content[${index}]`, `"${part.type}" is no part of a tool's answer.`);
  });
  return {
    type: 'result',
    callId,
    ...(name !== undefined && { name }),
    parts,
    ...(optional(block['is_error'], `${place}.is_error`, flag) === true && { isError: true }),
    ...readCache(block['cache_control'], `${place}.cache_control`),
  };
}
