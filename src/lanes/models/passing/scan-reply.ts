import type { ChatCodec } from '../../../core/contracts/provider.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import type { Usage } from '../../../core/usage.ts';

const USAGE = Buffer.from('"usage"');
const MODEL = Buffer.from('"model"');
const NO_CHOICES = /"choices"\s*:\s*\[\s*\]/;
const BRACE = 0x7b;
const CLOSING = 0x7d;
const QUOTE = 0x22;
/** Bytes of the values that are looked for; what is longer is parsed as a whole. */
const LONGEST_USAGE = 4096;
const LONGEST_NAME = 256;
/** An answer without choices is no longer than its frame. */
const SHORT = 2048;

/** What a whole answer says of itself. `body` only where it had to be parsed as a whole. Throws GatewayError for what is no answer. */
export interface Scanned {
  readonly body?: JsonObject;
  readonly usage?: Usage;
  readonly model?: string;
}

/** Finds usage and model in the bytes of an answer: parsing the few that hold them costs a quarter of parsing all. */
export function scanReply(codec: ChatCodec, bytes: Buffer): Scanned {
  if (!looksWhole(bytes)) throw new GatewayError('upstream_failed', 'The provider answered with something that is not JSON.');
  if (codec.format === 'openai-chat' && bytes.length < SHORT && NO_CHOICES.test(bytes.toString('latin1')))
    throw new GatewayError('upstream_failed', 'The provider answered without a choice.');
  const usage = objectAfter(bytes, USAGE);
  const model = textAfter(bytes, MODEL);
  if (usage !== undefined) return codec.readUsage({ usage, ...(model === undefined ? {} : { model }) });
  const body = parseAnswer(bytes);
  return { body, ...codec.readUsage(body) };
}

function looksWhole(bytes: Buffer): boolean {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] as number) <= 0x20) end--;
  let start = 0;
  while (start < end && (bytes[start] as number) <= 0x20) start++;
  return bytes[start] === BRACE && bytes[end - 1] === CLOSING;
}

/** Throws GatewayError `upstream_failed`. */
export function parseAnswer(bytes: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new GatewayError('upstream_failed', 'The provider answered with something that is not JSON.');
}

/** The object that follows the last such name: usage stands at the end, and a text before it may hold the name too. */
function objectAfter(bytes: Buffer, name: Buffer): JsonObject | undefined {
  const start = valueStart(bytes, bytes.lastIndexOf(name), name);
  if (start === undefined || bytes[start] !== BRACE) return undefined;
  let depth = 0;
  for (let at = start; at < bytes.length && at - start < LONGEST_USAGE; at++) {
    if (bytes[at] === BRACE) depth++;
    else if (bytes[at] === CLOSING && --depth === 0) {
      try {
        return JSON.parse(bytes.toString('utf8', start, at + 1)) as JsonObject;
      } catch {
        return undefined;
      }
    }
  }
  return undefined;
}

/** The text that follows the first such name. */
function textAfter(bytes: Buffer, name: Buffer): string | undefined {
  const start = valueStart(bytes, bytes.indexOf(name), name);
  if (start === undefined || bytes[start] !== QUOTE) return undefined;
  const end = bytes.indexOf(QUOTE, start + 1);
  return end < 0 || end - start > LONGEST_NAME ? undefined : bytes.toString('utf8', start + 1, end);
}

function valueStart(bytes: Buffer, at: number, name: Buffer): number | undefined {
  if (at < 0) return undefined;
  let start = at + name.length;
  while (bytes[start] === 0x3a || (bytes[start] as number) <= 0x20) start++;
  return start;
}
