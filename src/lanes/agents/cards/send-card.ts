import { hash } from 'node:crypto';
import type { JsonObject } from '../../../core/json.ts';
import type { Exchange } from '../../../http/mount.ts';

export interface SendCardOptions {
  /** Seconds for which the answer need not be asked for again. */
  readonly maxAgeS: number;
  /** The card is for this caller alone. */
  readonly isPrivate: boolean;
  /** When the card last changed, in milliseconds since the epoch; now when absent. */
  readonly modifiedAt?: number;
}

/** The headers that say who asks (src/access/identify.ts). */
export const BY_CALLER = 'Authorization, X-API-Key, API-Key';
/** And what the version of a card hangs on. */
const VARY = `A2A-Version, ${BY_CALLER}`;

/** Answers GET and HEAD with a card (specification 1.0, 8.6): tag by content, caching, and 304 for a copy that is still good. */
export function sendCard(exchange: Exchange, body: JsonObject, options: SendCardOptions): void {
  const { startedAt } = exchange;
  const { maxAgeS, isPrivate, modifiedAt = startedAt } = options;
  sendTagged(exchange, body, {
    'cache-control': `${isPrivate ? 'private' : 'public'}, max-age=${maxAgeS}`,
    'last-modified': new Date(Math.min(modifiedAt, startedAt)).toUTCString(),
    vary: VARY,
  });
}

/** Answers GET and HEAD with JSON that is tagged by its content, and with 304 for a copy that is still good. `vary` joins what others have set. */
export function sendTagged(
  { req, res }: Exchange,
  body: JsonObject,
  { vary, ...headers }: Readonly<Record<string, string>> & { readonly vary: string },
): void {
  const content = Buffer.from(JSON.stringify(body));
  const etag = `"${hash('sha256', content, 'base64url')}"`;
  res.appendHeader('vary', vary);
  if (matches(req.headers['if-none-match'], etag)) {
    res.writeHead(304, { etag, ...headers }).end();
    return;
  }
  res.writeHead(200, { etag, ...headers, 'content-type': 'application/json', 'content-length': content.length });
  res.end(req.method === 'HEAD' ? undefined : content);
}

/** RFC 9110, 13.1.2: the weak comparison. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || (header.match(/(?:W\/)?"[^"]*"/g) ?? []).some((one) => one.replace(/^W\//, '') === etag);
}
