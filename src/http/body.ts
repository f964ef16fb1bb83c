import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../core/errors.ts';

/** `JSON.parse` takes a hundred thousand levels, and what walks the value afterwards does not. */
const MAX_DEPTH = 64;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Collects the body of a request up to `limit` bytes. Rejects with GatewayError `body_too_large` or `client_closed`. What is not read of a
 * body that is too large is thrown away as it comes, so that the sender gets to read its answer.
 */
export function readBody(req: IncomingMessage, { limit }: { readonly limit: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let settled = false;
    const refuse = (): void => {
      settled = true;
      chunks.length = 0;
      reject(new GatewayError('body_too_large', `The request body is larger than ${limit} bytes, the most this address takes.`));
    };
    const lost = (): void => {
      if (!settled) reject(new GatewayError('client_closed'));
    };
    // Nobody is taken off: three listeners go with the request, and taking them off costs more than putting them on. An error comes as `close`.
    const take = (chunk: Buffer): void => {
      if (settled) return;
      size += chunk.length;
      if (size > limit) refuse();
      else chunks.push(chunk);
    };
    const finish = (): void => {
      if (settled) return;
      settled = true;
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    };
    if (Number(req.headers['content-length'] ?? 0) > limit) refuse();
    if (req.destroyed && !req.readableEnded) lost();
    else req.on('data', take).on('end', finish).on('close', lost);
  });
}

/** Parses JSON. Throws GatewayError `bad_request` that says where it is wrong, and quotes nothing of it. `text` is what the bytes are, where it is known. */
export function parseJson(bytes: Buffer, text = bytes.toString()): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    const where = / at position \d+(?: \(line \d+ column \d+\))?/.exec(message)?.[0] ?? '';
    const early = bytes.length === 0 ? ': it is empty' : ': it ends too early';
    throw new GatewayError('bad_request', `The request body is not valid JSON${message.includes('end of JSON input') ? early : where}.`);
  }
  if (isDeeper(value, MAX_DEPTH))
    throw new GatewayError('bad_request', `The request body is nested more than ${MAX_DEPTH} levels deep at position ${tooDeepAt(bytes)}.`);
  return value;
}

/** Looks at values, of which there are few, and not at bytes. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeper(item, levels - 1));
  for (const key in value) if (isDeeper((value as Record<string, unknown>)[key], levels - 1)) return true;
  return false;
}

function tooDeepAt(bytes: Buffer): number {
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) i = endOfString(bytes, i + 1);
    // `{` and `[` differ from each other in the bit 0x20, and so do `}` and `]`.
    else if ((byte | 0x20) === 0x7b && ++depth > MAX_DEPTH) return i;
    else if ((byte | 0x20) === 0x7d) depth--;
  }
  return bytes.length;
}

function endOfString(bytes: Buffer, from: number): number {
  let i = from;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}
