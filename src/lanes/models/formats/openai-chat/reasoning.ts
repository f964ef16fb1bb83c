import type { Part, ReasoningPart, Seal } from '../../../../core/chat.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { maybe } from '../_read.ts';
import { readSeal, writeSeal } from '../_seals.ts';
import { given } from '../_given.ts';

/** OpenRouter's names for who can read a seal: https://openrouter.ai/docs/use-cases/reasoning-tokens. */
const FAMILIES = new Map([
  ['anthropic-claude-v1', 'anthropic'],
  ['openai-responses-v1', 'openai'],
  ['azure-openai-responses-v1', 'openai'],
  ['google-gemini-v1', 'gemini'],
  ['xai-responses-v1', 'xai'],
]);
const FORMATS = new Map([...FAMILIES].filter(([format]) => !format.startsWith('azure')).map(([format, family]) => [family, format]));

/** The name of a family in `reasoning_details` sent to OpenRouter. */
export function vendorFormat(family: string): string {
  return FORMATS.get(family) ?? 'unknown';
}

/** One entry of `reasoning_details`. */
interface ReasoningDetail {
  readonly text: string;
  readonly seal?: Seal;
  readonly hidden?: boolean;
  /** The id of the tool call that the seal belongs to, as OpenRouter has it for Gemini. */
  readonly id?: string;
}

/** The plain text of reasoning in a message or a delta: `reasoning_content`, in newer servers `reasoning`. */
export function plainReasoning(message: JsonObject): string {
  return maybe.text(message['reasoning_content']) || maybe.text(message['reasoning']) || '';
}

/** `family` is taken where the entry does not name one. */
export function readDetails(message: JsonObject, family: string): ReasoningDetail[] {
  return maybe
    .list(message['reasoning_details'])
    .filter(isObject)
    .map((entry) => {
      const format = maybe.text(entry['format']) ?? 'unknown';
      const owner = FAMILIES.get(format) ?? (format === 'unknown' ? family : format);
      const signature = maybe.text(entry['signature']) || undefined;
      const data = maybe.text(entry['data']) || undefined;
      if (data !== undefined) return given({ text: '', seal: { family: owner, value: data }, hidden: true, id: maybe.text(entry['id']) });
      const seal = signature === undefined ? undefined : { family: owner, value: signature };
      return given({ text: maybe.text(entry['text']) ?? maybe.text(entry['summary']) ?? '', seal });
    });
}

/** The reasoning of a whole message. Seals that name one of the `calls` are left to them. */
export function readReasoning(message: JsonObject, family: string, calls: ReadonlySet<string>): ReasoningPart[] {
  const details = readDetails(message, family).filter(({ id }) => id === undefined || !calls.has(id));
  const plain = plainReasoning(message);
  const parts: ReasoningPart[] = [];
  // A vendor that sends both says the same twice. Entries without a text sign the plain one.
  if (plain !== '' && !details.some(({ text }) => text !== '')) {
    const at = details.findIndex(({ seal, hidden }) => seal !== undefined && hidden !== true);
    const [signature] = at < 0 ? [] : details.splice(at, 1);
    parts.push(given({ type: 'reasoning', text: plain, seal: signature?.seal }));
  }
  for (const { text, seal, hidden } of details) {
    if (text !== '' || seal !== undefined) parts.push(given({ type: 'reasoning', text, seal, hidden }));
  }
  return parts;
}

/** The seals of tool calls in `reasoning_details`, by the id of the call. */
export function callSeals(message: JsonObject, family: string): Map<string, Seal> {
  const seals = new Map<string, Seal>();
  for (const { id, seal } of readDetails(message, family)) if (id !== undefined && seal !== undefined) seals.set(id, seal);
  return seals;
}

/** `format` names a family on the wire. */
export function writeDetail(part: Omit<ReasoningPart, 'type'>, index: number, format: (family: string) => string): JsonObject {
  const { text, seal, hidden } = part;
  if (seal !== undefined && hidden === true) {
    return { type: 'reasoning.encrypted', data: seal.value, format: format(seal.family), index };
  }
  const signed = seal === undefined ? {} : { signature: seal.value, format: format(seal.family) };
  return { type: 'reasoning.text', ...(text !== '' && { text }), ...signed, index };
}

/** The fields of an assistant's message that carry its reasoning; details only when there is a seal to carry. */
export function writeReasoning(parts: readonly Part[], format: (family: string) => string): JsonObject {
  const reasoning = parts.filter((part) => part.type === 'reasoning');
  const plain = reasoning.map(({ text }) => text).join('');
  const sealed = reasoning.some(({ seal }) => seal !== undefined);
  return {
    ...(plain !== '' && { reasoning_content: plain }),
    ...(sealed && { reasoning_details: reasoning.map((part, at) => writeDetail(part, at, format)) }),
  };
}

/** The seal of a tool call where Gemini's own OpenAI surface has it. */
export function readCallSeal(call: JsonObject): Seal | undefined {
  const google = maybe.object(maybe.object(call['extra_content'])['google']);
  const value = maybe.text(google['thought_signature']) || undefined;
  return value === undefined ? undefined : readSeal(value, 'gemini');
}

export function writeCallSeal(seal: Seal | undefined): JsonObject {
  return seal === undefined ? {} : { extra_content: { google: { thought_signature: writeSeal(seal, 'gemini') } } };
}
