import type { UpstreamAuth } from '../../../core/auth.ts';
import { signerOfAuth, type ChosenCredentials, type OAuth2SignerFactory } from '../../../upstreams/auth/signer-of-auth.ts';
import { signersOfSchemes } from '../../../upstreams/auth/signers-of-schemes.ts';
import type { CompiledOperation } from './types.ts';

interface CredentialSources {
  readonly oauth2: OAuth2SignerFactory;
  /** The document's token endpoint, for `auth: oauth2` that names none. */
  readonly tokenUrl?: string;
}

/**
 * The credentials of one operation. `auth` by kind goes to every operation but those that say `security: []`; `auth.schemes` fills the first
 * alternative whose schemes are all configured, one without any scheme coming last. Secrets are revealed only while a request is signed.
 */
export function chooseCredentials(
  operation: CompiledOperation,
  auth: UpstreamAuth | undefined,
  sources: CredentialSources,
): ChosenCredentials {
  const { alternatives, open } = operation.security;
  if (open) return { signers: [], missing: [] };
  if (auth === undefined || 'schemes' in auth) return signersOfSchemes(alternatives, auth?.schemes ?? {}, sources.oauth2);
  const use = alternatives.flat().find((one) => one.scheme.type === 'oauth2');
  const declared = use?.scheme.type === 'oauth2' ? use.scheme.tokenUrl : undefined;
  return signerOfAuth(auth, { tokenUrl: declared ?? sources.tokenUrl, scopes: use?.scopes ?? [] }, sources.oauth2);
}
