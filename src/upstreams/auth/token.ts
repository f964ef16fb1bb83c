import { GatewayError } from '../../core/errors.ts';
import type { RequestSigner, UpstreamRequest, UpstreamResponse } from '../../core/upstream.ts';
import type { Trust } from '../egress.ts';

/** What a signer with tokens needs of the world. */
export interface TokenPowers {
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** Who named the address of the token endpoint. */
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

/** What is asked of a token endpoint. */
interface TokenRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form: URLSearchParams;
  /** Whose proof it is, for the error: `client credentials`. */
  readonly proof: string;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1_000_000;
/** A token is replaced this long before its end, or at half of a shorter life. */
const MARGIN_MS = 30_000;
/** Tokens that stay masked: answers to requests with an older one may still come. */
const MOST_KNOWN = 4;
const SCHEME = 'Bearer ';

/** Puts a bearer token on requests: one for all callers, and one request for it at a time. What `fetchToken` throws goes to all who wait. */
export function createTokenSigner(fetchToken: () => Promise<Token>, powers: TokenPowers): RequestSigner {
  let token: Token | undefined;
  let pending: Promise<Token> | undefined;
  const forget: (() => void)[] = [];
  /** Which token a request went out with: a 401 on it says nothing about a newer one. */
  const used = new WeakMap<UpstreamRequest, Token>();

  function renew(): Promise<Token> {
    pending ??= fetchToken()
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

/** Throws GatewayError `upstream_failed` that names the token endpoint's host and the OAuth error code. */
export async function askForToken({ url, headers, form, proof }: TokenRequest, { send, trust, now }: TokenPowers): Promise<Token> {
  const asked = now();
  const answer = await send({
    method: 'POST',
    origin: url.origin,
    path: url.pathname + url.search,
    headers: { accept: 'application/json', ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
    trust,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
  });
  return readToken(answer, { host: url.host, proof, asked });
}

function readToken({ status, body }: UpstreamResponse, { host, proof, asked }: { host: string; proof: string; asked: number }): Token {
  const fields = readFields(body);
  if (status !== 200) {
    const { error } = fields;
    const code = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? `: ${error}` : '';
    throw new GatewayError('upstream_failed', `The token endpoint ${host} refused the hub's ${proof} (${status}${code}).`);
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
