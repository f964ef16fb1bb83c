import { AwsV4Signer } from 'aws4fetch';
import type { Secret } from '../../core/secret.ts';
import type { RequestSigner, UpstreamRequest } from '../../core/upstream.ts';

export interface SigV4Account {
  /** Such as `bedrock`. */
  readonly service: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Of a temporary access key. */
  readonly sessionToken?: Secret;
}

export interface SigV4Powers {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** What the signature adds. */
const ADDED = ['authorization', 'x-amz-date', 'x-amz-security-token'];

/**
 * AWS Signature Version 4: each request is signed over its method, path, body, and the headers `host` and `x-amz-…`. Others may be changed on the
 * way out. Nothing is fetched, so a second try cannot differ.
 */
export function createSigV4Signer(account: SigV4Account, { now }: SigV4Powers): RequestSigner {
  const { service, region, accessKeyId, secretAccessKey, sessionToken } = account;
  /** Of signing keys, which change daily: by aws4fetch. */
  const cache = new Map<string, ArrayBuffer>();

  return {
    refreshable: false,
    async sign(request) {
      const { headers } = await new AwsV4Signer({
        method: request.method,
        url: request.origin + request.path,
        headers: signedHeaders(request),
        body: bytesOf(request),
        service,
        region,
        accessKeyId,
        secretAccessKey: secretAccessKey.reveal(),
        ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
        cache,
        datetime: new Date(now()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ''),
      }).sign();
      const added: Record<string, string> = {};
      for (const name of ADDED) {
        const value = headers.get(name);
        if (value !== null) added[name] = value;
      }
      return { ...request, headers: { ...request.headers, ...added } };
    },
  };
}

function signedHeaders({ headers }: UpstreamRequest): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) => (name.startsWith('x-amz-') ? [[name, String(value)] as [string, string]] : []));
}

function bytesOf({ body }: UpstreamRequest): string | Uint8Array<ArrayBuffer> {
  if (body instanceof FormData) throw new TypeError('A form has no bytes to sign before it is sent.');
  // The type of bytes that may be shared is wider than the signer's; ours never are.
  return typeof body === 'string' ? body : ((body ?? '') as Uint8Array<ArrayBuffer>);
}
