import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { GatewayError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { Secret } from '../../core/secret.ts';
import type { RequestSigner } from '../../core/upstream.ts';
import { askForToken, createTokenSigner, type TokenPowers } from './token.ts';

interface Account {
  readonly email: string;
  readonly key: KeyObject;
  readonly keyId: string | undefined;
  readonly tokenUrl: URL;
}

const TOKEN_URL = 'https://oauth2.googleapis.com/token';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** Seconds; the longest that Google takes. */
const LIFE = 3600;

/**
 * A service account of Google: a JWT signed with its key is changed for a token (RFC 7523, 2.1; developers.google.com/identity/protocols/oauth2/service-account).
 * `serviceAccount` is the text of the JSON file that Google gives. One token for all callers, and one request for it at a time. Throws GatewayError
 * `upstream_unauthorized` for a text that is no such file, and `upstream_failed` that names the token endpoint's host and the OAuth error code.
 */
export function createGoogleSigner({ serviceAccount }: { readonly serviceAccount: Secret }, powers: TokenPowers): RequestSigner {
  let account: Account | undefined;
  return createTokenSigner(async () => {
    account ??= readAccount(serviceAccount.reveal());
    const form = new URLSearchParams({ grant_type: GRANT, assertion: assertion(account, Math.floor(powers.now() / 1000)) });
    return askForToken({ url: account.tokenUrl, form, proof: 'service account' }, powers);
  }, powers);
}

function assertion({ email, key, keyId, tokenUrl }: Account, now: number): string {
  const header = { alg: 'RS256', typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) };
  const claims = { iss: email, scope: SCOPE, aud: tokenUrl.href, iat: now, exp: now + LIFE };
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** No cause goes along: the errors of the JSON and key parsers may quote what they read. */
function readAccount(text: string): Account {
  const file = attempt(() => JSON.parse(text) as unknown);
  if (!isObject(file)) throw unusable('it is not JSON');
  const { client_email: email, private_key: pem, private_key_id: keyId, token_uri: tokenUri = TOKEN_URL } = file;
  if (typeof email !== 'string') throw unusable('client_email is missing');
  const key = typeof pem === 'string' ? attempt(() => createPrivateKey(pem)) : undefined;
  if (key?.asymmetricKeyType !== 'rsa') throw unusable('private_key is not an RSA key in PEM');
  const tokenUrl = typeof tokenUri === 'string' ? URL.parse(tokenUri) : null;
  if (tokenUrl === null) throw unusable('token_uri is not a URL');
  return { email, key, keyId: typeof keyId === 'string' ? keyId : undefined, tokenUrl };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function unusable(why: string): GatewayError {
  return new GatewayError('upstream_unauthorized', `The serviceAccount is not a key file of Google: ${why}.`);
}
