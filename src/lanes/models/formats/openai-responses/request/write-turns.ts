import type {
  CacheMark,
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
import { GatewayError } from '../../../../../core/errors.ts';
import type { JsonObject } from '../../../../../core/json.ts';

/** A request that is being written. */
export interface Writing {
  /** Of the model that will read it. */
  readonly family: string;
  readonly items: JsonObject[];
  readonly dropped: Set<string>;
}

/** A turn as items: calls, results and reasoning are items of their own, what stands between them is messages. */
export function writeTurn(turn: Turn, place: string, writing: Writing): void {
  let content: JsonObject[] = [];
  const flush = (): void => {
    if (content.length > 0) writing.items.push({ type: 'message', role: turn.role, content });
    content = [];
  };
  for (const [index, part] of turn.parts.entries()) {
    const at = `${place}.parts[${index}]`;
    if (part.type === 'call' || part.type === 'result' || part.type === 'reasoning') {
      flush();
      if (part.type === 'call') writeCall(part, at, writing);
      else if (part.type === 'result') writeResult(part, at, writing);
      else writeReasoning(part, turn.parts[index - 1], turn.parts[index + 1], at, writing);
    } else {
      const written = turn.role === 'assistant' ? writeSpoken(part, at, writing) : writeAsked(part, at, writing);
      if (written) content.push(written);
    }
  }
  flush();
}

function writeCall(part: CallPart, place: string, writing: Writing): void {
  if (part.cache) writing.dropped.add(`${place}.cache`);
  writing.items.push({
    type: 'function_call',
    call_id: part.id,
    name: part.name,
    arguments: part.arguments === '' ? '{}' : part.arguments,
  });
}

function writeResult(part: ResultPart, place: string, writing: Writing): void {
  if (part.isError === true) writing.dropped.add(`${place}.isError (this format has no field for it)`);
  const [first] = part.parts;
  const plain = part.parts.length === 1 && first?.type === 'text' && !first.cache && !part.cache ? first.text : undefined;
  const last = part.parts.length - 1;
  const content = part.parts.map((one, index) => {
    const marked = index === last && part.cache && !one.cache ? { ...one, cache: part.cache } : one;
    return writeAsked(marked, `${place}.parts[${index}]`, writing);
  });
  writing.items.push({ type: 'function_call_output', call_id: part.callId, output: plain ?? (last < 0 ? '' : content) });
}

/**
 * Reasoning goes back as what the vendor sealed, with the text beside it: the text before a sealed part is its summary. Text that nothing seals is
 * refused by vendors that keep nothing, and is left out.
 */
function writeReasoning(part: ReasoningPart, before: Part | undefined, after: Part | undefined, place: string, writing: Writing): void {
  if (part.cache) writing.dropped.add(`${place}.cache`);
  if (part.seal === undefined) {
    if (!(after && sealedAlone(after, writing.family))) writing.dropped.add(`${place} (reasoning without its seal)`);
    return;
  }
  if (part.seal.family !== writing.family) {
    writing.dropped.add('reasoning of another model family');
    return;
  }
  const summary = part.hidden === true && before?.type === 'reasoning' && before.seal === undefined ? before.text : part.text;
  writing.items.push({
    type: 'reasoning',
    summary: summary === '' ? [] : [{ type: 'summary_text', text: summary }],
    encrypted_content: part.seal.value,
  });
}

const sealedAlone = (part: Part, family: string): boolean =>
  part.type === 'reasoning' && part.hidden === true && part.seal?.family === family;

/** Content of an assistant's message; undefined when the format has no word for it. */
function writeSpoken(part: Part, place: string, writing: Writing): JsonObject | undefined {
  if (part.type === 'refusal') return { type: 'refusal', refusal: part.text };
  if (part.type === 'text') {
    if (part.cache) writing.dropped.add(`${place}.cache`);
    return { type: 'output_text', text: part.text, annotations: [] };
  }
  writing.dropped.add(`${place} (${part.type} in an answer of the model)`);
  return undefined;
}

/** Content of any other message, or of a tool's answer. */
function writeAsked(part: Part, place: string, writing: Writing): JsonObject | undefined {
  if (part.type === 'text') return writeText(part, writing);
  if (part.type === 'refusal') return { type: 'input_text', text: part.text };
  if (part.type === 'image') return { type: 'input_image', ...imageSource(part), ...writeCache(part.cache, writing) };
  if (part.type === 'document') return { type: 'input_file', ...fileSource(part), ...writeCache(part.cache, writing) };
  if (part.type === 'audio') throw new GatewayError('bad_request', 'This model is spoken to in a format that takes no audio.');
  writing.dropped.add(`${place} (${part.type} in a message)`);
  return undefined;
}

export function writeText(part: TextPart, writing: Writing): JsonObject {
  return { type: 'input_text', text: part.text, ...writeCache(part.cache, writing) };
}

/** `prompt_cache_breakpoint` of a part. The times of other vendors become the next that is not dearer. */
function writeCache(cache: CacheMark | undefined, writing: Writing): JsonObject {
  if (!cache) return {};
  if (cache.ttl === '1h') writing.dropped.add('cache (kept for 30 minutes, not for an hour)');
  const ttl = cache.ttl === undefined ? undefined : cache.ttl === '12h' ? '12h' : '30m';
  return { prompt_cache_breakpoint: { mode: 'explicit', ...(ttl && { ttl }) } };
}

const dataUrl = (source: Source & { type: 'base64' }): string => `data:${source.mediaType};base64,${source.data}`;

function imageSource({ source, detail }: ImagePart): JsonObject {
  const kept = detail === undefined ? {} : { detail };
  if (source.type === 'file') return { file_id: source.id, ...kept };
  return { image_url: source.type === 'url' ? source.url : dataUrl(source), ...kept };
}

function fileSource({ source, name }: DocumentPart): JsonObject {
  const kept = name === undefined ? {} : { filename: name };
  if (source.type === 'file') return { file_id: source.id };
  if (source.type === 'url') return { file_url: source.url };
  // The vendor wants a name beside bytes, and goes by its ending.
  return { filename: `document.${source.mediaType === 'text/plain' ? 'txt' : 'pdf'}`, ...kept, file_data: dataUrl(source) };
}
