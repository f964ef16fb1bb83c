import { randomUUID } from 'node:crypto';

/** One part of a multipart body. */
export interface Part {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** Absent: text/plain, which needs not be said. */
  readonly type?: string;
  /** Only a file has one: servers take whatever has a name for a file. */
  readonly filename?: string;
}

/**
 * A body of the multipart type `mediaType` (RFC 2046, 5.1), each part named as in a form (RFC 7578, 4.2). FormData would do, but that gives a file
 * name to every part that has a type.
 */
export function writeParts(parts: readonly Part[], mediaType: string): { readonly body: Uint8Array; readonly contentType: string } {
  const boundary = `hubgate-${randomUUID()}`;
  const chunks: Uint8Array[] = [];
  for (const { name, content, type, filename } of parts) {
    const file = filename === undefined ? '' : `; filename="${quoted(filename)}"`;
    const typed = type === undefined ? '' : `\r\nContent-Type: ${type.replace(/[\r\n]+/g, ' ')}`;
    chunks.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"${file}${typed}\r\n\r\n`));
    chunks.push(typeof content === 'string' ? Buffer.from(content) : content, Buffer.from('\r\n'));
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`));
  return { body: Buffer.concat(chunks), contentType: `${mediaType.split(';')[0]?.trim()}; boundary=${boundary}` };
}

/** As browsers write names (WHATWG HTML, multipart form data): UTF-8, three characters escaped. */
function quoted(name: string): string {
  return name.toWellFormed().replace(/["\r\n]/g, (character) => encodeURIComponent(character));
}
