import { given } from '../_given.ts';
import type { AudioPart, CacheMark, DocumentPart, ImagePart, RefusalPart, Source, TextPart } from '../../../../core/chat.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { list, object, optional, text, wrong } from '../_read.ts';

/** A part of the content of a message, in both directions: https://platform.openai.com/docs/api-reference/chat/create. */
export type ContentPart = TextPart | ImagePart | DocumentPart | AudioPart | RefusalPart;

/** The content of a message: a text or a list of parts; absent and null are none. */
export function readContent(value: unknown, place: string): ContentPart[] {
  if (typeof value === 'string') return value === '' ? [] : [{ type: 'text', text: value }];
  const parts = optional(value, place, list) ?? [];
  return parts.map((part, at) => readPart(object(part, `${place}[${at}]`), `${place}[${at}]`));
}

function readPart(part: JsonObject, place: string): ContentPart {
  const cache = readCache(part);
  switch (part['type']) {
    case 'text':
      return given({ type: 'text', text: text(part['text'], `${place}.text`), cache });
    case 'refusal':
      return { type: 'refusal', text: text(part['refusal'], `${place}.refusal`) };
    case 'image_url':
      return given({ type: 'image', ...readImage(part['image_url'], `${place}.image_url`), cache });
    case 'input_audio': {
      const audio = object(part['input_audio'], `${place}.input_audio`);
      return {
        type: 'audio',
        data: text(audio['data'], `${place}.input_audio.data`),
        format: text(audio['format'], `${place}.input_audio.format`),
      };
    }
    case 'file':
      return given({ type: 'document', ...readFile(object(part['file'], `${place}.file`), `${place}.file`), cache });
    default:
      throw wrong(`${place}.type`, 'must be text, image_url, input_audio, file or refusal.');
  }
}

function readImage(value: unknown, place: string): Pick<ImagePart, 'source' | 'detail'> {
  const image = typeof value === 'string' ? { url: value } : object(value, place);
  const url = text(image['url'], `${place}.url`);
  if (!url.startsWith('data:') && !/^https?:/i.test(url)) throw wrong(`${place}.url`, 'must be an http, https or data URL.');
  const source: Source = url.startsWith('data:') ? readDataUrl(url, `${place}.url`) : { type: 'url', url };
  return given({ source, detail: optional('detail' in image ? image['detail'] : undefined, `${place}.detail`, text) });
}

/** `file_data` is a data URL; some clients send the bare base64 of a PDF. */
function readFile(file: JsonObject, place: string): Pick<DocumentPart, 'source' | 'name'> {
  const name = optional(file['filename'], `${place}.filename`, text);
  const id = optional(file['file_id'], `${place}.file_id`, text);
  if (id !== undefined) return given({ source: { type: 'file' as const, id }, name });
  const data = optional(file['file_data'], `${place}.file_data`, text);
  if (data === undefined) throw wrong(place, 'must have file_data or file_id.');
  const source: Source = data.startsWith('data:')
    ? readDataUrl(data, `${place}.file_data`)
    : { type: 'base64', mediaType: 'application/pdf', data };
  return given({ source, name });
}

function readDataUrl(url: string, place: string): Source {
  const comma = url.indexOf(',');
  const [mediaType = '', ...flags] = url.slice('data:'.length, Math.max(comma, 0)).split(';');
  if (mediaType === '' || !flags.includes('base64')) throw wrong(place, 'must look like data:image/png;base64,DATA.');
  return { type: 'base64', mediaType: mediaType.toLowerCase(), data: url.slice(comma + 1) };
}

const CACHE_TIMES = ['5m', '30m', '1h', '12h'] as const;

/** OpenAI's `prompt_cache_breakpoint`, or `cache_control` as OpenRouter has it. */
export function readCache(part: JsonObject): CacheMark | undefined {
  const mark = part['prompt_cache_breakpoint'] ?? part['cache_control'];
  if (!isObject(mark)) return undefined;
  const ttl = CACHE_TIMES.find((time) => time === mark['ttl']);
  return ttl === undefined ? {} : { ttl };
}

/** How a vendor marks the end of a cached prompt, if it does. */
export type CacheStyle = 'prompt_cache_breakpoint' | 'cache_control';

/** The fields of a part that mark it. `lost` hears what the vendor cannot hold. */
export function writeCache(mark: CacheMark | undefined, style: CacheStyle | undefined, lost: (what: string) => void): JsonObject {
  if (mark === undefined) return {};
  if (style === undefined) {
    lost('cache (this provider takes no marks)');
    return {};
  }
  if (style === 'cache_control') {
    if (mark.ttl === '12h') lost('cache.ttl (12h becomes 1h)');
    const ttl = mark.ttl === '30m' || mark.ttl === '12h' ? '1h' : mark.ttl;
    return { cache_control: given({ type: 'ephemeral', ttl }) };
  }
  if (mark.ttl === '1h') lost('cache.ttl (1h becomes 30m)');
  const ttl = mark.ttl === '5m' || mark.ttl === '1h' ? '30m' : mark.ttl;
  return { prompt_cache_breakpoint: given({ mode: 'explicit', ttl }) };
}

/** `place` names the part in the error for what the format cannot hold. */
export function writePart(part: ContentPart, place: string): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'refusal':
      return { type: 'refusal', refusal: part.text };
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
    case 'image':
      if (part.source.type === 'file')
        throw wrong(place, 'this target takes no image that another provider keeps; send its data or a link.');
      return { type: 'image_url', image_url: given({ url: urlOf(part.source), detail: part.detail }) };
    case 'document':
      return { type: 'file', file: writeFile(part, place) };
  }
}

function writeFile({ source, name }: DocumentPart, place: string): JsonObject {
  if (source.type === 'file') return given({ file_id: source.id, filename: name });
  if (source.type === 'url') throw wrong(place, 'this target takes no link to a document; send its data.');
  return { filename: name ?? FILE_NAMES[source.mediaType] ?? 'document', file_data: urlOf(source) };
}

/** OpenAI wants a name beside the data. */
const FILE_NAMES: Partial<Record<string, string>> = { 'application/pdf': 'document.pdf', 'text/plain': 'document.txt' };

function urlOf(source: Exclude<Source, { type: 'file' }>): string {
  return source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
}
