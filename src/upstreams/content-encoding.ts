import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { GatewayError } from '../core/errors.ts';
import type { UpstreamResponse } from '../core/upstream.ts';
import { tooLarge } from './failures.ts';

type Decoder = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const gunzip: Decoder = promisify(zlib.gunzip);
const DECODERS = new Map<string, Decoder>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', promisify(zlib.inflate)],
  ['br', promisify(zlib.brotliDecompress)],
  ['zstd', promisify(zlib.zstdDecompress)],
]);

/**
 * Undoes one `Content-Encoding` of a server that did not heed `accept-encoding: identity`, up to `maxBytes` of output. Several
 * encodings on top of each other are refused: each may blow up a thousandfold (CVE-2026-22036).
 */
export async function decodeBody(response: UpstreamResponse, encoding: string, maxBytes: number, host: string): Promise<UpstreamResponse> {
  const decode = DECODERS.get(encoding.trim().toLowerCase());
  if (decode === undefined) {
    throw new GatewayError(
      'upstream_failed',
      `${host} answered with content-encoding "${encoding.slice(0, 60)}", which the hub does not read.`,
    );
  }
  try {
    const body = await decode(response.body, { maxOutputLength: maxBytes });
    const { 'content-encoding': _encoding, 'content-length': _length, ...headers } = response.headers;
    return { status: response.status, headers, body };
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(host, maxBytes);
    throw new GatewayError('upstream_failed', `${host} answered with a body that is not ${encoding.trim()}.`, { cause });
  }
}
