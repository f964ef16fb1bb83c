import type { Secret } from './secret.ts';

/** How the hub proves itself to an upstream, as the configuration says it, references resolved. Exactly one key is set. */
export type UpstreamAuth =
  | { readonly bearer: Secret }
  | { readonly basic: { readonly username: string; readonly password: Secret } }
  | { readonly header: Readonly<Record<string, Secret>> }
  | { readonly query: Readonly<Record<string, Secret>> }
  | { readonly oauth2: OAuth2ClientCredentials }
  /** By the names of the document's security schemes. */
  | { readonly schemes: Readonly<Record<string, SchemeCredential>> };

export interface OAuth2ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** Absent: the document's own. */
  readonly tokenUrl?: string;
  readonly scopes?: readonly string[];
}

/** The credential for one security scheme: a plain value for apiKey, bearer and other http schemes, else its parts. */
export type SchemeCredential = Secret | { readonly username: string; readonly password: Secret } | OAuth2ClientCredentials;
