import type { CacheMark, DocumentPart, ImagePart, Part, ReasoningPart, ResultPart, Source, TextPart } from '../../../../core/chat.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { wrong } from '../_read.ts';
import { afterSomething, cachePoint } from './cache.ts';
import { checkToolName, writeArguments, writeToolUseId } from './calls.ts';

export type Block = JsonObject;

const IMAGES: ReadonlyMap<string, string> = new Map([
  ['image/png', 'png'],
  ['image/jpeg', 'jpeg'],
  ['image/jpg', 'jpeg'],
  ['image/gif', 'gif'],
  ['image/webp', 'webp'],
]);
const DOCUMENTS: ReadonlyMap<string, string> = new Map([
  ['application/pdf', 'pdf'],
  ['text/csv', 'csv'],
  ['application/msword', 'doc'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
  ['application/vnd.ms-excel', 'xls'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
  ['text/html', 'html'],
  ['text/plain', 'txt'],
  ['text/markdown', 'md'],
]);
const LONGEST_NAME = 200;
/** What a name may get to be the only one of its kind: ` 100`. */
const SUFFIX = 4;

/** Parts as ContentBlocks of one request. What cannot go is named in `dropped`, or refused. */
export class Blocks {
  readonly #family: string;
  readonly #dropped: Set<string>;
  readonly #names = new Set<string>();

  constructor(family: string, dropped: Set<string>) {
    this.#family = family;
    this.#dropped = dropped;
  }

  system(parts: readonly TextPart[]): Block[] {
    return parts.flatMap((part) => [...textBlocks(part.text), ...this.#cachePoint(part.cache)]).filter(afterSomething);
  }

  /** Parts of one turn. `place` is its path, such as `turns[2]`. */
  content(parts: readonly Part[], place: string): Block[] {
    return parts.flatMap((part, i) => {
      const blocks = this.#block(part, `${place}.parts[${i}]`);
      return [...blocks, ...this.#cachePoint(cacheOf(part))];
    });
  }

  #block(part: Part, place: string): Block[] {
    switch (part.type) {
      case 'text':
      case 'refusal':
        return textBlocks(part.text);
      case 'image':
        return [imageBlock(part, place)];
      case 'document':
        return [this.#document(part, place)];
      case 'audio':
        return [{ audio: { format: part.format, source: { bytes: part.data } } }];
      case 'reasoning':
        return this.#reasoning(part);
      case 'call':
        checkToolName(part.name, place);
        return [{ toolUse: { toolUseId: writeToolUseId(part.id), name: part.name, input: writeArguments(part.arguments, place) } }];
      case 'result':
        return [this.#result(part, place)];
    }
  }

  #result({ callId, parts, isError }: ResultPart, place: string): Block {
    const content = parts.flatMap((part, i) => this.#block(part, `${place}.parts[${i}]`));
    return { toolResult: { toolUseId: writeToolUseId(callId), content, ...(isError === true ? { status: 'error' } : {}) } };
  }

  #reasoning({ text, seal, hidden }: ReasoningPart): Block[] {
    if (seal === undefined) {
      this.#dropped.add('reasoning without a signature');
      return [];
    }
    if (seal.family !== this.#family) {
      this.#dropped.add('reasoning of another model family');
      return [];
    }
    if (hidden === true) return [{ reasoningContent: { redactedContent: seal.value } }];
    return [{ reasoningContent: { reasoningText: { text, signature: seal.value } } }];
  }

  #document({ source, name }: DocumentPart, place: string): Block {
    const { mediaType, data } = inline(source, place);
    const format = DOCUMENTS.get(mediaType);
    if (format === undefined) throw wrong(place, `Bedrock takes no documents of type ${mediaType}.`);
    return { document: { format, name: this.#uniqueName(name ?? 'document'), source: { bytes: data } } };
  }

  /** Letters, digits, hyphens, brackets and single spaces; once in a request. */
  #uniqueName(name: string): string {
    const legal = name
      .replaceAll(/[^a-zA-Z0-9\s()[\]-]/g, '-')
      .replaceAll(/\s+/g, ' ')
      .trim();
    const base = legal.slice(0, LONGEST_NAME - SUFFIX).trim() || 'document';
    let unique = base;
    for (let count = 2; this.#names.has(unique); count += 1) unique = `${base} ${count}`;
    this.#names.add(unique);
    return unique;
  }

  #cachePoint(mark: CacheMark | undefined): Block[] {
    return mark === undefined ? [] : [cachePoint(mark, this.#dropped)];
  }
}

/** A result's own mark, or one inside it, where a cache point cannot stand. */
function cacheOf(part: Part): CacheMark | undefined {
  if (part.type === 'refusal' || part.type === 'audio') return undefined;
  return part.type === 'result' ? (part.cache ?? part.parts.findLast(({ cache }) => cache !== undefined)?.cache) : part.cache;
}

/** Bedrock refuses a blank text. */
function textBlocks(text: string): Block[] {
  return text.trim() === '' ? [] : [{ text }];
}

function imageBlock({ source }: ImagePart, place: string): Block {
  const { mediaType, data } = inline(source, place);
  const format = IMAGES.get(mediaType);
  if (format === undefined) throw wrong(place, `Bedrock takes png, jpeg, gif and webp images, not ${mediaType}.`);
  return { image: { format, source: { bytes: data } } };
}

function inline(source: Source, place: string): { readonly mediaType: string; readonly data: string } {
  if (source.type === 'base64') return { mediaType: source.mediaType.split(';', 1)[0]?.trim().toLowerCase() ?? '', data: source.data };
  throw wrong(place, source.type === 'url' ? 'Bedrock takes no links: send the data.' : 'Bedrock has no files by id: send the data.');
}
