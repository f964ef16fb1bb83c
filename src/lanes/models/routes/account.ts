import type { ProviderConfig } from '../../../config/types.ts';
import type { Provider, ProviderAuth } from '../../../core/contracts/provider.ts';
import type { RequestSigner, UpstreamRequest } from '../../../core/upstream.ts';
import { createGoogleSigner } from '../../../upstreams/auth/google.ts';
import { createOAuth2Signer } from '../../../upstreams/auth/oauth2.ts';
import { createSigV4Signer } from '../../../upstreams/auth/sigv4.ts';
import type { KeyRing } from '../../../upstreams/health/key-ring.ts';
import type { ModelsHost } from '../host.ts';
import { createMask, type Mask } from '../passing/mask.ts';

/** An account at a provider, with one key: where requests go, and what is on each of them. */
export interface Account {
  /** The entry of `providers`. */
  readonly name: string;
  /** The vendor's wire format: `openai`. */
  readonly type: string;
  readonly provider: Provider;
  /** What all requests have in common; credentials that never change are among the headers. */
  readonly request: Omit<UpstreamRequest, 'path' | 'body'> & { readonly headers: Readonly<Record<string, string>> };
  readonly signers: readonly RequestSigner[];
  /** For what the vendor sends back. */
  readonly mask: Mask;
}

/** An entry of `providers`: the same account under each of its keys. */
export interface Accounts {
  /** The entry of `providers`. */
  readonly name: string;
  readonly type: string;
  readonly config: ProviderConfig;
  /** What they were made from; the next generation takes them over when nothing changed. */
  readonly fingerprint: string;
  readonly trust: UpstreamRequest['trust'];
  /** In the order of `keys`. What does not hang on the key is asked of the first. */
  readonly all: readonly [Account, ...Account[]];
  readonly ring: KeyRing;
}

/** A model may think for minutes before its first byte; OpenAI's own client waits ten. */
const FIRST_BYTE_MS = 600_000;
const IDLE_MS = 300_000;
const TOTAL_MS = 3_600_000;

/** Bytes of a whole answer: 2,048 embeddings of 3,072 numbers are 34 MB. */
const LARGEST_ANSWER = 256_000_000;

export function openAccount(
  name: string,
  config: ProviderConfig,
  provider: Provider,
  trust: UpstreamRequest['trust'],
  host: ModelsHost,
): Account {
  const { connect, firstByte, idle, total } = config.timeouts ?? {};
  const secrets: Record<string, string> = {};
  for (const [header, value] of Object.entries(config.headers ?? {})) secrets[header.toLowerCase()] = value.reveal();
  const { auth } = provider;
  if (auth.type === 'header') secrets[auth.name] = `${auth.prefix ?? ''}${auth.value.reveal()}`;
  return {
    name,
    type: config.type,
    provider,
    signers: signersOf(auth, trust, host),
    mask: createMask(Object.values(secrets), host.redact),
    request: {
      method: 'POST',
      origin: provider.origin,
      headers: { 'content-type': 'application/json', ...secrets },
      trust,
      maxBytes: LARGEST_ANSWER,
      timeoutMs: total ?? TOTAL_MS,
      firstByteMs: firstByte ?? FIRST_BYTE_MS,
      idleMs: idle ?? IDLE_MS,
      ...(connect === undefined ? {} : { connectMs: connect }),
    },
  };
}

/** Tokens are fetched from addresses that the entry names, so under the trust that it has. */
function signersOf(auth: ProviderAuth, trust: UpstreamRequest['trust'], { http, addSecret }: ModelsHost): readonly RequestSigner[] {
  const powers = { send: http.send, trust, now: Date.now, addSecret };
  if (auth.type === 'sigv4') return [createSigV4Signer(auth, powers)];
  if (auth.type === 'google') return [createGoogleSigner(auth, powers)];
  if (auth.type === 'oauth2') return [createOAuth2Signer(auth.client, powers)];
  return [];
}
