import { GatewayError } from '../../core/errors.ts';
import type { Secret } from '../../core/secret.ts';
import type { RequestSigner } from '../../core/upstream.ts';
import { askForToken, createTokenSigner, type TokenPowers } from './token.ts';

export interface OAuth2Client {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scopes?: readonly string[];
}

/**
 * Client credentials (RFC 6749, 4.4) with HTTP Basic (2.3.1). One token for all callers, and one request for it at a time. Throws GatewayError
 * `upstream_failed` that names the token endpoint's host and the OAuth error code.
 */
export function createOAuth2Signer(client: OAuth2Client, powers: TokenPowers): RequestSigner {
  return createTokenSigner(async () => {
    const url = URL.parse(client.tokenUrl);
    if (url === null) throw new GatewayError('upstream_failed', 'The tokenUrl of oauth2 is not a URL.');
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (client.scopes !== undefined && client.scopes.length > 0) form.set('scope', client.scopes.join(' '));
    return askForToken({ url, headers: { authorization: basic(client) }, form, proof: 'client credentials' }, powers);
  }, powers);
}

function basic({ clientId, clientSecret }: OAuth2Client): string {
  return `Basic ${Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret.reveal())}`).toString('base64')}`;
}

function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
