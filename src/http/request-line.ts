import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../core/errors.ts';

const MAX_URL = 8_192;
const MAX_HEADERS = 100;
/** Of these node keeps the first, or joins them: what one reader checks is then not what the next one reads (CVE-2026-26308). */
const SINGLE = ['host', 'origin', 'authorization', 'x-api-key', 'api-key'];
const SINGLE_LENGTHS = new Set(SINGLE.map((name) => name.length));
/** Spellings that two readers take for different paths: `//`, backslash, NUL, dot segments, and their encoded forms. */
const AMBIGUOUS = /[\\#]|\/\/|%(?:00|5c)|\/(?:\.|%2e){1,2}(?=\/|$)/i;

/** Refuses requests whose framing or address could be read in two ways. Throws GatewayError. */
export function checkRequest(req: IncomingMessage): void {
  if (req.httpVersionMajor !== 1) throw new GatewayError('http_version');
  if (req.rawHeaders.length > 2 * MAX_HEADERS) throw new GatewayError('headers_too_large');
  checkRepeated(req.rawHeaders);
  const url = req.url as string;
  if (url.length > MAX_URL) throw new GatewayError('uri_too_long');
  if (!url.startsWith('/') || /[^\x21-\x7e]/.test(url) || AMBIGUOUS.test(pathOf(url))) {
    throw new GatewayError(
      'bad_request',
      'The address must be a plain path: no "//", no backslash, no "." or ".." segments, no scheme and host.',
    );
  }
}

/** The target without its query. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

function checkRepeated(rawHeaders: readonly string[]): void {
  let seen = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (!SINGLE_LENGTHS.has(name.length)) continue;
    const index = SINGLE.indexOf(name.toLowerCase());
    if (index === -1) continue;
    if (seen & (1 << index)) throw new GatewayError('bad_request', `The header ${SINGLE[index]} is there more than once.`);
    seen |= 1 << index;
  }
}

/** Where the hub is reached, as the caller reaches it: `publicUrl`, or else the Host header, which the edge has checked. No slash at the end. */
export function publicBase({ headers }: Pick<IncomingMessage, 'headers'>, publicUrl: string | undefined): string {
  return (publicUrl ?? `http://${headers.host ?? 'localhost'}`).replace(/\/$/, '');
}
