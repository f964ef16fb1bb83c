import type { ChatCodec } from '../../../core/contracts/provider.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import type { Usage } from '../../../core/usage.ts';
import { endOfString } from './body-edits.ts';

const USAGE = Buffer.from('"usage"');
const MODEL = Buffer.from('"model"');
const FINISH = Buffer.from('"finish_reason"');
const BRACE = 0x7b;
const CLOSING = 0x7d;
const QUOTE = 0x22;
/** Bytes at the end in which usage is looked for; what is further away is found by parsing all. */
const LONGEST_TAIL = 4096;
const LONGEST_NAME = 256;

/** What a whole answer says of itself. `body` only where it had to be parsed as a whole. Throws GatewayError for what is no answer. */
export interface Scanned {
  readonly body?: JsonObject;
  readonly usage?: Usage;
  readonly model?: string;
}

/** Finds usage and model in the bytes of an answer: parsing the few that hold them costs a quarter of parsing all. */
export function scanReply(codec: ChatCodec, bytes: Buffer): Scanned {
  checkWhole(bytes);
  const isChat = codec.format === 'openai-chat';
  const usage = !isChat || bytes.includes(FINISH) ? fieldAtEnd(bytes) : undefined;
  if (usage !== undefined) {
    const model = textAfter(bytes, MODEL);
    return codec.readUsage(model === undefined ? { usage } : { usage, model });
  }
  const body = parseAnswer(bytes);
  // Some vendors send an error with the status of success.
  if (isChat && !(Array.isArray(body['choices']) && body['choices'].length > 0))
    throw new GatewayError('upstream_failed', 'The provider answered without a choice.');
  return { body, ...codec.readUsage(body) };
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
 * The top-level field `usage` where it stands near the end, as vendors write it: what follows its name up to the end is then an object's inside,
 * and parses as one. Where it does not, the name stood somewhere else.
 */
function fieldAtEnd(bytes: Buffer): JsonObject | undefined {
  const at = bytes.lastIndexOf(USAGE);
  if (at < 0 || bytes.length - at > LONGEST_TAIL) return undefined;
  try {
    const { usage } = JSON.parse(`{${bytes.toString('utf8', at)}`) as JsonObject;
    return isObject(usage) ? usage : undefined;
  } catch {
    return undefined;
  }
}

/** The text that follows the first such name. */
function textAfter(bytes: Buffer, name: Buffer): string | undefined {
  const start = valueStart(bytes, bytes.indexOf(name), name);
  if (start === undefined || bytes[start] !== QUOTE) return undefined;
  const end = endOfString(bytes, start);
  if (end > bytes.length || end - start > LONGEST_NAME) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as string;
  } catch {
    return undefined;
  }
}

function valueStart(bytes: Buffer, at: number, name: Buffer): number | undefined {
  if (at < 0) return undefined;
  let start = at + name.length;
  while (bytes[start] === 0x3a || (bytes[start] as number) <= 0x20) start++;
  return start;
}
