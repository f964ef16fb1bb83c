import type { UpstreamResponse } from '../../../../core/upstream.ts';

export function headerOf(headers: UpstreamResponse['headers'], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The media type of a Content-Type header, in lower case and without parameters. */
export function plainType(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

export function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json') || type === 'text/json';
}

export function isText(type: string): boolean {
  return /^text\/|[/+](xml|yaml|json|x-ndjson|ndjson|jsonl|javascript|x-www-form-urlencoded|csv|graphql|toml|sql)$|^image\/svg|json-seq$|^application\/x-yaml$/.test(
    type,
  );
}

export function looksLikeJson(body: Buffer): boolean {
  const first = body.toString('latin1', 0, 64).trimStart()[0];
  return first === '{' || first === '[';
}

/** Bytes as text by the charset of their Content-Type; UTF-8 when it names none, or one that nobody knows. */
export function decodeText(body: Buffer, contentType: string): string {
  const charset = /charset="?([\w-]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset === 'utf-8' || charset === 'utf8')
    return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.toString('utf8', 3) : body.toString('utf8');
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return body.toString('utf8');
  }
}
