import type { RequestSigner } from '../../core/upstream.ts';
import type { OAuth2SignerFactory } from './signer-of-auth.ts';

/** One signer per client and scopes, so that all that call as this client share its token. */
export function rememberedSigners(make: OAuth2SignerFactory): OAuth2SignerFactory {
  const made = new Map<string, RequestSigner>();
  return (credentials) => {
    const key = JSON.stringify([credentials.tokenUrl, credentials.clientId, [...credentials.scopes].sort()]);
    let signer = made.get(key);
    if (signer === undefined) {
      signer = make(credentials);
      made.set(key, signer);
    }
    return signer;
  };
}
