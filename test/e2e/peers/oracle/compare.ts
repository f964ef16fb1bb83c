import { isDeepStrictEqual } from 'node:util';
import type { RecordedRequest } from '../../../support/echo-server.ts';

/** Where two requests say something different; empty when they say the same. `headers`: names besides content-type that must agree. */
export async function differences(ours: RecordedRequest, theirs: RecordedRequest, headers: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const compare = (what: string, one: unknown, other: unknown): void => {
    if (!isDeepStrictEqual(one, other)) found.push(`${what}: ${shown(one)}, the oracle ${shown(other)}`);
  };
  compare('method', ours.method, theirs.method);
  const [ourPath = '', ourQuery] = split(ours.path);
  const [theirPath = '', theirQuery] = split(theirs.path);
  compare('path', normalized(ourPath), normalized(theirPath));
  compare('query', pairs(ourQuery), pairs(theirQuery));
  for (const name of headers) compare(`header ${name}`, ours.headers[name.toLowerCase()], theirs.headers[name.toLowerCase()]);
  const type = mediaType(ours);
  compare('content-type', type, mediaType(theirs));
  if (found.length === 0) compare('body', await content(ours, type), await content(theirs, type));
  return found;
}

/**
 * RFC 3986, 6.2.2: hexadecimal digits in upper case (6.2.2.1), unreserved characters decoded (6.2.2.2). Reserved characters and their escapes are
 * different addresses (2.2) and stay what they are.
 */
function normalized(text: string): string {
  return text.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase();
  });
}

function split(path: string): [path: string, query: string | undefined] {
  const mark = path.indexOf('?');
  return mark < 0 ? [path, undefined] : [path.slice(0, mark), path.slice(mark + 1)];
}

/** Names and values in their order, as they are encoded. No query and an empty one are different addresses, but nobody tells them apart. */
function pairs(query: string | undefined): string[] {
  return (query ?? '')
    .split('&')
    .filter((pair) => pair !== '')
    .map(normalized);
}

function mediaType({ headers }: RecordedRequest): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}

async function content({ body, headers }: RecordedRequest, type: string | undefined): Promise<unknown> {
  if (type === undefined) return body.toString();
  if (type === 'application/json' || type.endsWith('+json')) return parsed(body.toString());
  if (type === 'application/x-www-form-urlencoded') return [...new URLSearchParams(body.toString())];
  if (type !== 'multipart/form-data') return body.toString('base64');
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': headers['content-type'] ?? '' } }).formData();
  const parts = [...form].map(async ([name, value]) => [
    name,
    typeof value === 'string' ? value : { type: value.type, bytes: Buffer.from(await value.arrayBuffer()).toString('base64') },
  ]);
  return Promise.all(parts);
}

/** What is no JSON is itself, and so differs from whatever is. */
function parsed(text: string): unknown {
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return text;
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
