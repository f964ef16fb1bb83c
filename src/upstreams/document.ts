import { GatewayError } from '../core/errors.ts';
import type { Cancellation, UpstreamRequest, UpstreamResponse } from '../core/upstream.ts';
import type { Trust } from './egress.ts';

export interface FetchDocumentOptions {
  readonly trust: Trust;
  /** Default 16 MB. */
  readonly maxBytes?: number;
  /** For all hops together. Default 10 s. */
  readonly timeoutMs?: number;
  /** Default 3. */
  readonly redirects?: number;
  /** Of the copy at hand: the answer may then be `notModified`. */
  readonly etag?: string;
  readonly signal?: Cancellation;
}

export interface FetchedDocument {
  /** Where the document was found, after redirects. */
  readonly url: string;
  /** The copy that `etag` names is still good; `body` is empty. */
  readonly notModified: boolean;
  readonly body: Buffer;
  readonly contentType: string | undefined;
  readonly etag: string | undefined;
}

type Send = (request: UpstreamRequest, options?: { readonly signal?: Cancellation }) => Promise<UpstreamResponse>;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Gets a document by GET. Each redirect is checked again, as a public address unless it stays on the first URL's origin. */
export async function fetchDocument(send: Send, from: string, options: FetchDocumentOptions): Promise<FetchedDocument> {
  const { trust, maxBytes = 16_000_000, timeoutMs = 10_000, redirects = 3, etag, signal } = options;
  const first = readUrl(from);
  const deadline = performance.now() + timeoutMs;
  let url = first;
  for (let hop = 0; hop <= redirects; hop++) {
    const request: UpstreamRequest = {
      method: 'GET',
      origin: url.origin,
      path: url.pathname + url.search,
      headers: { accept: '*/*', ...(etag !== undefined && { 'if-none-match': etag }) },
      trust: url.origin === first.origin ? trust : 'public',
      timeoutMs: Math.max(1, Math.round(deadline - performance.now())),
      maxBytes,
    };
    const answer = await send(request, signal && { signal });
    const location = text(answer.headers['location']);
    if (!REDIRECTS.has(answer.status) || location === undefined) return read(url, answer, etag !== undefined);
    url = readUrl(location, url);
  }
  throw new GatewayError('upstream_failed', `${first.host} redirects more than ${redirects} times.`);
}

function read(url: URL, answer: UpstreamResponse, conditional: boolean): FetchedDocument {
  const notModified = answer.status === 304 && conditional;
  if (!notModified && (answer.status < 200 || answer.status > 299)) {
    throw new GatewayError('upstream_failed', `${url.host} answered ${answer.status} where a document was expected.`);
  }
  const contentType = text(answer.headers['content-type']);
  return { url: url.href, notModified, body: answer.body, contentType, etag: text(answer.headers['etag']) };
}

function readUrl(value: string, base?: URL): URL {
  const url = URL.parse(value, base?.href);
  if (url === null) throw new GatewayError('bad_request', 'The address of the document is not a URL.');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new GatewayError('egress_refused', `A document is fetched by http or https only, not by ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new GatewayError(
      'egress_refused',
      `The address of the document on ${url.host} carries a user name or password, which is not allowed.`,
    );
  }
  return url;
}

function text(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
