import { GatewayError } from '../../core/errors.ts';
import type { Secret } from '../../core/secret.ts';
import type { RequestSigner, UpstreamRequest, UpstreamResponse } from '../../core/upstream.ts';
import type { Trust } from '../egress.ts';

export interface OAuth2Client {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scopes?: readonly string[];
}

export interface OAuth2Powers {
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** Who named `tokenUrl`. */
  readonly trust: Trust;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Hears of every token before it is used; gives the way to forget it. */
  addSecret(value: string): () => void;
}

interface Token {
  readonly header: string;
  /** Milliseconds since the epoch after which a new one is asked for. */
  readonly goodUntil: number;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1_000_000;
/** A token is replaced this long before its end, or at half of a shorter life. */
const MARGIN_MS = 30_000;
/** Tokens that stay masked: answers to requests with an older one may still come. */
const MOST_KNOWN = 4;
const SCHEME = 'Bearer ';

/**
 * Client credentials (RFC 6749, 4.4) with HTTP Basic (2.3.1). One token for all callers, and one request for it at a time. Throws GatewayError
 * `upstream_failed` that names the token endpoint's host and the OAuth error code.
 */
export function createOAuth2Signer(client: OAuth2Client, powers: OAuth2Powers): RequestSigner {
  let token: Token | undefined;
  let pending: Promise<Token> | undefined;
  const forget: (() => void)[] = [];
  /** Which token a request went out with: a 401 on it says nothing about a newer one. */
  const used = new WeakMap<UpstreamRequest, Token>();

  function renew(): Promise<Token> {
    pending ??= fetchToken(client, powers)
      .then((fresh) => {
        forget.push(powers.addSecret(fresh.header.slice(SCHEME.length)));
        if (forget.length > MOST_KNOWN) forget.shift()?.();
        return (token = fresh);
      })
      .finally(() => (pending = undefined));
    return pending;
  }

  return {
    refreshable: true,
    sign(request, { refresh }) {
      if (refresh && token !== undefined && (used.get(request) ?? token) === token) token = undefined;
      if (token !== undefined && powers.now() < token.goodUntil) return signed(request, token);
      return renew().then((fresh) => signed(request, fresh));
    },
  };

  function signed(request: UpstreamRequest, by: Token): UpstreamRequest {
    used.set(request, by);
    return { ...request, headers: { ...request.headers, authorization: by.header } };
  }
}

async function fetchToken(client: OAuth2Client, { send, trust, now }: OAuth2Powers): Promise<Token> {
  const url = URL.parse(client.tokenUrl);
  if (url === null) throw new GatewayError('upstream_failed', 'The tokenUrl of oauth2 is not a URL.');
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (client.scopes !== undefined && client.scopes.length > 0) form.set('scope', client.scopes.join(' '));
  const asked = now();
  const answer = await send({
    method: 'POST',
    origin: url.origin,
    path: url.pathname + url.search,
    headers: {
      accept: 'application/json',
      authorization: `Basic ${Buffer.from(`${formEncode(client.clientId)}:${formEncode(client.clientSecret.reveal())}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: form.toString(),
    trust,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
  });
  return readToken(answer, url.host, asked);
}

function readToken({ status, body }: UpstreamResponse, host: string, asked: number): Token {
  const fields = readFields(body);
  if (status !== 200) {
    const { error } = fields;
    const code = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? `: ${error}` : '';
    throw new GatewayError('upstream_failed', `The token endpoint ${host} refused the hub's client credentials (${status}${code}).`);
  }
  const { access_token: value, token_type: type = 'Bearer', expires_in: life } = fields;
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value) || String(type).toLowerCase() !== 'bearer') {
    throw new GatewayError('upstream_failed', `The token endpoint ${host} gave no bearer token.`);
  }
  const lifeMs = Number(life) * 1000;
  const goodUntil = lifeMs > 0 ? asked + Math.max(lifeMs - MARGIN_MS, lifeMs / 2) : Infinity;
  return { header: `${SCHEME}${value}`, goodUntil };
}

function readFields(body: Buffer): { error?: unknown; access_token?: unknown; token_type?: unknown; expires_in?: unknown } {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
