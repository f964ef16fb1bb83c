import type { OAuth2ClientCredentials, UpstreamAuth } from '../../core/auth.ts';
import type { Secret } from '../../core/secret.ts';
import type { RequestSigner } from '../../core/upstream.ts';
import { placedSigner, type Placements } from './placed-signer.ts';

/** Makes the signer that fetches, caches and renews the token of one client. */
export type OAuth2SignerFactory = (credentials: {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scopes: readonly string[];
}) => RequestSigner;

export interface ChosenCredentials {
  readonly signers: readonly RequestSigner[];
  /** What is wanted and not configured, such as names of security schemes; empty when all is well. */
  readonly missing: readonly string[];
}

/** What a document or card says of its client-credentials flow, for a configuration that says nothing. */
export interface DeclaredOAuth2 {
  readonly tokenUrl?: string | undefined;
  readonly scopes: readonly string[];
}

/** Credentials that say themselves where they go. */
export type AuthByKind = Exclude<UpstreamAuth, { readonly schemes: unknown }>;

/** The signer of credentials that say themselves where they go. Secrets are revealed only while a request is signed. */
export function signerOfAuth(auth: AuthByKind, declared: DeclaredOAuth2, oauth2: OAuth2SignerFactory): ChosenCredentials {
  if ('bearer' in auth) return placed({ headers: [['authorization', () => `Bearer ${auth.bearer.reveal()}`]] });
  if ('basic' in auth) return placed({ headers: [['authorization', () => basicText(auth.basic.username, auth.basic.password)]] });
  if ('header' in auth)
    return placed({ headers: Object.entries(auth.header).map(([name, secret]) => [name.toLowerCase(), () => secret.reveal()]) });
  if ('query' in auth) return placed({ query: Object.entries(auth.query).map(([name, secret]) => [name, () => secret.reveal()]) });
  const signer = tokenSigner(auth.oauth2, declared, oauth2);
  return signer === undefined
    ? { signers: [], missing: ['oauth2 (no token endpoint: set auth.oauth2.tokenUrl)'] }
    : { signers: [signer], missing: [] };
}

/** Undefined when nobody says where tokens are asked for. */
export function tokenSigner(
  credential: OAuth2ClientCredentials,
  declared: DeclaredOAuth2,
  oauth2: OAuth2SignerFactory,
): RequestSigner | undefined {
  const tokenUrl = credential.tokenUrl ?? declared.tokenUrl;
  if (tokenUrl === undefined) return undefined;
  const { clientId, clientSecret } = credential;
  return oauth2({ tokenUrl, clientId, clientSecret, scopes: credential.scopes ?? declared.scopes });
}

/** RFC 7617. */
export function basicText(username: string, password: Secret): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`;
}

function placed(placements: Placements): ChosenCredentials {
  return { signers: [placedSigner(placements)], missing: [] };
}
