import { createHash } from 'node:crypto';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { wrong } from '../_read.ts';

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const TOOL_USE_ID = /^[a-zA-Z0-9_.:-]{1,64}$/;
const LONGEST_ID = 64;
const HASH_LENGTH = 16;

/** Throws GatewayError `bad_request` for a name that Bedrock refuses. */
export function checkToolName(name: string, place: string): void {
  if (!TOOL_NAME.test(name))
    throw wrong(place, `Bedrock takes tool names of 1 to 64 letters, digits, "_" and "-"; "${name.slice(0, 80)}" is none.`);
}

/** An id that Bedrock takes: the same for the same id, so that call and result still match. */
export function writeToolUseId(id: string): string {
  if (TOOL_USE_ID.test(id)) return id;
  const hash = createHash('sha256').update(id).digest('hex').slice(0, HASH_LENGTH);
  return `${id.replaceAll(/[^a-zA-Z0-9_.:-]/g, '_').slice(0, LONGEST_ID - HASH_LENGTH - 1)}_${hash}`;
}

/** An object from the JSON text of a call's arguments. Throws GatewayError `bad_request` that names the place. */
export function writeArguments(text: string, place: string): JsonObject {
  let value: unknown = {};
  try {
    if (text.trim() !== '') value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!isObject(value)) throw wrong(place, 'the arguments of a call must be a JSON object.');
  return value;
}
