import type { OAuth2ClientCredentials, SchemeCredential, UpstreamAuth } from '../../../core/auth.ts';
import { GatewayError } from '../../../core/errors.ts';
import { Secret } from '../../../core/secret.ts';
import type { RequestSigner, UpstreamRequest } from '../../../core/upstream.ts';
import type { CompiledOperation, SchemeUse } from './types.ts';

/** Makes the signer that fetches, caches and renews the token of one client. */
export type OAuth2SignerFactory = (credentials: {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scopes: readonly string[];
}) => RequestSigner;

export interface ChosenCredentials {
  readonly signers: readonly RequestSigner[];
  /** Names of the document's schemes of which one is wanted and none is configured; empty when all is well. */
  readonly missing: readonly string[];
}

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
  if (auth !== undefined && !('schemes' in auth)) return fromKind(operation, auth, sources);
  const schemes = new Map(Object.entries(auth?.schemes ?? {}));
  for (const alternative of alternatives) {
    if (alternative.length === 0) continue;
    const signers = alternative.map((use) => signerFor(use, schemes.get(use.name), sources));
    if (signers.every((signer) => signer !== undefined)) return { signers, missing: [] };
  }
  if (alternatives.length === 0 || alternatives.some((alternative) => alternative.length === 0)) return { signers: [], missing: [] };
  return { signers: [], missing: missingFrom(alternatives, schemes) };
}

type AuthByKind = Exclude<UpstreamAuth, { readonly schemes: unknown }>;

function fromKind(operation: CompiledOperation, auth: AuthByKind, sources: CredentialSources): ChosenCredentials {
  if ('bearer' in auth) return placed({ headers: [['authorization', () => `Bearer ${auth.bearer.reveal()}`]] });
  if ('basic' in auth) return placed({ headers: [['authorization', () => basicText(auth.basic.username, auth.basic.password)]] });
  if ('header' in auth)
    return placed({ headers: Object.entries(auth.header).map(([name, secret]) => [name.toLowerCase(), () => secret.reveal()]) });
  if ('query' in auth) return placed({ query: Object.entries(auth.query).map(([name, secret]) => [name, () => secret.reveal()]) });
  const use = operation.security.alternatives.flat().find((one) => one.scheme.type === 'oauth2');
  const declared = use?.scheme.type === 'oauth2' ? use.scheme.tokenUrl : undefined;
  const signer = tokenSigner(auth.oauth2, declared ?? sources.tokenUrl, use?.scopes ?? [], sources);
  return signer === undefined
    ? { signers: [], missing: ['oauth2 (no token endpoint: set auth.oauth2.tokenUrl)'] }
    : { signers: [signer], missing: [] };
}

function missingFrom(alternatives: readonly (readonly SchemeUse[])[], schemes: ReadonlyMap<string, SchemeCredential>): string[] {
  const missing = new Set<string>();
  for (const alternative of alternatives) {
    const absent = alternative.filter((use) => !schemes.has(use.name)).map((use) => use.name);
    missing.add((absent.length > 0 ? absent : alternative.map((use) => use.name)).join(' and '));
  }
  return [...missing];
}

function signerFor(use: SchemeUse, credential: SchemeCredential | undefined, sources: CredentialSources): RequestSigner | undefined {
  if (credential === undefined) return undefined;
  const { scheme } = use;
  if (credential instanceof Secret) {
    const reveal = () => credential.reveal();
    if (scheme.type === 'apiKey') {
      if (scheme.in === 'query') return staticSigner({ query: [[scheme.name, reveal]] });
      if (scheme.in === 'cookie') return staticSigner({ cookies: [[scheme.name, reveal]] });
      return staticSigner({ headers: [[scheme.name.toLowerCase(), reveal]] });
    }
    if (scheme.type === 'mutualTLS' || scheme.type === 'unknown') return undefined;
    const word = scheme.type === 'http' ? schemeWord(scheme.scheme) : 'Bearer';
    return staticSigner({ headers: [['authorization', () => `${word} ${credential.reveal()}`]] });
  }
  if ('clientId' in credential) {
    return tokenSigner(credential, scheme.type === 'oauth2' ? scheme.tokenUrl : undefined, use.scopes, sources);
  }
  return scheme.type === 'http'
    ? staticSigner({ headers: [['authorization', () => basicText(credential.username, credential.password)]] })
    : undefined;
}

function schemeWord(scheme: string): string {
  return scheme.charAt(0).toUpperCase() + scheme.slice(1);
}

function tokenSigner(
  credential: OAuth2ClientCredentials,
  declaredUrl: string | undefined,
  declaredScopes: readonly string[],
  sources: CredentialSources,
): RequestSigner | undefined {
  const tokenUrl = credential.tokenUrl ?? declaredUrl;
  if (tokenUrl === undefined) return undefined;
  return sources.oauth2({
    tokenUrl,
    clientId: credential.clientId,
    clientSecret: credential.clientSecret,
    scopes: credential.scopes ?? declaredScopes,
  });
}

function basicText(username: string, password: Secret): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`;
}

/** Throws GatewayError `upstream_failed`: nothing that the caller could change is wrong. */
function headerValue(name: string, value: string): string {
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return value;
  throw new GatewayError(
    'upstream_failed',
    `The credential that is configured for the header ${name} of this service holds a line break or another character that no header can carry. The operator corrects it.`,
  );
}

type Placement = readonly [name: string, reveal: () => string];

interface Placements {
  readonly headers?: readonly Placement[];
  readonly query?: readonly Placement[];
  readonly cookies?: readonly Placement[];
}

function placed(placements: Placements): ChosenCredentials {
  return { signers: [staticSigner(placements)], missing: [] };
}

function staticSigner({ headers = [], query = [], cookies = [] }: Placements): RequestSigner {
  return {
    refreshable: false,
    sign(request: UpstreamRequest): UpstreamRequest {
      let { path } = request;
      for (const [name, reveal] of query) {
        path += `${path.includes('?') ? '&' : '?'}${encodeURIComponent(name)}=${encodeURIComponent(reveal())}`;
      }
      if (headers.length === 0 && cookies.length === 0) return { ...request, path };
      const signed: Record<string, string | readonly string[]> = { ...request.headers };
      for (const [name, reveal] of headers) signed[name] = headerValue(name, reveal());
      for (const [name, reveal] of cookies) {
        const pair = `${name}=${encodeURIComponent(reveal())}`;
        const before = signed['cookie'];
        signed['cookie'] = typeof before === 'string' && before !== '' ? `${before}; ${pair}` : pair;
      }
      return { ...request, path, headers: signed };
    },
  };
}
