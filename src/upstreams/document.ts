import { GatewayError } from '../core/errors.ts';
import type { Cancellation, RequestSigner, UpstreamRequest, UpstreamResponse } from '../core/upstream.ts';
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
  /** Lower-case names, in place of `accept` and beside it. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Credentials, for the first URL's origin only. */
  readonly signers?: readonly RequestSigner[];
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
  readonly cacheControl: string | undefined;
}

/** There was an answer, but no document. */
export class NoDocumentError extends GatewayError {
  /** The status of the answer. */
  readonly answered: number;

  constructor(host: string, answered: number) {
    super('upstream_failed', `${host} answered ${answered} where a document was expected.`);
    this.answered = answered;
  }
}

type Send = (request: UpstreamRequest, options?: { readonly signal?: Cancellation }) => Promise<UpstreamResponse>;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Gets a document by GET. Each redirect is checked again, as a public address unless it stays on the first URL's origin. Throws GatewayError, NoDocumentError for other answers. */
export async function fetchDocument(send: Send, from: string, options: FetchDocumentOptions): Promise<FetchedDocument> {
  const { trust, maxBytes = 16_000_000, timeoutMs = 10_000, redirects = 3, etag, headers, signers = [], signal } = options;
  const first = placeOf(from, trust);
  const deadline = performance.now() + timeoutMs;
  let place = first;
  for (let hop = 0; hop <= redirects; hop++) {
    const home = place.origin === first.origin;
    const request: UpstreamRequest = {
      method: 'GET',
      origin: place.origin,
      path: place.path,
      headers: { accept: '*/*', ...headers, ...(etag !== undefined && { 'if-none-match': etag }) },
      trust: home ? trust : 'public',
      timeoutMs: Math.max(1, Math.round(deadline - performance.now())),
      maxBytes,
    };
    const answer = await sendSigned(send, request, home ? signers : [], signal);
    const location = text(answer.headers['location']);
    if (!REDIRECTS.has(answer.status) || location === undefined) return read(place, answer, etag !== undefined);
    place = placeIn(readUrl(location, place.url));
  }
  throw new GatewayError('upstream_failed', `${first.host} redirects more than ${redirects} times.`);
}

async function sendSigned(
  send: Send,
  request: UpstreamRequest,
  signers: readonly RequestSigner[],
  signal: Cancellation | undefined,
): Promise<UpstreamResponse> {
  const attempt = async (refresh: boolean): Promise<UpstreamResponse> => {
    let signed = request;
    for (const signer of signers) signed = await signer.sign(signed, { refresh });
    return send(signed, signal && { signal });
  };
  const answer = await attempt(false);
  return answer.status === 401 && signers.some(({ refreshable }) => refreshable) ? attempt(true) : answer;
}

function read({ url, host }: Place, answer: UpstreamResponse, conditional: boolean): FetchedDocument {
  const notModified = answer.status === 304 && conditional;
  if (!notModified && (answer.status < 200 || answer.status > 299)) throw new NoDocumentError(host, answer.status);
  const [contentType, etag, cacheControl] = ['content-type', 'etag', 'cache-control'].map((name) => text(answer.headers[name]));
  return { url, notModified, body: answer.body, contentType, etag, cacheControl };
}

/** An address as a request has it. */
interface Place {
  readonly url: string;
  readonly origin: string;
  readonly path: string;
  readonly host: string;
}

/** A service inside the process is for the operator's own files: nobody else may reach in. */
function placeOf(value: string, trust: Trust): Place {
  const [, origin, path = '/'] = (trust === 'operator' && /^(demo:[a-z][a-z0-9-]*)(\/[^?#]*)?$/.exec(value)) || [];
  return origin === undefined ? placeIn(readUrl(value)) : { url: value, origin, path, host: origin };
}

function placeIn({ href, origin, pathname, search, host }: URL): Place {
  return { url: href, origin, path: pathname + search, host };
}

function readUrl(value: string, base?: string): URL {
  const url = URL.parse(value, base);
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
