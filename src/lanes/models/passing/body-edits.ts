import { GatewayError } from '../../../core/errors.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** A range of bytes. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Puts another text in the place of the value of a top-level key, and leaves every other byte. `json` is the bytes of a JSON object that has
 * the key. Throws GatewayError `bad_request` when it has it twice: two readers would see two requests.
 */
export function replaceValue(json: Buffer, key: string, value: string): Buffer {
  const { start, end } = onlyValue(json, key);
  return Buffer.concat([json.subarray(0, start), Buffer.from(value), json.subarray(end)]);
}

/** Puts a field before all others. The object must not have it. */
export function insertField(json: Buffer, key: string, value: string): Buffer {
  const open = json.indexOf('{') + 1;
  const isEmpty = json[skipSpace(json, open)] === 0x7d;
  const field = `${JSON.stringify(key)}:${value}${isEmpty ? '' : ','}`;
  return Buffer.concat([json.subarray(0, open), Buffer.from(field), json.subarray(open)]);
}

/** Throws GatewayError `bad_request` when a top-level key stands twice. Costs a search for its name when it does not. */
export function checkOnce(json: Buffer, key: string): void {
  const name = `"${key}"`;
  const first = json.indexOf(name);
  const escaped = json.includes('\\u');
  if (!escaped && (first < 0 || json.indexOf(name, first + name.length) < 0)) return;
  onlyValue(json, key);
}

function onlyValue(json: Buffer, key: string): Span {
  const spans = topLevelValues(json, key);
  const [only] = spans;
  if (only === undefined || spans.length > 1) throw new GatewayError('bad_request', `The field "${key}" stands twice in the request body.`);
  return only;
}

/** The places of all values that a key has at the top. The bytes are known to be JSON. */
function topLevelValues(json: Buffer, key: string): Span[] {
  const found: Span[] = [];
  let at = json.indexOf('{') + 1;
  for (;;) {
    const open = json.indexOf(QUOTE, at);
    if (open < 0) return found;
    const close = endOfString(json, open);
    const name: unknown = JSON.parse(json.toString('utf8', open, close));
    const start = skipSpace(json, json.indexOf(COLON, close) + 1);
    const end = endOfValue(json, start);
    if (name === key) found.push({ start, end });
    at = end;
  }
}

/** After the closing quote. */
export function endOfString(json: Buffer, open: number): number {
  let at = open + 1;
  for (;;) {
    const quote = json.indexOf(QUOTE, at);
    let slashes = 0;
    while (json[quote - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0 || quote < 0) return quote + 1;
    at = quote + 1;
  }
}

function skipSpace(json: Buffer, from: number): number {
  let at = from;
  while (at < json.length && (json[at] as number) <= 0x20) at++;
  return at;
}

function endOfValue(json: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < json.length; at++) {
    const byte = json[at] as number;
    if (byte === QUOTE) {
      at = endOfString(json, at) - 1;
      if (depth === 0) return at + 1;
    } else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) {
      if (depth === 0) return trimmed(json, start, at);
      if (--depth === 0) return at + 1;
    } else if (byte === 0x2c && depth === 0) return trimmed(json, start, at);
  }
  return json.length;
}

function trimmed(json: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && (json[at - 1] as number) <= 0x20) at--;
  return at;
}
