import { GatewayError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const ESCAPE = Buffer.from('\\u00');

/** Fields that decide what a call is, and what policies look at. */
const DECIDING = new Set(['model', 'messages', 'input', 'system', 'stream', 'max_tokens', 'tools']);
const LONGEST_DECIDING = 10;
/** Of those: fields that two readers must not read differently. */
const ONCE = ['model', 'messages', 'input', 'system'] as const;
/** V8 finds texts of up to six characters at once, and makes a table first for longer ones. */
const MARK_LENGTH = 6;
const NAMES = new Map<string, { readonly name: string; readonly mark: string }>(
  ONCE.map((key) => [key, { name: `"${key}"`, mark: `"${key}"`.slice(0, MARK_LENGTH) }]),
);

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
  return replaceSpan(json, onlyValue(json, key), value);
}

/** The same where `isPlain`, for a key that must stand once. */
export function replaceSoleValue(json: Buffer, key: string, value: string): Buffer {
  const name = `"${key}"`;
  const start = skipSpace(json, json.indexOf(COLON, json.indexOf(name) + name.length) + 1);
  return replaceSpan(json, { start, end: endOfValue(json, start) }, value);
}

function replaceSpan(json: Buffer, { start, end }: Span, value: string): Buffer {
  return Buffer.concat([json.subarray(0, start), Buffer.from(value), json.subarray(end)]);
}

/** Puts a field before all others. The object must not have it. */
export function insertField(json: Buffer, key: string, value: string): Buffer {
  const open = json.indexOf('{') + 1;
  const isEmpty = json[skipSpace(json, open)] === 0x7d;
  const field = `${JSON.stringify(key)}:${value}${isEmpty ? '' : ','}`;
  return Buffer.concat([json.subarray(0, open), Buffer.from(field), json.subarray(open)]);
}

/**
 * Throws GatewayError `bad_request` for a body that another reader would read as another request: some take keys without regard to case (Go's
 * does), and of two the last. `body` is what `json` says. Costs a search for each name that the body has.
 */
export function checkKeys(json: Buffer, body: JsonObject): void {
  for (const key of Object.keys(body)) {
    if (key.length > LONGEST_DECIDING || DECIDING.has(key)) continue;
    const meant = folded(key);
    if (DECIDING.has(meant)) throw new GatewayError('bad_request', `The field "${key}" is "${meant}" but for its case.`);
  }
  const escapes = mayEscape(json);
  for (const key of ONCE) if (Object.hasOwn(body, key) && (escapes || standsTwice(json, key))) onlyValue(json, key);
}

/**
 * True when `checkKeys` has nothing to say, by a look at the text of a body that costs less: each name stands once, wherever that is, and nothing is
 * written as an escape. False says nothing.
 */
export function isPlain(text: string, body: JsonObject): boolean {
  if (text.includes('\\u00')) return false;
  for (const key of Object.keys(body)) {
    if (key.length > LONGEST_DECIDING) continue;
    const once = NAMES.get(key);
    if (once !== undefined) {
      if (standsAgain(text, once)) return false;
    } else if (!DECIDING.has(key) && DECIDING.has(folded(key))) return false;
  }
  return true;
}

function standsAgain(text: string, { name, mark }: { readonly name: string; readonly mark: string }): boolean {
  let count = 0;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) if (text.startsWith(name, at) && ++count > 1) return true;
  return false;
}

/** As other readers may take it. They fold to upper case first, for the long s and the sign of kelvin. */
function folded(key: string): string {
  return key.toUpperCase().toLowerCase();
}

/** Anywhere: cheap, and rarely true. */
function standsTwice(json: Buffer, key: string): boolean {
  const name = `"${key}"`;
  const first = json.indexOf(name);
  return first >= 0 && json.includes(name, first + name.length);
}

/** A letter from a to z is written as an escape, which no serializer does. */
function mayEscape(json: Buffer): boolean {
  for (let at = json.indexOf(ESCAPE); at >= 0; at = json.indexOf(ESCAPE, at + ESCAPE.length)) {
    const digit = json[at + ESCAPE.length];
    if (digit === 0x36 || digit === 0x37) return true;
  }
  return false;
}

function onlyValue(json: Buffer, key: string): Span {
  const spans = topLevelValues(json, key);
  const [only] = spans;
  if (only === undefined || spans.length > 1) throw new GatewayError('bad_request', `The field "${key}" stands twice in the request body.`);
  return only;
}

/** The first value that a key has at the top. Bytes that are no JSON may give any or none, or throw SyntaxError. */
export function topLevelValue(json: Buffer, key: string): Span | undefined {
  return topLevelValues(json, key, 1)[0];
}

/** The places of the first values that a key has at the top. */
function topLevelValues(json: Buffer, key: string, most = 2): Span[] {
  const found: Span[] = [];
  let at = json.indexOf('{') + 1;
  for (;;) {
    const open = json.indexOf(QUOTE, at);
    if (open < 0) return found;
    const close = endOfString(json, open);
    if (close === 0) return found;
    const name: unknown = JSON.parse(json.toString('utf8', open, close));
    const start = skipSpace(json, json.indexOf(COLON, close) + 1);
    const end = endOfValue(json, start);
    if (name === key && found.push({ start, end }) === most) return found;
    at = end;
  }
}

/** After the closing quote; 0 without one. */
function endOfString(json: Buffer, open: number): number {
  let at = open + 1;
  for (;;) {
    const quote = json.indexOf(QUOTE, at);
    if (quote < 0) return 0;
    let slashes = 0;
    while (json[quote - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote + 1;
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
      if (at < 0) return json.length;
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
