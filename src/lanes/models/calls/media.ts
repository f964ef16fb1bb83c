import type { ChatRequest, Part, Source } from '../../../core/chat.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Cancellation } from '../../../core/upstream.ts';
import type { FetchedDocument } from '../../../upstreams/document.ts';
import type { UpstreamHttp } from '../../../upstreams/http.ts';

/** Bytes of one picture or file that is fetched for a vendor who takes no links. */
const LARGEST = 20_000_000;
const MOST = 20;
/** Characters of all of them in base64, and how many are fetched at once. */
const LARGEST_SUM = 50_000_000;
const AT_ONCE = 4;

/**
 * Fetches what a conversation links to, for a vendor who wants it inside the request. The links are the caller's: only public addresses are
 * reached. Throws GatewayError that names the place of the link.
 */
export async function inlineMedia(
  ask: ChatRequest,
  http: Pick<UpstreamHttp, 'fetchDocument'>,
  signal: Cancellation,
  keepsLink: (url: string) => boolean = () => false,
): Promise<ChatRequest> {
  const links = new Map<string, string>();
  visit(ask, (source, place) => {
    if (source.type === 'url' && isFetched(source.url) && !keepsLink(source.url) && !links.has(source.url)) links.set(source.url, place);
    return source;
  });
  if (links.size === 0) return ask;
  if (links.size > MOST)
    throw new GatewayError('bad_request', `The request links to ${links.size} files; the hub fetches ${MOST} at most.`);
  const fetched = new Map<string, Source>();
  let left = LARGEST_SUM;
  // A few at a time: each is in memory three times before the request is written.
  for (let from = 0; from < links.size; from += AT_ONCE) {
    const some = [...links].slice(from, from + AT_ONCE);
    const sources = await Promise.all(some.map(([url, place]) => fetchOne(url, place, http, signal, Math.min(LARGEST, left))));
    for (const [index, source] of sources.entries()) {
      left -= 'data' in source ? source.data.length : 0;
      fetched.set(some[index]![0], source);
    }
    if (left <= 0)
      throw new GatewayError('bad_request', `The files that the request links to are more than ${LARGEST_SUM / 1e6} MB together.`);
  }
  return visit(ask, (source) => (source.type === 'url' ? (fetched.get(source.url) ?? source) : source));
}

/** Other schemes, such as `gs:`, are the vendor's affair. */
function isFetched(url: string): boolean {
  return /^https?:/i.test(url);
}

async function fetchOne(
  url: string,
  place: string,
  http: Pick<UpstreamHttp, 'fetchDocument'>,
  signal: Cancellation,
  maxBytes: number,
): Promise<Source> {
  let answer: FetchedDocument;
  try {
    answer = await http.fetchDocument(url, { trust: 'public', maxBytes, signal });
  } catch (error) {
    // Nobody waits for the file any more; the link may be good.
    if (signal.aborted) throw signal.reason;
    const { code, message } = GatewayError.from(error);
    // What would allow it is the operator's affair, not the caller's.
    const why = code === 'egress_refused' ? 'the hub may not fetch from there.' : message;
    throw new GatewayError('bad_request', `${place}: the file behind the link cannot be had: ${why}`, { detail: message, cause: error });
  }
  const mediaType = (answer.contentType ?? 'application/octet-stream').split(';', 1)[0]!.trim();
  return { type: 'base64', mediaType, data: answer.body.toString('base64') };
}

function visit(ask: ChatRequest, change: (source: Source, place: string) => Source): ChatRequest {
  const part = <P extends Part>(one: P, place: string): P => {
    if (one.type === 'image' || one.type === 'document') return { ...one, source: change(one.source, place) };
    if (one.type === 'result') return { ...one, parts: one.parts.map((inner, index) => part(inner, `${place}.content[${index}]`)) };
    return one;
  };
  return {
    ...ask,
    turns: ask.turns.map((turn, index) => ({
      ...turn,
      parts: turn.parts.map((one, place) => part(one, `turn ${index + 1}, part ${place + 1}`)),
    })),
  };
}
