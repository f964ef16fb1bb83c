import type { ProviderConfig } from '../../../config/types.ts';
import type { Provider, ProviderAuth } from '../../../core/contracts/provider.ts';
import type { RequestSigner, UpstreamRequest } from '../../../core/upstream.ts';
import { createGoogleSigner } from '../../../upstreams/auth/google.ts';
import { createOAuth2Signer } from '../../../upstreams/auth/oauth2.ts';
import { createSigV4Signer } from '../../../upstreams/auth/sigv4.ts';
import type { ModelsHost } from '../host.ts';

/** An account at a provider: where requests go, and what is on each of them. */
export interface Account {
  /** The entry of `providers`. */
  readonly name: string;
  /** The vendor's wire format: `openai`. */
  readonly type: string;
  readonly provider: Provider;
  /** What the account was made from; the next generation takes it over when nothing changed. */
  readonly key: string;
  /** What all requests have in common; credentials that never change are among the headers. */
  readonly request: Omit<UpstreamRequest, 'path' | 'body'> & { readonly headers: Readonly<Record<string, string>> };
  readonly signers: readonly RequestSigner[];
}

/** A model may think for minutes before its first byte; OpenAI's own client waits ten. */
const FIRST_BYTE_MS = 600_000;
const IDLE_MS = 300_000;
const TOTAL_MS = 3_600_000;

/** Keys of an entry that are the hub's own affair and no option of the vendor's. */
const OWN_KEYS = new Set(['type', 'headers', 'timeouts', 'description', 'enabled']);

/** What of an entry the provider is made from. */
export function optionsOf(config: ProviderConfig): object {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !OWN_KEYS.has(key)));
}

export function openAccount(
  name: string,
  config: ProviderConfig,
  provider: Provider,
  key: string,
  trust: UpstreamRequest['trust'],
  host: ModelsHost,
): Account {
  const { connect, firstByte, idle, total } = config.timeouts ?? {};
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  for (const [header, value] of Object.entries(config.headers ?? {})) headers[header.toLowerCase()] = value.reveal();
  const { auth } = provider;
  if (auth.type === 'header') headers[auth.name] = `${auth.prefix ?? ''}${auth.value.reveal()}`;
  return {
    name,
    type: config.type,
    provider,
    key,
    signers: signersOf(auth, host),
    request: {
      method: 'POST',
      origin: provider.origin,
      headers,
      trust,
      timeoutMs: total ?? TOTAL_MS,
      firstByteMs: firstByte ?? FIRST_BYTE_MS,
      idleMs: idle ?? IDLE_MS,
      ...(connect === undefined ? {} : { connectMs: connect }),
    },
  };
}

function signersOf(auth: ProviderAuth, { http, addSecret }: ModelsHost): readonly RequestSigner[] {
  const powers = { send: http.send, trust: 'operator', now: Date.now, addSecret } as const;
  if (auth.type === 'sigv4') return [createSigV4Signer(auth, powers)];
  if (auth.type === 'google') return [createGoogleSigner(auth, powers)];
  if (auth.type === 'oauth2') return [createOAuth2Signer(auth.client, powers)];
  return [];
}
