import type { ChatCodec } from '../../../core/contracts/provider.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import type { Usage } from '../../../core/usage.ts';
import { topLevelValue } from './body-edits.ts';

const USAGE = '"usage"';
const FINISH = '"finish_reason"';
const TIER = '"service_tier"';
const BRACE = 0x7b;
const CLOSING = 0x7d;
/** Bytes at the end in which usage is looked for; what is further away is found by parsing all. */
const LONGEST_TAIL = 4096;
const LONGEST_NAME = 256;
/** Bytes at the start in which the model is looked for; further away it is found by walking over the fields. */
const LONGEST_HEAD = 512;
/** A text `model` at the top, behind fields that hold no others. In ASCII and without escapes, so that the bytes are the text. */
const MODEL_NEAR_START =
  /^\s*\{(?:\s*"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[\w.+-]+)\s*,)*?\s*"model"\s*:\s*"([\x20\x21\x23-\x5b\x5d-\x7e]{0,256})"/;

/** Where the formats put what was said. */
const ANSWERS: Readonly<Record<string, string>> = {
  'openai-chat': 'choices',
  'anthropic-messages': 'content',
  'openai-responses': 'output',
};

/** What a whole answer says of itself. `body` only where it had to be parsed as a whole. */
export interface Scanned {
  readonly body?: JsonObject;
  readonly usage?: Usage;
  readonly model?: string;
}

/**
 * Finds usage and model in the bytes of an answer: parsing the few that hold them costs a quarter of parsing all. Throws GatewayError for what is
 * no answer: what the vendor says went wrong, where it says so with the status of success.
 */
export function scanReply(codec: ChatCodec, bytes: Buffer): Scanned {
  checkWhole(bytes);
  const isChat = codec.format === 'openai-chat';
  // A character for each byte: places in it are those in the bytes, and each search costs a third of one in a Buffer.
  const text = bytes.toString('latin1');
  // From the end, where it stands nearly always.
  const end = !isChat || text.lastIndexOf(FINISH) >= 0 ? fieldsAtEnd(bytes, text) : undefined;
  if (end !== undefined) {
    const model = modelOf(bytes, text);
    const said: Record<string, unknown> = { usage: end['usage'] };
    if (model !== undefined) said['model'] = model;
    const tier = isChat ? (end['service_tier'] ?? tierOf(text)) : undefined;
    if (tier !== undefined) said['service_tier'] = tier;
    return codec.readUsage(said);
  }
  const body = parseAnswer(bytes);
  const said = body[ANSWERS[codec.format] ?? ''];
  const isAnswer = Array.isArray(said) && !(isChat && said.length === 0);
  // Throws what it says. No seal is kept, so that the family does not matter.
  if (!isAnswer || body['error']) codec.readReply(body, '');
  return { body, ...codec.readUsage(body) };
}

/** OpenAI says it beside the usage, and it has a price of its own. Inside a text its quotes would be escaped. */
function tierOf(text: string): string | undefined {
  const at = text.lastIndexOf(TIER);
  return at < 0 ? undefined : /^"service_tier"\s*:\s*"(\w+)"/.exec(text.slice(at, at + 64))?.[1];
}

/** Looks at both ends of what should be a JSON object. Throws GatewayError `upstream_failed`. */
export function checkWhole(bytes: Buffer): void {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] as number) <= 0x20) end--;
  let start = 0;
  while (start < end && (bytes[start] as number) <= 0x20) start++;
  if (bytes[start] !== BRACE || bytes[end - 1] !== CLOSING) throw notJson();
}

function notJson(): GatewayError {
  return new GatewayError('upstream_failed', 'The provider answered with something that is not JSON.');
}

/** Throws GatewayError `upstream_failed`. */
export function parseAnswer(bytes: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw notJson();
}

/**
 * The top-level field `usage` with those behind it, where it stands near the end, as vendors write it: what follows its name up to the end is then
 * an object's inside, and parses as one. Where it does not, the name stood somewhere else.
 */
function fieldsAtEnd(bytes: Buffer, text: string): JsonObject | undefined {
  const at = text.lastIndexOf(USAGE);
  if (at < 0 || bytes.length - at > LONGEST_TAIL) return undefined;
  try {
    const fields = JSON.parse(`{${bytes.toString('utf8', at)}`) as JsonObject;
    return isObject(fields['usage']) ? fields : undefined;
  } catch {
    return undefined;
  }
}

function modelOf(bytes: Buffer, text: string): string | undefined {
  return MODEL_NEAR_START.exec(text.slice(0, LONGEST_HEAD))?.[1] ?? topLevelText(bytes, 'model');
}

/** Nearly always among the first fields. */
function topLevelText(bytes: Buffer, key: string): string | undefined {
  try {
    const { start, end } = topLevelValue(bytes, key) ?? { start: 0, end: 0 };
    if (end - start > LONGEST_NAME) return undefined;
    const value: unknown = JSON.parse(bytes.toString('utf8', start, end));
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
