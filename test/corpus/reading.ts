import { isDeepStrictEqual } from 'node:util';

/** A request as it means something: what two writers of the same request must agree on. */
export interface Reading {
  readonly method: string;
  /** Without query, encoded as `normalized` leaves it. */
  readonly path: string;
  /** Names decoded, values as `normalized` leaves them, in their order. */
  readonly query: readonly Pair[];
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Values as `normalized` leaves them. */
  readonly cookies: readonly Pair[];
  /** Without parameters. */
  readonly mediaType?: string;
  readonly body?: Content;
}

export type Pair = readonly [name: string, value: string];

export type Content =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'pairs'; readonly pairs: readonly Pair[] }
  | { readonly kind: 'parts'; readonly parts: readonly BodyPart[] }
  | { readonly kind: 'bytes'; readonly base64: string };

export interface BodyPart {
  readonly name: string;
  /** Without parameters; empty when the part does not say. */
  readonly type: string;
  readonly base64: string;
}

/**
 * RFC 3986, 6.2.2: hexadecimal digits in upper case, unreserved characters decoded; what cannot stand in an address is encoded. Reserved
 * characters and their escapes are different addresses (2.2) and stay what they are.
 */
export function normalized(text: string): string {
  return text
    .replace(/[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]|%(?![0-9A-Fa-f]{2})/gu, (character) => encodeURIComponent(character.toWellFormed()))
    .replace(/%[0-9a-f]{2}/gi, (escape) => {
      const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
      return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase();
    });
}

/** Path and query of an address without origin. */
export function readAddress(address: string): Pick<Reading, 'path' | 'query'> {
  const mark = address.indexOf('?');
  const path = mark < 0 ? address : address.slice(0, mark);
  return { path: normalized(path), query: mark < 0 ? [] : readPairs(address.slice(mark + 1), '&') };
}

export function readPairs(text: string, separator: string): Pair[] {
  return text
    .split(separator)
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0 ? ([decoded(pair), ''] as const) : ([decoded(pair.slice(0, equals)), normalized(pair.slice(equals + 1))] as const);
    });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return text.trim();
  }
}

/** A range is no type (RFC 9110, 8.3): what it stands for is the writer's choice, here JSON, else bytes. */
export function mediaTypeOf(contentType: string | undefined): string | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  if (type?.includes('*') !== true) return type;
  return type === '*/*' || type === 'application/*' ? 'application/json' : type === 'text/*' ? 'text/plain' : 'application/octet-stream';
}

/** The body that was written for a media type; `parts` for multipart. */
export async function readContent(body: unknown, mediaType: string | undefined): Promise<Content | undefined> {
  if (body === undefined || body === null) return undefined;
  if (body instanceof FormData) {
    const parts = [...body].map(async ([name, value]): Promise<BodyPart> => {
      if (typeof value === 'string') return { name, type: '', base64: Buffer.from(value).toString('base64') };
      return { name, type: mediaTypeOf(value.type) ?? '', base64: Buffer.from(await value.arrayBuffer()).toString('base64') };
    });
    return { kind: 'parts', parts: await Promise.all(parts) };
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(String(body));
  if (mediaType === 'application/x-www-form-urlencoded')
    return { kind: 'pairs', pairs: [...new URLSearchParams(bytes.toString())].map(([name, value]) => [name, value] as const) };
  if (mediaType === 'application/json' || mediaType?.endsWith('+json') === true || mediaType === 'text/json') {
    try {
      return { kind: 'json', value: JSON.parse(bytes.toString(), digitsKept as (key: string, value: unknown) => unknown) };
    } catch {
      // What is no JSON is its bytes, and so differs from whatever is.
    }
  }
  return { kind: 'bytes', base64: bytes.toString('base64') };
}

/** Before the digits of an integer that a number of JavaScript would lose some of. */
export const DIGITS = 'digits ';

function digitsKept(_: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && source !== undefined
    ? DIGITS + source
    : value;
}

/** What of two readings is not compared, because a rule of disputes.ts says so. */
export interface Excused {
  readonly path: boolean;
  readonly query: (name: string) => boolean;
  readonly header: (name: string) => boolean;
  readonly cookie: (name: string) => boolean;
  readonly body: boolean;
  readonly field: (name: string) => boolean;
}

/** Where two readings say something different, one line each; `headers`: those that must agree. */
export function differences(ours: Reading, theirs: Reading, headers: readonly string[], excused: Excused): string[] {
  const found: string[] = [];
  const compare = (what: string, one: unknown, other: unknown): void => {
    if (!isDeepStrictEqual(one, other)) found.push(`${what}: ${shown(one)}, the referee ${shown(other)}`);
  };
  compare('method', ours.method, theirs.method);
  if (!excused.path) compare('path', ours.path, theirs.path);
  compare('query', ordered(ours.query, excused.query), ordered(theirs.query, excused.query));
  compare('cookies', ordered(ours.cookies, excused.cookie), ordered(theirs.cookies, excused.cookie));
  for (const name of headers) if (!excused.header(name)) compare(`header ${name}`, ours.headers.get(name), theirs.headers.get(name));
  if (excused.body) return found;
  compare('media type', ours.mediaType, theirs.mediaType);
  compare('body', kept(ours.body, excused.field), kept(theirs.body, excused.field));
  return found;
}

/** Parameters come in any order; the values of one keep theirs. */
function ordered(pairs: readonly Pair[], excused: (name: string) => boolean): Pair[] {
  return pairs.filter(([name]) => !excused(name)).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function kept(content: Content | undefined, excused: (name: string) => boolean): unknown {
  if (content?.kind === 'pairs') return ordered(content.pairs, excused);
  if (content?.kind !== 'parts') return content;
  // The referees leave out the types of parts, or repeat what they are told; unit tests judge them.
  return content.parts
    .map(({ name, base64 }) => ({ name, base64 }))
    .filter(({ name }) => !excused(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
