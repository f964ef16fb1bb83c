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

/** What the version of an answer hangs on, and the headers that say who asks (src/access/identify.ts). */
const VARY = 'A2A-Version, Authorization, X-API-Key, API-Key';

/** Answers GET and HEAD with a card (specification 1.0, 8.6): tag by content, caching, and 304 for a copy that is still good. */
export function sendCard({ req, res, startedAt }: Exchange, body: JsonObject, options: SendCardOptions): void {
  const { maxAgeS, isPrivate, modifiedAt = startedAt } = options;
  const content = Buffer.from(JSON.stringify(body));
  const etag = `"${hash('sha256', content, 'base64url')}"`;
  const caching = {
    etag,
    'cache-control': `${isPrivate ? 'private' : 'public'}, max-age=${maxAgeS}`,
    'last-modified': new Date(Math.min(modifiedAt, startedAt)).toUTCString(),
  };
  res.appendHeader('vary', VARY);
  if (matches(req.headers['if-none-match'], etag)) {
    res.writeHead(304, caching).end();
    return;
  }
  res.writeHead(200, { ...caching, 'content-type': 'application/json', 'content-length': content.length });
  res.end(req.method === 'HEAD' ? undefined : content);
}

/** RFC 9110, 13.1.2: the weak comparison. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || (header.match(/(?:W\/)?"[^"]*"/g) ?? []).some((one) => one.replace(/^W\//, '') === etag);
}
