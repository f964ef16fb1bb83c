import type { SchemeCredential } from '../../core/auth.ts';
import { Secret } from '../../core/secret.ts';
import type { RequestSigner } from '../../core/upstream.ts';
import { placedSigner } from './placed-signer.ts';
import { basicText, tokenSigner, type ChosenCredentials, type OAuth2SignerFactory } from './signer-of-auth.ts';

/** A security scheme as OpenAPI documents and agent cards describe it. */
export type SecurityScheme =
  | { readonly type: 'apiKey'; readonly in: 'query' | 'header' | 'cookie'; readonly name: string }
  /** `scheme` in lower case: `basic`, `bearer`, … */
  | { readonly type: 'http'; readonly scheme: string }
  /** `tokenUrl` of the client-credentials flow. */
  | { readonly type: 'oauth2'; readonly tokenUrl?: string }
  | { readonly type: 'openIdConnect' | 'mutualTLS' | 'unknown' };

export interface SchemeUse {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly scheme: SecurityScheme;
}

/**
 * Fills the first alternative whose schemes are all configured, one without any scheme coming last: any one alternative is enough, within one all
 * are needed.
 */
export function signersOfSchemes(
  alternatives: readonly (readonly SchemeUse[])[],
  credentials: Readonly<Record<string, SchemeCredential>>,
  oauth2: OAuth2SignerFactory,
): ChosenCredentials {
  const schemes = new Map(Object.entries(credentials));
  for (const alternative of alternatives) {
    if (alternative.length === 0) continue;
    const signers = alternative.map((use) => signerFor(use, schemes.get(use.name), oauth2));
    if (signers.every((signer) => signer !== undefined)) return { signers, missing: [] };
  }
  if (alternatives.length === 0 || alternatives.some((alternative) => alternative.length === 0)) return { signers: [], missing: [] };
  return { signers: [], missing: missingFrom(alternatives, schemes) };
}

function missingFrom(alternatives: readonly (readonly SchemeUse[])[], schemes: ReadonlyMap<string, SchemeCredential>): string[] {
  const missing = new Set<string>();
  for (const alternative of alternatives) {
    const absent = alternative.filter((use) => !schemes.has(use.name)).map((use) => use.name);
    missing.add((absent.length > 0 ? absent : alternative.map((use) => use.name)).join(' and '));
  }
  return [...missing];
}

function signerFor(use: SchemeUse, credential: SchemeCredential | undefined, oauth2: OAuth2SignerFactory): RequestSigner | undefined {
  if (credential === undefined) return undefined;
  const { scheme } = use;
  if (credential instanceof Secret) {
    const reveal = () => credential.reveal();
    if (scheme.type === 'apiKey') {
      if (scheme.in === 'query') return placedSigner({ query: [[scheme.name, reveal]] });
      if (scheme.in === 'cookie') return placedSigner({ cookies: [[scheme.name, reveal]] });
      return placedSigner({ headers: [[scheme.name.toLowerCase(), reveal]] });
    }
    if (scheme.type === 'mutualTLS' || scheme.type === 'unknown') return undefined;
    const word = scheme.type === 'http' ? schemeWord(scheme.scheme) : 'Bearer';
    return placedSigner({ headers: [['authorization', () => `${word} ${credential.reveal()}`]] });
  }
  if ('clientId' in credential) {
    const tokenUrl = scheme.type === 'oauth2' ? scheme.tokenUrl : undefined;
    return tokenSigner(credential, { tokenUrl, scopes: use.scopes }, oauth2);
  }
  return scheme.type === 'http'
    ? placedSigner({ headers: [['authorization', () => basicText(credential.username, credential.password)]] })
    : undefined;
}

function schemeWord(scheme: string): string {
  return scheme.charAt(0).toUpperCase() + scheme.slice(1);
}
