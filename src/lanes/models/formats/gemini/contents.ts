import type { CallPart, ChatRequest, Part, ReasoningPart, ResultPart, Source, TextPart, Turn } from '../../../../core/chat.ts';
import type { WriteOptions } from '../../../../core/contracts/provider.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { wrong } from '../_read.ts';
import { given } from '../_given.ts';
import { isGemini3 } from './thinking.ts';

type Wire = Record<string, unknown>;

interface Content {
  readonly role: 'user' | 'model';
  parts: Wire[];
}

/** Gemini 3 refuses a conversation whose calls carry no signature; Google's own word for history that another model made. */
const NO_SIGNATURE = 'skip_thought_signature_validator';
/** Links that Google reads itself: Cloud Storage, and files that were uploaded to the Gemini API. */
const OWN_LINK = /^(?:gs:\/\/|https:\/\/generativelanguage\.googleapis\.com\/(?:v1(?:beta)?\/)?files\/)/;

/** Files that Google keeps: these it reads by their links. */
export function isOwnLink(url: string): boolean {
  return OWN_LINK.test(url);
}

/** `contents`. Throws GatewayError `bad_request` for what has no counterpart; what is lost goes into `dropped`. */
export function writeContents({ turns }: ChatRequest, { model, family }: WriteOptions, dropped: Set<string>): JsonObject[] {
  const writer = new PartWriter(family, dropped);
  const contents: Content[] = [];
  let system: TextPart[] = [];
  const add = (role: Content['role'], parts: Wire[]): void => {
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length > 0) contents.push({ role, parts });
  };
  turns.forEach((turn, index) => {
    if (turn.role === 'system') {
      system.push(...turn.parts.filter((part) => part.type === 'text'));
      return;
    }
    const written = writer.write(turn, `turns[${index}]`);
    if (turn.role === 'assistant') return add('model', written);
    // Gemini knows the system only before all turns: what stands between them is said by the next user turn.
    add('user', [...writeTexts(system), ...written]);
    system = [];
  });
  add('user', writeTexts(system));
  for (const content of contents) {
    if (content.role === 'user') content.parts = resultsFirst(content.parts);
    else if (isGemini3(model)) signFirstCall(content.parts);
  }
  return contents.map(({ role, parts }) => ({ role, parts }));
}

/** An empty text is refused. */
export function writeTexts(parts: readonly TextPart[]): Wire[] {
  return parts.filter(({ text }) => text !== '').map(({ text }) => ({ text }));
}

/** The answers must come directly after their calls. */
function resultsFirst(parts: readonly Wire[]): Wire[] {
  const isResult = (part: Wire): boolean => 'functionResponse' in part;
  return [...parts.filter(isResult), ...parts.filter((part) => !isResult(part))];
}

/** Of calls that were made together only the first has a signature. */
function signFirstCall(parts: readonly Wire[]): void {
  const call = parts.find((part) => 'functionCall' in part);
  if (call !== undefined) call['thoughtSignature'] ??= NO_SIGNATURE;
}

class PartWriter {
  readonly #family: string;
  readonly #dropped: Set<string>;
  /** An answer has to name its tool: ids of the calls so far, and the names they were made under. */
  readonly #names = new Map<string, string>();

  constructor(family: string, dropped: Set<string>) {
    this.#family = family;
    this.#dropped = dropped;
  }

  write({ parts }: Turn, place: string): Wire[] {
    const written: Wire[] = [];
    /** The signature of a text that comes next. */
    let signature: string | undefined;
    parts.forEach((part, index) => {
      if (part.type !== 'reasoning') {
        written.push(...this.#writePart(part, `${place}.parts[${index}]`, signature));
        signature = undefined;
        return;
      }
      const thought = this.#writeThought(part);
      if (thought === undefined) return;
      const last = written.at(-1);
      const next = parts[index + 1];
      // A signature that stands alone belongs to the text beside it, where Gemini had put it.
      if ('thought' in thought) written.push(thought);
      else if (last !== undefined && isPlainText(last)) last['thoughtSignature'] = thought['thoughtSignature'];
      else if (next?.type === 'text' && next.text !== '') signature = part.seal?.value;
      else written.push({ text: '', ...thought });
    });
    return written;
  }

  #writeThought({ text, seal, hidden }: ReasoningPart): Wire | undefined {
    if (seal !== undefined && seal.family !== this.#family) {
      this.#dropped.add('reasoning of another model family');
      return undefined;
    }
    const signed = seal === undefined ? {} : { thoughtSignature: seal.value };
    if (text !== '' && hidden !== true) return { text, thought: true, ...signed };
    return seal === undefined ? undefined : signed;
  }

  #writePart(part: Exclude<Part, ReasoningPart>, place: string, thoughtSignature: string | undefined): Wire[] {
    switch (part.type) {
      case 'text':
      case 'refusal':
        return part.text === '' ? [] : [given<Wire>({ text: part.text, thoughtSignature })];
      case 'image':
        if (part.detail !== undefined && part.detail !== 'auto') this.#dropped.add(`${place}.detail`);
        return [writeMedia(part.source, place)];
      case 'document':
        if (part.name !== undefined) this.#dropped.add(`${place}.name`);
        return [writeMedia(part.source, place)];
      case 'audio':
        return [{ inlineData: { mimeType: `audio/${part.format}`, data: part.data } }];
      case 'call':
        return [this.#writeCall(part)];
      default:
        return this.#writeResult(part, place);
    }
  }

  #writeCall({ id, name, arguments: text, seal }: CallPart): Wire {
    this.#names.set(id, name);
    const own = seal?.family === this.#family;
    if (seal !== undefined && !own) this.#dropped.add('reasoning of another model family');
    return {
      functionCall: { ...(id !== '' && { id }), name, args: readArguments(id, text) },
      ...(own && { thoughtSignature: seal.value }),
    };
  }

  /** Media follow their answer as parts of their own: inside it only Gemini 3 takes them. */
  #writeResult({ callId, name = this.#names.get(callId), parts, isError }: ResultPart, place: string): Wire[] {
    if (name === undefined) throw wrong(place, `there is no tool call "${callId}" before this result of it.`);
    const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
    const output = texts.join('\n');
    // A text stays a text, JSON or not: Gemini 3 follows a `$ref` inside an object that it gets here, and refuses it.
    const response = isError === true ? { error: output } : { output };
    const media = parts.flatMap((part, index) =>
      part.type === 'text' ? [] : this.#writePart(part, `${place}.parts[${index}]`, undefined),
    );
    return [{ functionResponse: { ...(callId !== '' && { id: callId }), name, response } }, ...media];
  }
}

function isPlainText(part: Wire): boolean {
  return 'text' in part && !('thought' in part) && !('thoughtSignature' in part);
}

function readArguments(id: string, text: string): JsonObject {
  let value: unknown;
  try {
    value = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!isObject(value)) throw new GatewayError('bad_request', `The arguments of the tool call "${id}" are not a JSON object.`);
  return value;
}

function writeMedia(source: Source, place: string): Wire {
  if (source.type === 'base64') return { inlineData: { mimeType: source.mediaType, data: source.data } };
  const uri = source.type === 'url' ? source.url : source.id;
  if (isOwnLink(uri)) return { fileData: { fileUri: uri } };
  throw wrong(
    place,
    source.type === 'url' ? 'Gemini does not read links; send the data.' : 'the file is not one of Gemini; send the data.',
  );
}
